//! `filterctl app delete`.

use hyper::Method;
use serde_json::json;

use crate::cli::answers::App;
use crate::cli::failure::Failure;
use crate::cli::invocation::Invocation;
use crate::cli::output;

/// Removes an app, once that is confirmed.
pub(super) async fn run(invocation: &Invocation, wanted: Option<&str>) -> Result<(), Failure> {
    let app = invocation.app(wanted, "APP").await?;
    invocation.confirm(&question(&app))?;
    let saved = invocation.change(Method::DELETE, &app.path(), None::<&()>).await?;
    if invocation.json {
        output::json(&json!({ "deleted": app }))?;
    } else {
        output::line(&format!("Successfully deleted app, id: {}", app.client_app_id))?;
        saved.tell_closed()?;
    }
    saved.in_force()
}

fn question(app: &App) -> String {
    let what = format!("Delete {} with its {} entries?", app.client_app_id, app.entries);
    if app.scopes.is_empty() {
        return what;
    }
    let scopes = app.scopes.join("  ");
    format!("{what} Its packets ({scopes}) then belong to another app, or to none and pass.")
}
