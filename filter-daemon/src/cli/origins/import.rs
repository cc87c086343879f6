//! `filterctl origins import`.

use std::path::PathBuf;

use clap::Args;
use hyper::Method;
use serde_json::json;

use super::config_file;
use crate::cli::failure::Failure;
use crate::cli::file_fault;
use crate::cli::invocation::Invocation;
use crate::cli::terms::Reason;

/// Whose origins, and from where.
#[derive(Args, Debug)]
pub(in crate::cli) struct Options {
    /// The app: its id, its name, or the beginning of its client app id
    #[arg(short, long)]
    app: Option<String>,

    /// root_config.json, realm_config.json, config.json or stitch.json of an
    /// exported app: its allowed_request_origins are taken
    file: PathBuf,

    #[command(flatten)]
    reason: Reason,
}

/// Reads the file, and sends its origins as one change if it has no fault.
pub(super) async fn run(invocation: &Invocation, options: &Options) -> Result<(), Failure> {
    let name = options.file.display().to_string();
    let bytes = tokio::fs::read(&options.file).await;
    let bytes = bytes.map_err(|error| Failure::new(format!("{name}: {error}")))?;
    let origins =
        config_file::read(&bytes).map_err(|faults| file_fault::refusal(&name, &faults))?;
    let app = invocation.app(options.app.as_deref(), "--app").await?;
    if origins.is_empty() && !app.origins.is_empty() {
        super::confirm_every_origin(invocation, &app)?;
    }
    let body = json!({ "origins": super::distinct(&origins) });
    let terms = options.reason.of_version(None);
    let saved = invocation.change_on(&terms, Method::PATCH, &app.path(), Some(&body)).await?;
    super::show(invocation, &saved)
}
