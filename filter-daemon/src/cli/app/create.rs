//! `filterctl app create`.

use clap::Args;
use hyper::Method;
use serde::Serialize;

use crate::access_list::{Address, Prefix};
use crate::app::{Mode, Scope, parse_mode};
use crate::cli::answers::{App, NewEntry};
use crate::cli::failure::Failure;
use crate::cli::invocation::Invocation;
use crate::cli::{output, terminal};

/// What an app to be is.
#[derive(Args, Debug)]
pub(in crate::cli) struct Options {
    /// Its name: a letter, then letters, digits, `_` and `-`
    name: Option<String>,

    /// Packets that belong to it, such as `port=443,protocol=tcp`; repeat for
    /// several. Keys: port=, protocol=, to=, interface=; or `host` for all
    #[arg(long = "scope", value_name = "TEXT")]
    scopes: Vec<Scope>,

    /// What a refusal does: enforce, observe (count only) or off
    #[arg(long, value_parser = parse_mode)]
    mode: Option<Mode>,

    /// A source that passes before the list, such as a proxy in front of this
    /// host; repeat for several
    #[arg(long = "trusted-hop", value_name = "CIDR")]
    trusted_hops: Vec<Prefix>,

    /// The group that owns it, by name or id
    #[arg(long, value_name = "NAME|ID")]
    group: Option<String>,

    /// Start with an empty list, which lets nobody in [default: 0.0.0.0/0 and
    /// ::/0, which let everybody in]
    #[arg(long, conflicts_with = "allow")]
    empty: bool,

    /// Start with these addresses or CIDRs alone; repeat or separate by commas
    #[arg(long, value_name = "ADDRESS", value_delimiter = ',', value_parser = Address::parse)]
    allow: Vec<Address>,
}

#[derive(Serialize)]
struct Body<'a> {
    name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    mode: Option<&'static str>,
    scopes: Vec<String>,
    trusted_hops: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    entries: Option<Vec<NewEntry<'a>>>,
}

impl Options {
    fn entries(&self) -> Option<Vec<NewEntry<'_>>> {
        let entry = |address| NewEntry { address, ..NewEntry::default() };
        let texts = self.allow.iter().map(Address::text);
        (self.empty || !self.allow.is_empty()).then(|| texts.map(entry).collect())
    }
}

/// Makes it.
pub(super) async fn run(invocation: &Invocation, options: &Options) -> Result<(), Failure> {
    let name = match &options.name {
        Some(name) => name.clone(),
        None if invocation.is_attended() => terminal::ask_text("App Name", |_| Ok(()))?,
        None => return Err(Failure::usage("NAME is missing: name the app")),
    };
    let group = invocation.group(options.group.as_deref()).await?;
    let body = Body {
        name,
        mode: options.mode.map(Mode::name),
        scopes: options.scopes.iter().map(Scope::to_string).collect(),
        trusted_hops: options.trusted_hops.iter().map(Prefix::to_string).collect(),
        entries: options.entries(),
    };
    let saved = invocation.change(Method::POST, &group.apps_path(), Some(&body)).await?;
    let app: App = saved.parse()?;
    if invocation.json {
        output::json(&app)?;
    } else {
        output::line(&format!("Successfully created app, id: {}", app.client_app_id))?;
        output::line(&what_it_does(&app, body.entries.is_none()))?;
    }
    saved.in_force()
}

/// `is_open`: nothing was said about its list, so that everybody is let in.
fn what_it_does(app: &App, is_open: bool) -> String {
    let id = &app.client_app_id;
    if app.scopes.is_empty() {
        return format!(
            "It has no scope yet, so no packet belongs to it: \
             `filterctl app update {id} --scope port=443,protocol=tcp`"
        );
    }
    match app.entries {
        0 => format!(
            "Its list is empty and lets nobody in: `filterctl accesslist create --app {id}`"
        ),
        _ if is_open => format!(
            "Its list lets everybody in (0.0.0.0/0 and ::/0): `filterctl accesslist create --app {id}`, \
             then `filterctl accesslist delete --app {id} --ip 0.0.0.0/0 --ip ::/0`"
        ),
        1 => format!("Its list has one entry: `filterctl accesslist list --app {id}`"),
        entries => {
            format!("Its list has {entries} entries: `filterctl accesslist list --app {id}`")
        }
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Parser)]
    struct Line {
        #[command(flatten)]
        options: Options,
    }

    fn options(words: &[&str]) -> Result<Options, clap::Error> {
        let words = std::iter::once(&"create").chain(words);
        Line::try_parse_from(words).map(|line| line.options)
    }

    #[test]
    fn first_entries_are_default_empty_or_given() {
        let texts = |words: &[&str]| {
            let options = options(words).expect("valid");
            let text = |entry: NewEntry<'_>| entry.address.to_owned();
            options.entries().map(|list| list.into_iter().map(text).collect::<Vec<_>>())
        };
        assert_eq!(texts(&["web"]), None);
        assert_eq!(texts(&["web", "--empty"]), Some(vec![]));
        let three = texts(&["web", "--allow", "10.0.0.0/8,::1", "--allow", "192.0.2.1"]);
        assert_eq!(three, Some(vec!["10.0.0.0/8".into(), "::1".into(), "192.0.2.1".into()]));
        assert!(options(&["web", "--empty", "--allow", "::1"]).is_err());
    }

    #[test]
    fn scopes_keep_their_commas() {
        let options = options(&["web", "--scope", "port=443,protocol=tcp", "--scope", "port=53"]);
        assert_eq!(options.expect("valid").scopes.len(), 2);
    }

    #[test]
    fn faults_are_found_before_the_daemon_is_asked() {
        for words in [
            ["--scope", "port=x"],
            ["--mode", "strict"],
            ["--trusted-hop", "10.0.0.1/8"],
            ["--allow", "10.0.0.1/8"],
        ] {
            assert!(options(&words).is_err(), "{words:?}");
        }
    }
}
