//! Which form a file has, by its content.

use serde::Deserialize;
use serde::de::IgnoredAny;

use super::fault::Fault;
use super::format::Format;
use super::json::{self, keyed};
use super::lines::{Line, lines};
use super::rows::{self, is_heading};

/// What an element of `prefixes` has.
#[derive(Default, Deserialize)]
struct Prefixed {
    ip_prefix: Option<IgnoredAny>,
    #[serde(rename = "ipv4Prefix")]
    ipv4: Option<IgnoredAny>,
    #[serde(rename = "ipv6Prefix")]
    ipv6: Option<IgnoredAny>,
    service: Option<IgnoredAny>,
    scope: Option<IgnoredAny>,
}

/// The form of a text.
pub(super) fn detect(text: &str) -> Result<Format, Fault> {
    refuse_markup(text)?;
    match text.trim_start().as_bytes() {
        [b'[', ..] => Ok(Format::Json),
        [b'{', ..] if is_spamhaus_json(text) => Ok(Format::Spamhaus),
        [b'{', ..] => object(text),
        _ => Ok(plain(text)),
    }
}

/// Whether a text can have the form that was named.
pub(super) fn agree(format: Format, text: &str) -> Result<(), Fault> {
    refuse_markup(text)?;
    let (fits, is) = match is_json(text) {
        true => (format.may_be_json(), "JSON"),
        false => (format.may_be_lines(), "no JSON"),
    };
    match fits {
        true => Ok(()),
        false => {
            let (title, name, shape) = (format.title(), format.name(), format.shape());
            Err(Fault::whole(1, format!("{title} ({name}) is {shape}; this is {is}")))
        }
    }
}

/// Whether a text is JSON, or means to be.
pub(super) fn is_json(text: &str) -> bool {
    text.trim_start().starts_with(['[', '{'])
}

/// Whether a text has the blocks of Tor's exit addresses.
pub(super) fn is_tor(text: &str) -> bool {
    lines(text).next().is_some_and(|line| {
        let word = line.content.split_whitespace().next();
        matches!(word, Some("ExitNode" | "ExitAddress"))
    })
}

/// Whether a text is a table of DShield's form.
pub(super) fn is_dshield(text: &str) -> bool {
    let Some(line) = lines(text).next() else { return false };
    let mut words = line.content.split_whitespace();
    let (Some(first), Some(last), Some(length)) = (words.next(), words.next(), words.next()) else {
        return false;
    };
    let is_heading = first.eq_ignore_ascii_case("start") && last.eq_ignore_ascii_case("end");
    let is_length = length.parse::<u8>().is_ok_and(|length| length <= 32) || is_bare(length);
    is_heading || (is_bare(first) && is_bare(last) && is_length)
}

/// Whether a text is one JSON object a line, of Spamhaus's kind. One of the
/// first two may be about the list itself.
pub(super) fn is_spamhaus_json(text: &str) -> bool {
    text.trim_start().starts_with('{')
        && text.trim_start().lines().take(2).any(json::spamhaus::is_row)
}

fn is_bare(text: &str) -> bool {
    text.parse::<std::net::IpAddr>().is_ok()
}

fn refuse_markup(text: &str) -> Result<(), Fault> {
    match text.trim_start().starts_with('<') {
        true => Err(Fault::whole(
            1,
            "this is an HTML or XML page, not a list: was it downloaded from the right place?",
        )),
        false => Ok(()),
    }
}

fn plain(text: &str) -> Format {
    let Some(line) = lines(text).next() else { return Format::Text };
    match line.content {
        _ if is_tor(text) => Format::Tor,
        _ if is_dshield(text) => Format::Dshield,
        content if content.starts_with('"') || content.contains(',') || is_heading(content) => {
            table(text)
        }
        _ if has_ipset_header(text, line) => Format::Netset,
        _ => Format::Text,
    }
}

/// A geofeed, if a country stands behind the first prefix.
fn table(text: &str) -> Format {
    let country = rows::rows(text).next().and_then(|row| row.fields.into_iter().nth(1));
    let is_country = |text: &str| {
        text.is_empty() || (text.len() == 2 && text.bytes().all(|byte| byte.is_ascii_alphabetic()))
    };
    match country {
        Some(country) if is_country(country.trim()) => Format::Geofeed,
        Some(_) | None => Format::Csv,
    }
}

fn has_ipset_header(text: &str, first: Line<'_>) -> bool {
    let header = text[..first.at].to_ascii_lowercase();
    header.contains("hash:net") || header.contains("hash:ip") || header.contains("ipset")
}

fn object(text: &str) -> Result<Format, Fault> {
    let members = json::members_of(text)?;
    let member = |key: &str| members.iter().find(|(name, _)| name == key).map(|(_, raw)| *raw);
    let has = |key: &str| member(key).is_some();
    if let Some(raw) = member("prefixes") {
        return prefixed(raw.get(), has("createDate"), has("ipv6_prefixes"))
            .ok_or_else(|| unknown(&members));
    }
    let known = [
        (has("entries"), Format::Full),
        (has("ipv6_prefixes"), Format::Aws),
        (has("values"), Format::Azure),
        (has("result"), Format::Cloudflare),
        (has("regions"), Format::Oracle),
        (has("addresses") || has("ipv6_addresses"), Format::Fastly),
        (has("inbound") || has("outbound"), Format::Atlas),
        (has("gateways") || (has("groupId") && has("services")), Format::Atlas),
        (keyed::GITHUB_KEYS.into_iter().any(has), Format::Github),
    ];
    let found = known.into_iter().find(|(fits, _)| *fits).map(|(_, format)| format);
    found.ok_or_else(|| unknown(&members))
}

/// Whose `prefixes` these are.
fn prefixed(prefixes: &str, created: bool, has_v6: bool) -> Option<Format> {
    let rows: Vec<Prefixed> = serde_json::from_str(prefixes).ok()?;
    let is_google = |row: &Prefixed| row.ipv4.is_some() || row.ipv6.is_some();
    let is_cloud = |row: &Prefixed| row.service.is_some() || row.scope.is_some();
    if has_v6 || rows.iter().any(|row| row.ip_prefix.is_some()) {
        return Some(Format::Aws);
    }
    match rows.is_empty() {
        true if created => Some(Format::Aws),
        true => Some(Format::Google),
        false if !rows.iter().any(is_google) => None,
        false if rows.iter().any(is_cloud) => Some(Format::Gcp),
        false => Some(Format::Google),
    }
}

fn unknown(members: &[json::Member<'_>]) -> Fault {
    const KEYS_SHOWN: usize = 8;
    let mut keys: Vec<&str> = members.iter().map(|(key, _)| key.as_str()).collect();
    let more = if keys.len() > KEYS_SHOWN { " and more" } else { "" };
    keys.truncate(KEYS_SHOWN);
    let forms = Format::ALL.into_iter().filter(|format| format.may_be_json());
    let forms: Vec<String> =
        forms.map(|format| format!("{}: {}", format.name(), format.shape())).collect();
    let keys = match keys.is_empty() {
        true => "no key".to_owned(),
        false => format!("the keys {}{more}", keys.join(", ")),
    };
    let forms = forms.join("; ");
    Fault::whole(
        1,
        format!("this JSON object has {keys}, and is of no known form. Known are {forms}"),
    )
}
