//! `filterctl accesslist update`.

use clap::Args;
use hyper::Method;
use jiff::{Timestamp, ZonedDateTime};
use serde::Serialize;

use super::end::{self, End};
use super::entry_choice;
use crate::access_list::Address;
use crate::cli::answers::{App, Entry};
use crate::cli::failure::Failure;
use crate::cli::invocation::Invocation;
use crate::cli::terms::Terms;
use crate::cli::{output, terminal};

/// Which entry, and what it shall be.
#[derive(Args, Debug)]
pub(in crate::cli) struct Options {
    /// The app: its id, its name, or the beginning of its client app id
    #[arg(short, long)]
    app: Option<String>,

    /// The entry's address, as it is listed
    #[arg(long, value_name = "ADDRESS")]
    ip: Option<String>,

    /// The new IP address or CIDR block
    #[arg(long, value_name = "ADDRESS", value_parser = Address::parse)]
    new_ip: Option<Address>,

    /// The new comment; an empty one takes it away
    #[arg(long, value_name = "TEXT")]
    comment: Option<String>,

    /// Let in by it
    #[arg(long, conflicts_with = "disable")]
    enable: bool,

    /// Keep it on the list without letting anybody in by it
    #[arg(long)]
    disable: bool,

    #[command(flatten)]
    end: End,

    /// Take its end away
    #[arg(long, conflicts_with_all = ["span", "until"])]
    forever: bool,

    #[command(flatten)]
    terms: Terms,
}

/// What is to be different; what is left out stays as it is.
#[derive(Serialize)]
struct Body<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    address: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    comment: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    enabled: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    expires: Option<Option<Timestamp>>,
}

impl Options {
    fn changes_nothing(&self) -> bool {
        let says = [
            self.new_ip.is_some(),
            self.comment.is_some(),
            self.enable || self.disable,
            self.end.is_given() || self.forever,
        ];
        !says.contains(&true)
    }

    fn body(&self, now: &ZonedDateTime) -> Result<Body<'_>, Failure> {
        let end = self.end.after(now)?.map(Some);
        Ok(Body {
            address: self.new_ip.as_ref().map(Address::text),
            comment: self.comment.as_deref(),
            enabled: (self.enable || self.disable).then_some(self.enable),
            expires: if self.forever { Some(None) } else { end },
        })
    }
}

/// Changes the entry.
pub(super) async fn run(invocation: &Invocation, options: &Options) -> Result<(), Failure> {
    if options.changes_nothing() {
        return Err(Failure::usage(
            "must set either --new-ip or --comment when updating an allowed IP address or CIDR block",
        )
        .with_advice("Or one of --enable, --disable, --for, --until and --forever."));
    }
    if options.ip.is_none() && !invocation.is_attended() {
        return Err(Failure::usage("--ip is missing: name the entry by its address"));
    }
    let body = options.body(&ZonedDateTime::now())?;
    let app = invocation.app(options.app.as_deref(), "--app").await?;
    let entry = match &options.ip {
        Some(wanted) => named(invocation, &app, wanted).await?,
        None => asked(invocation.entries(&app).await?)?,
    };
    let path = format!("{}/{}", app.access_list_path(), entry.id);
    let saved = invocation.change_on(&options.terms, Method::PATCH, &path, Some(&body)).await?;
    let entry: Entry = saved.parse()?;
    match invocation.json {
        true => output::json(&entry)?,
        false => {
            output::line("Successfully updated allowed IP")?;
            end::tell(&entry)?;
            saved.tell_closed()?;
        }
    }
    saved.in_force()
}

async fn named(invocation: &Invocation, app: &App, wanted: &str) -> Result<Entry, Failure> {
    let found = invocation.entry(app, wanted).await?;
    let entry =
        found.ok_or_else(|| Failure::new(format!("unable to find allowed IP: {wanted}")))?;
    if let Some(remark) = entry_choice::remark(&entry, wanted) {
        invocation.warn(&remark);
    }
    Ok(entry)
}

fn asked(mut entries: Vec<Entry>) -> Result<Entry, Failure> {
    if entries.is_empty() {
        return Err(Failure::new("no IP addresses or CIDR blocks to update"));
    }
    let choices: Vec<String> = entries.iter().map(entry_choice::describe).collect();
    let place = terminal::ask_one("Select an IP address or CIDR block to update", &choices)?;
    Ok(entries.swap_remove(place))
}

#[cfg(test)]
mod tests {
    use clap::Parser;
    use serde_json::json;

    use super::*;

    #[derive(Parser)]
    struct Line {
        #[command(flatten)]
        options: Options,
    }

    fn options(words: &[&str]) -> Result<Options, clap::Error> {
        let words = std::iter::once(&"update").chain(words);
        Line::try_parse_from(words).map(|line| line.options)
    }

    #[test]
    fn only_what_is_said_is_sent() {
        let now: Timestamp = "2026-03-28T11:00:00Z".parse().expect("a moment");
        let now = now.to_zoned_datetime(jiff::tz::TimeZone::UTC);
        for (words, expected) in [
            (&["--comment", ""][..], json!({ "comment": "" })),
            (&["--new-ip", "2001:DB8::1"], json!({ "address": "2001:DB8::1" })),
            (&["--enable"], json!({ "enabled": true })),
            (&["--disable", "--forever"], json!({ "enabled": false, "expires": null })),
            (&["--for", "8h"], json!({ "expires": "2026-03-28T19:00:00Z" })),
        ] {
            let options = options(words).expect("valid");
            assert!(!options.changes_nothing(), "{words:?}");
            let body = options.body(&now).expect("it lies ahead");
            assert_eq!(serde_json::to_value(body).expect("JSON"), expected, "{words:?}");
        }
        assert!(options(&["--ip", "::1", "--reason", "x"]).expect("valid").changes_nothing());
    }

    #[test]
    fn contradictions_are_refused() {
        for words in [
            &["--enable", "--disable"][..],
            &["--for", "8h", "--until", "2999-01-01"],
            &["--for", "8h", "--forever"],
            &["--until", "2999-01-01", "--forever"],
            &["--if-version", "x"],
        ] {
            assert!(options(words).is_err(), "{words:?}");
        }
    }
}
