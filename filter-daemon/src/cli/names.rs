//! `filterctl names`: the server names that the proxy answers to for an app.

use clap::{Args, Subcommand};
use hyper::Method;
use serde::Serialize;

use super::answers::App;
use super::failure::Failure;
use super::invocation::Invocation;
use super::output;
use crate::app::ProxyDocument;
use crate::server_name::ServerName;

/// What to do.
#[derive(Debug, Subcommand)]
pub(super) enum Task {
    /// List an app's server names
    #[command(visible_alias = "ls")]
    List(AppOption),
    /// Put these names in the place of all that the app has
    Set(Names),
    /// Add names
    Add(Names),
    /// Take names off
    Remove(Names),
}

/// Which app.
#[derive(Args, Debug)]
pub(super) struct AppOption {
    /// The app: its id, its name, or the beginning of its client app id
    #[arg(short, long)]
    app: Option<String>,
}

/// Which names of which app.
#[derive(Args, Debug)]
pub(super) struct Names {
    #[command(flatten)]
    app: AppOption,

    /// Names such as app.example.com, or *.example.com for all below
    #[arg(required = true, value_name = "NAME", value_parser = ServerName::parse)]
    names: Vec<ServerName>,
}

#[derive(Serialize)]
struct Body {
    proxy: ProxyDocument,
}

impl Task {
    /// What a failure is said to be a failure of.
    pub(super) fn title(&self) -> &'static str {
        match self {
            Self::List(_) => "list",
            Self::Set(_) => "set",
            Self::Add(_) => "add",
            Self::Remove(_) => "remove",
        }
    }
}

/// Does it.
pub(super) async fn run(invocation: &Invocation, task: &Task) -> Result<(), Failure> {
    match task {
        Task::List(options) => {
            let app = invocation.app(options.app.as_deref(), "--app").await?;
            show(invocation, &app)
        }
        Task::Set(given) => change(invocation, given, |_| Ok(given.names.clone())).await,
        Task::Add(given) => change(invocation, given, |names| Ok(with(names, given))).await,
        Task::Remove(given) => change(invocation, given, |names| without(names, given)).await,
    }
}

async fn change(
    invocation: &Invocation,
    given: &Names,
    change: impl FnOnce(Vec<ServerName>) -> Result<Vec<ServerName>, Failure>,
) -> Result<(), Failure> {
    let app = invocation.app(given.app.app.as_deref(), "--app").await?;
    let names = app.proxy.names.iter().map(|text| ServerName::parse(text));
    let names = names.collect::<Result<_, _>>().map_err(|error| Failure::new(error.to_string()))?;
    let names = change(names)?.iter().map(ToString::to_string).collect();
    let body = Body { proxy: ProxyDocument { names, ..app.proxy.clone() } };
    let saved = invocation.change(Method::PATCH, &app.path(), Some(&body)).await?;
    let app: App = saved.parse()?;
    show(invocation, &app)?;
    if !invocation.json {
        saved.tell_closed()?;
    }
    saved.in_force()
}

fn with(mut names: Vec<ServerName>, given: &Names) -> Vec<ServerName> {
    for name in &given.names {
        if !names.iter().any(|known| known.is_same(name)) {
            names.push(name.clone());
        }
    }
    names
}

fn without(mut names: Vec<ServerName>, given: &Names) -> Result<Vec<ServerName>, Failure> {
    for name in &given.names {
        let before = names.len();
        names.retain(|known| !known.is_same(name));
        if names.len() == before {
            return Err(Failure::new(format!("{name} is none of the app's server names"))
                .with_advice("`filterctl names list` shows them. Nothing was changed."));
        }
    }
    Ok(names)
}

fn show(invocation: &Invocation, app: &App) -> Result<(), Failure> {
    let names = &app.proxy.names;
    if invocation.json {
        return output::json(names);
    }
    if names.is_empty() {
        return output::line("No server names: the proxy does nothing for this app");
    }
    for name in names {
        output::line(&output::harmless(name))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(texts: &[&str]) -> Vec<ServerName> {
        texts.iter().map(|text| ServerName::parse(text).expect("a name")).collect()
    }

    #[test]
    fn names_are_added_once_and_taken_off_however_they_are_written() {
        let given = |texts| Names { app: AppOption { app: None }, names: names(texts) };
        let all = with(names(&["a.example.com"]), &given(&["A.example.com.", "*.b.example.com"]));
        assert_eq!(all, names(&["a.example.com", "*.b.example.com"]));
        let left = without(all.clone(), &given(&["A.EXAMPLE.COM"])).map_err(|f| f.why().to_owned());
        assert_eq!(left.expect("there"), names(&["*.b.example.com"]));
        assert!(without(all, &given(&["b.example.com"])).is_err());
    }
}
