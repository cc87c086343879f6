//! `filterctl origins set`.

use clap::{Args, ValueEnum};
use hyper::Method;
use serde::Serialize;

use crate::cli::failure::Failure;
use crate::cli::invocation::Invocation;
use crate::cli::terms::Reason;
use crate::origin::Origin;

/// Whose origins, and what they shall be.
#[derive(Args, Debug)]
pub(in crate::cli) struct Options {
    /// The app: its id, its name, or the beginning of its client app id
    #[arg(short, long)]
    app: Option<String>,

    /// All origins to allow, such as https://app.example.com; or the word null
    #[arg(value_name = "ORIGIN")]
    origins: Vec<Origin>,

    /// Take all origins off the list: pages of every origin may call the app
    #[arg(long, conflicts_with = "origins")]
    any: bool,

    /// Whether upgrades and unsafe methods need an origin
    #[arg(long, value_name = "yes|no")]
    require_origin: Option<YesNo>,

    #[command(flatten)]
    reason: Reason,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum YesNo {
    /// They need one.
    Yes,
    /// They pass without.
    No,
}

#[derive(Serialize)]
struct Body<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    origins: Option<Vec<&'a str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    require_origin: Option<bool>,
}

/// Sets them.
pub(super) async fn run(invocation: &Invocation, options: &Options) -> Result<(), Failure> {
    let body = options.body().ok_or_else(|| {
        Failure::usage("must set an ORIGIN, --any or --require-origin")
            .with_advice("`filterctl origins list` shows what is set.")
    })?;
    let app = invocation.app(options.app.as_deref(), "--app").await?;
    let terms = options.reason.of_version(None);
    let saved = invocation.change_on(&terms, Method::PATCH, &app.path(), Some(&body)).await?;
    super::show(invocation, &saved)
}

impl Options {
    fn body(&self) -> Option<Body<'_>> {
        let says_origins = self.any || !self.origins.is_empty();
        let origins = says_origins.then(|| super::distinct(&self.origins));
        let require_origin = self.require_origin.map(|answer| answer == YesNo::Yes);
        (says_origins || require_origin.is_some()).then_some(Body { origins, require_origin })
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;
    use serde_json::{Value, json};

    use super::*;

    #[derive(Parser)]
    struct Line {
        #[command(flatten)]
        options: Options,
    }

    fn options(words: &[&str]) -> Result<Options, clap::Error> {
        let words = std::iter::once(&"set").chain(words);
        Line::try_parse_from(words).map(|line| line.options)
    }

    #[test]
    fn only_what_is_said_is_sent() {
        for (words, expected) in [
            (
                &["https://a.example", "null"][..],
                json!({ "origins": ["https://a.example", "null"] }),
            ),
            (&["--any"], json!({ "origins": [] })),
            (&["--require-origin", "yes"], json!({ "require_origin": true })),
            (
                &["null", "--require-origin", "no"],
                json!({ "origins": ["null"], "require_origin": false }),
            ),
            (&["--reason", "x"], Value::Null),
        ] {
            let body = options(words).expect("valid").body().map(serde_json::to_value);
            let body = body.transpose().expect("JSON").unwrap_or_default();
            assert_eq!(body, expected, "{words:?}");
        }
        for words in [&["a.example"][..], &["null", "--any"], &["--require-origin", "maybe"]] {
            assert!(options(words).is_err(), "{words:?}");
        }
    }
}
