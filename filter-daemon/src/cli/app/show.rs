//! `filterctl app list` and `show`.

use crate::cli::answers::App;
use crate::cli::failure::Failure;
use crate::cli::invocation::Invocation;
use crate::cli::output::{self, Columns};

/// Lists all apps.
pub(super) async fn list(invocation: &Invocation) -> Result<(), Failure> {
    let apps = invocation.apps().await?;
    if invocation.json {
        return output::json(&apps);
    }
    if apps.is_empty() {
        return output::line("No available apps to show");
    }
    output::line(&format!("Found {} app(s)", apps.len()))?;
    let mut table = Columns::new(["App", "Mode", "Scopes", "Entries", "ID"]);
    for app in &apps {
        let entries = app.entries.to_string();
        table.row([&app.client_app_id, &app.mode, &scopes(&app.scopes), &entries, &app.id]);
    }
    table.print()
}

/// Shows one.
pub(super) async fn run(invocation: &Invocation, wanted: Option<&str>) -> Result<(), Failure> {
    let app = invocation.app(wanted, "APP").await?;
    if invocation.json {
        return output::json(&app);
    }
    print(&app)
}

/// Prints everything about an app.
pub(super) fn print(app: &App) -> Result<(), Failure> {
    let hops = match app.trusted_hops.is_empty() {
        true => "none".to_owned(),
        false => app.trusted_hops.join("  "),
    };
    let entries = format!("{}, version {} of the list", app.entries, app.version);
    for (name, value) in [
        ("App", app.client_app_id.as_str()),
        ("Name", &app.name),
        ("ID", &app.id),
        ("Group", &app.group_id),
        ("Mode", &app.mode),
        ("Scopes", &scopes(&app.scopes)),
        ("Trusted hops", &hops),
        ("Origins", &origins(app)),
        ("Entries", &entries),
    ] {
        output::line(&format!("{name:<14}{}", output::harmless(value)))?;
    }
    Ok(())
}

/// Scopes in one cell.
pub(in crate::cli) fn scopes(scopes: &[String]) -> String {
    match scopes {
        [] => "none: it holds no packet".to_owned(),
        scopes => scopes.join("  "),
    }
}

/// The allowed request origins in one line.
fn origins(app: &App) -> String {
    let listed = match app.origins.as_slice() {
        [] => "any".to_owned(),
        origins => origins.join("  "),
    };
    match app.require_origin {
        true => format!("{listed}; upgrades and unsafe methods need one"),
        false => listed,
    }
}
