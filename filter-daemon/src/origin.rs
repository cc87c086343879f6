//! Origins: which web pages may call an app (RFC 6454). Pure.
//!
//! Owns the grammar and the comparison. An origin is `scheme://host`, with a
//! port where it is not the scheme's own, or the word `null`, which is what
//! pages without an origin send (files, sandboxed frames).
//!
//! Invariants: two origins are the same exactly when their canonical texts are
//! equal, compared whole, never by prefix or suffix. What a browser never
//! sends (a path, a user, a port with zeros in front, an IPv4 address in
//! another form than four decimal numbers) is refused and not corrected. A
//! name with a trailing dot is another origin than the name without, as it is
//! in browsers.

use std::fmt;
use std::net::Ipv6Addr;
use std::str::FromStr;

use url::Host;

/// An origin as typed, with its meaning.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Origin {
    text: Box<str>,
    canonical: Box<str>,
}

/// Why a text is not an origin.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum OriginError {
    /// Nothing was given.
    #[error("an origin is missing: give one such as https://app.example.com")]
    Empty,
    /// A list of patterns is not what this is.
    #[error(
        "{0:?} holds a *: origins are compared whole, so list each one; without any origin on the list, every origin is let in"
    )]
    Wildcard(String),
    /// No scheme in front of `://`.
    #[error(
        "{0:?} does not begin with a scheme: write https:// or http:// in front of the host, or the one word null"
    )]
    Scheme(String),
    /// Pages from files have no origin of their own.
    #[error("{0:?} is no origin: pages from files send the origin null, so list null")]
    File(String),
    /// More than scheme, host and port.
    #[error(
        "{text:?} has {part} behind its host: leave it away, an origin ends with its host or port"
    )]
    Trailing {
        /// What was given.
        text: String,
        /// What is too much.
        part: &'static str,
    },
    /// A user name or password.
    #[error("{0:?} holds a user (the part before @): leave it away, it is no part of an origin")]
    User(String),
    /// A character that no origin holds.
    #[error(
        "{text:?} holds {found:?}, which no origin does: give one origin, without spaces, % and \\"
    )]
    Character {
        /// What was given.
        text: String,
        /// The character.
        found: char,
    },
    /// Not a host.
    #[error("{text:?} has no valid host: {fault}")]
    Host {
        /// What was given.
        text: String,
        /// What is wrong and what to do.
        fault: String,
    },
    /// Not a port.
    #[error(
        "{0:?} has no valid port: give a number from 1 to 65535 without zeros in front, or leave the colon away"
    )]
    Port(String),
}

impl Origin {
    /// Reads an origin as an operator types it.
    pub fn parse(text: &str) -> Result<Self, OriginError> {
        let text = text.trim();
        Ok(Self { text: text.into(), canonical: canonical(text)?.into() })
    }

    /// The text as typed.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// What is compared: lower case, punycode, without the scheme's own port.
    pub fn canonical(&self) -> &str {
        &self.canonical
    }

    /// Whether it is the origin that a request names in its header field.
    /// What is no origin is nobody's.
    pub fn is(&self, requested: &str) -> bool {
        *requested == *self.canonical
            || canonical(requested).is_ok_and(|requested| requested == *self.canonical)
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl FromStr for Origin {
    type Err = OriginError;

    fn from_str(text: &str) -> Result<Self, OriginError> {
        Self::parse(text)
    }
}

/// The text that is equal for equal origins.
fn canonical(text: &str) -> Result<String, OriginError> {
    if text == "null" {
        return Ok(text.to_owned());
    }
    let (scheme, rest) = split_scheme(text)?;
    refuse_surplus(text, rest)?;
    let (host, port) = split_port(text, rest)?;
    let host = canonical_host(text, host)?;
    Ok(match port.filter(|port| default_port(&scheme) != Some(*port)) {
        Some(port) => format!("{scheme}://{host}:{port}"),
        None => format!("{scheme}://{host}"),
    })
}

fn split_scheme(text: &str) -> Result<(String, &str), OriginError> {
    if text.is_empty() {
        return Err(OriginError::Empty);
    }
    if text.contains('*') {
        return Err(OriginError::Wildcard(text.to_owned()));
    }
    let valid = |scheme: &str| {
        scheme.starts_with(|c: char| c.is_ascii_alphabetic())
            && scheme.chars().all(|c| c.is_ascii_alphanumeric() || "+-.".contains(c))
    };
    let (scheme, rest) = text
        .split_once("://")
        .filter(|(scheme, _)| valid(scheme))
        .ok_or_else(|| OriginError::Scheme(text.to_owned()))?;
    let scheme = scheme.to_ascii_lowercase();
    if scheme == "file" { Err(OriginError::File(text.to_owned())) } else { Ok((scheme, rest)) }
}

fn refuse_surplus(text: &str, rest: &str) -> Result<(), OriginError> {
    let text = text.to_owned();
    let unfit = |c: &char| c.is_whitespace() || c.is_control() || "%\\,;\"<>^`{|}".contains(*c);
    if rest.contains('@') {
        return Err(OriginError::User(text));
    }
    let trailing = |part| OriginError::Trailing { text: text.clone(), part };
    match rest.find(['/', '?', '#']).map(|start| &rest[start..]) {
        Some("/") => Err(trailing("a slash")),
        Some(part) if part.starts_with('?') => Err(trailing("a query")),
        Some(part) if part.starts_with('#') => Err(trailing("a fragment")),
        Some(_) => Err(trailing("a path")),
        None => match rest.chars().find(unfit) {
            Some(found) => Err(OriginError::Character { text, found }),
            None => Ok(()),
        },
    }
}

fn split_port<'t>(text: &str, rest: &'t str) -> Result<(&'t str, Option<u16>), OriginError> {
    let behind_brackets = match (rest.starts_with('['), rest.find(']')) {
        (true, Some(end)) => end + 1,
        (true, None) => rest.len(),
        (false, _) => 0,
    };
    let Some(colon) = rest[behind_brackets..].find(':') else { return Ok((rest, None)) };
    let (host, digits) = rest.split_at(behind_brackets + colon);
    let digits = &digits[1..];
    let plain = digits.bytes().all(|b| b.is_ascii_digit()) && !digits.starts_with('0');
    let port = digits.parse().ok().filter(|_| plain);
    port.map(|port| (host, Some(port))).ok_or_else(|| OriginError::Port(text.to_owned()))
}

fn canonical_host(text: &str, host: &str) -> Result<String, OriginError> {
    let refuse = |fault: &str| OriginError::Host { text: text.to_owned(), fault: fault.to_owned() };
    if host.is_empty() {
        return Err(refuse("it is empty"));
    }
    if let Some(inside) = host.strip_prefix('[') {
        let address = inside.strip_suffix(']').and_then(|text| text.parse::<Ipv6Addr>().ok());
        let address = address.ok_or_else(|| refuse("give an IPv6 address without zone in [ ]"))?;
        return Ok(Host::<String>::Ipv6(address).to_string());
    }
    match Host::parse(host) {
        Ok(Host::Domain(name)) if has_empty_label(&name) => {
            Err(refuse("two dots follow one another, or it begins with one"))
        }
        Ok(Host::Domain(name)) => Ok(name),
        Ok(Host::Ipv4(address)) if address.to_string() == host => Ok(host.to_owned()),
        Ok(Host::Ipv4(address)) => Err(refuse(&format!("write the address as {address}"))),
        Ok(Host::Ipv6(_)) => Err(refuse("write an IPv6 address in [ ]")),
        Err(fault) => Err(refuse(&fault.to_string())),
    }
}

fn has_empty_label(name: &str) -> bool {
    let name = name.strip_suffix('.').unwrap_or(name);
    name.split('.').any(str::is_empty)
}

fn default_port(scheme: &str) -> Option<u16> {
    match scheme {
        "http" | "ws" => Some(80),
        "https" | "wss" => Some(443),
        "ftp" => Some(21),
        _ => None,
    }
}

#[cfg(test)]
mod tests;
