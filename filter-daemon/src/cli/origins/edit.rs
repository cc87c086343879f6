//! `filterctl origins add` and `remove`.
//!
//! The daemon works the change out from the origins that there are: what
//! others change at the same time is not lost.

use hyper::Method;
use serde::Serialize;

use super::Origins;
use crate::cli::answers::App;
use crate::cli::failure::Failure;
use crate::cli::invocation::Invocation;
use crate::origin::Origin;

#[derive(Default, Serialize)]
struct Body<'a> {
    add: Vec<&'a str>,
    remove: Vec<&'a str>,
}

/// Allows more origins.
pub(super) async fn add(invocation: &Invocation, wanted: &Origins) -> Result<(), Failure> {
    let app = invocation.app(wanted.app.as_deref(), "--app").await?;
    let body = Body { add: super::distinct(&wanted.origins), ..Body::default() };
    send(invocation, wanted, &app, &body).await
}

/// Allows origins no longer.
pub(super) async fn remove(invocation: &Invocation, wanted: &Origins) -> Result<(), Failure> {
    let app = invocation.app(wanted.app.as_deref(), "--app").await?;
    if leaves_none(&app, &wanted.origins) {
        super::confirm_every_origin(invocation, &app)?;
    }
    let body = Body { remove: super::distinct(&wanted.origins), ..Body::default() };
    send(invocation, wanted, &app, &body).await
}

async fn send(
    invocation: &Invocation,
    wanted: &Origins,
    app: &App,
    body: &Body<'_>,
) -> Result<(), Failure> {
    let path = format!("{}/origins", app.path());
    let terms = wanted.reason.of_version(None);
    let saved = invocation.change_on(&terms, Method::POST, &path, Some(body)).await?;
    super::show(invocation, &saved)
}

fn leaves_none(app: &App, unwanted: &[Origin]) -> bool {
    let goes = |listed: &String| unwanted.iter().any(|origin| origin.is(listed));
    !app.origins.is_empty() && app.origins.iter().all(goes)
}
