//! `filterctl diff`: what is different between two versions of a list.

use clap::Args;
use serde::{Deserialize, Serialize};

use super::answers::App;
use super::failure::Failure;
use super::invocation::Invocation;
use super::output;

/// Whose list, and which versions.
#[derive(Args, Debug)]
pub(super) struct Options {
    /// The app: its id, its name, or the beginning of its client app id
    #[arg(short, long)]
    app: Option<String>,

    /// The version to compare from, as `filterctl history` tells it
    #[arg(value_name = "VERSION")]
    from: u64,

    /// The version to compare with [default: the latest]
    #[arg(value_name = "VERSION")]
    to: Option<u64>,
}

/// What makes one version of another.
#[derive(Debug, Deserialize, Serialize)]
pub(super) struct Diff {
    from: u64,
    to: u64,
    added: Vec<Line>,
    removed: Vec<Line>,
    changed: Vec<Changed>,
}

/// An entry as a version has it.
#[derive(Debug, Deserialize, Serialize)]
struct Line {
    address: String,
    comment: String,
    enabled: bool,
    expires: Option<String>,
}

/// An entry that both versions have, differently.
#[derive(Debug, Deserialize, Serialize)]
struct Changed {
    from: Line,
    to: Line,
}

/// Shows it.
pub(super) async fn run(invocation: &Invocation, options: &Options) -> Result<(), Failure> {
    let app = invocation.app(options.app.as_deref(), "--app").await?;
    let diff = Diff::read(invocation, &app, options.from, options.to).await?;
    match invocation.json {
        true => output::json(&diff),
        false => diff.print(usize::MAX),
    }
}

impl Diff {
    /// What makes one version of another, or the latest.
    pub(super) async fn read(
        invocation: &Invocation,
        app: &App,
        from: u64,
        to: Option<u64>,
    ) -> Result<Self, Failure> {
        let to = to.map_or_else(String::new, |to| format!("?to={to}"));
        let path = format!("{}/versions/{from}/diff{to}", app.access_list_path());
        invocation.client.read(&path).await
    }

    /// Whether both versions are the same.
    pub(super) fn is_empty(&self) -> bool {
        self.added.is_empty() && self.removed.is_empty() && self.changed.is_empty()
    }

    /// Prints it for people, so many lines of each kind.
    pub(super) fn print(&self, most: usize) -> Result<(), Failure> {
        let Self { from, to, added, removed, changed } = self;
        if self.is_empty() {
            return output::line(&format!("Versions {from} and {to} are the same"));
        }
        output::line(&format!("--- version {from}\n+++ version {to}"))?;
        print_some('-', removed, most, Line::text)?;
        print_some('~', changed, most, Changed::text)?;
        print_some('+', added, most, Line::text)
    }
}

fn print_some<T>(
    sign: char,
    items: &[T],
    most: usize,
    text: impl Fn(&T) -> String,
) -> Result<(), Failure> {
    for item in items.iter().take(most) {
        output::line(&format!("{sign} {}", output::harmless(&text(item))))?;
    }
    match items.len().saturating_sub(most) {
        0 => Ok(()),
        more => output::line(&format!("{sign} and {more} more; `filterctl diff` shows all")),
    }
}

impl Line {
    fn text(&self) -> String {
        let Self { address, comment, enabled, expires } = self;
        let mut text = address.clone();
        if !comment.is_empty() {
            text.push_str(&format!("  {comment}"));
        }
        if !enabled {
            text.push_str("  (disabled)");
        }
        if let Some(expires) = expires {
            text.push_str(&format!("  (until {expires})"));
        }
        text
    }
}

impl Changed {
    /// The address, and what is no longer as it was.
    fn text(&self) -> String {
        let Self { from, to } = self;
        let mut changes = Vec::new();
        if from.address != to.address {
            changes.push(format!("is now {}", to.address));
        }
        if from.comment != to.comment {
            changes.push(format!("comment {:?} is now {:?}", from.comment, to.comment));
        }
        if from.enabled != to.enabled {
            changes.push(if to.enabled { "enabled" } else { "disabled" }.to_owned());
        }
        if from.expires != to.expires {
            changes.push(match &to.expires {
                Some(expires) => format!("until {expires}"),
                None => "without an end".to_owned(),
            });
        }
        if changes.is_empty() {
            // Both versions were written; by whom is not in here.
            changes.push("written again".to_owned());
        }
        format!("{}  {}", from.address, changes.join(", "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(address: &str, comment: &str, enabled: bool, expires: Option<&str>) -> Line {
        let (address, comment) = (address.to_owned(), comment.to_owned());
        Line { address, comment, enabled, expires: expires.map(str::to_owned) }
    }

    #[test]
    fn lines_say_what_is_there() {
        let end = Some("2026-03-01T00:00:00Z");
        for (line, expected) in [
            (line("::1", "", true, None), "::1"),
            (line("10.0.0.0/8", "office", true, None), "10.0.0.0/8  office"),
            (line("::1", "", false, end), "::1  (disabled)  (until 2026-03-01T00:00:00Z)"),
        ] {
            assert_eq!(line.text(), expected);
        }
    }

    #[test]
    fn changes_say_what_is_different() {
        let end = Some("2026-03-01T00:00:00Z");
        for (from, to, expected) in [
            (line("::1", "", true, None), line("::2", "", true, None), "::1  is now ::2"),
            (
                line("::1", "a", true, end),
                line("::1", "b", false, None),
                "::1  comment \"a\" is now \"b\", disabled, without an end",
            ),
            (
                line("::1", "a", false, None),
                line("::1", "a", true, end),
                "::1  enabled, until 2026-03-01T00:00:00Z",
            ),
            (line("::1", "a", true, None), line("::1", "a", true, None), "::1  written again"),
        ] {
            assert_eq!(Changed { from, to }.text(), expected);
        }
    }
}
