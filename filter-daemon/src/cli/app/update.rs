//! `filterctl app update`.

use clap::Args;
use hyper::Method;
use serde::Serialize;

use super::show;
use crate::access_list::Prefix;
use crate::app::{Mode, Scope, parse_mode};
use crate::cli::answers::App;
use crate::cli::failure::Failure;
use crate::cli::invocation::Invocation;
use crate::cli::output;

/// What an app shall be.
#[derive(Args, Debug)]
pub(in crate::cli) struct Options {
    /// The app: its id, its name, or the beginning of its client app id
    app: Option<String>,

    /// Its new name
    #[arg(long)]
    name: Option<String>,

    /// What a refusal does: enforce, observe (count only) or off
    #[arg(long, value_parser = parse_mode)]
    mode: Option<Mode>,

    /// All of its scopes, in place of those it has; repeat for several
    #[arg(long = "scope", value_name = "TEXT")]
    scopes: Vec<Scope>,

    /// Take all of its scopes away: it holds no packet then
    #[arg(long, conflicts_with = "scopes")]
    no_scope: bool,

    /// All of its trusted hops, in place of those it has; repeat for several
    #[arg(long = "trusted-hop", value_name = "CIDR")]
    trusted_hops: Vec<Prefix>,

    /// Take all of its trusted hops away
    #[arg(long, conflicts_with = "trusted_hops")]
    no_trusted_hop: bool,
}

#[derive(Serialize)]
struct Body {
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    mode: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    scopes: Option<Vec<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    trusted_hops: Option<Vec<String>>,
}

impl Options {
    fn body(&self) -> Option<Body> {
        let body = Body {
            name: self.name.clone(),
            mode: self.mode.map(Mode::name),
            scopes: whole_list(&self.scopes, self.no_scope),
            trusted_hops: whole_list(&self.trusted_hops, self.no_trusted_hop),
        };
        let changes = body.name.is_some()
            || body.mode.is_some()
            || body.scopes.is_some()
            || body.trusted_hops.is_some();
        changes.then_some(body)
    }
}

fn whole_list<T: ToString>(given: &[T], none: bool) -> Option<Vec<String>> {
    (none || !given.is_empty()).then(|| given.iter().map(T::to_string).collect())
}

/// Changes it.
pub(super) async fn run(invocation: &Invocation, options: &Options) -> Result<(), Failure> {
    let body = options.body().ok_or_else(|| {
        Failure::usage("must set one of --name, --mode, --scope, --no-scope, --trusted-hop, --no-trusted-hop when updating an app")
    })?;
    let app = invocation.app(options.app.as_deref(), "APP").await?;
    let saved = invocation.change(Method::PATCH, &app.path(), Some(&body)).await?;
    let app: App = saved.parse()?;
    if invocation.json {
        output::json(&app)?;
    } else {
        output::line("Successfully updated app")?;
        show::print(&app)?;
        saved.tell_closed()?;
    }
    saved.in_force()
}
