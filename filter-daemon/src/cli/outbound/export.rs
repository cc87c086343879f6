//! `filterctl outbound export`.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use hyper::Method;

use crate::cli::client::Call;
use crate::cli::failure::Failure;
use crate::cli::invocation::Invocation;
use crate::cli::written_file;

/// Which ones, and how.
#[derive(Args, Debug)]
pub(in crate::cli) struct Options {
    /// Only those with this label
    #[arg(long, value_parser = label)]
    label: Option<String>,

    /// The form
    #[arg(long, value_enum, default_value_t = Form::Json)]
    format: Form,

    /// The file to write, as a whole or not at all [default: standard output]
    #[arg(long, value_name = "FILE")]
    output: Option<PathBuf>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Form {
    /// An array of the addresses, sorted
    Json,
    /// One address a line, sorted
    Csv,
}

/// Writes or prints what the daemon serves.
pub(super) async fn run(invocation: &Invocation, options: &Options) -> Result<(), Failure> {
    let extension = match options.format {
        Form::Json => "json",
        Form::Csv => "csv",
    };
    let (path, what) = match &options.label {
        Some(label) => {
            (format!("outbound/{label}.{extension}"), format!("the outbound addresses of {label}"))
        }
        None => (format!("outbound.{extension}"), "all outbound addresses".to_owned()),
    };
    let path = format!("/api/filter/v1/{path}");
    let answer = invocation.client.call(Call::new(Method::GET, &path)).await?;
    written_file::put(invocation, options.output.as_deref(), answer.bytes(), &what)
}

/// A label goes into a path as it is.
fn label(text: &str) -> Result<String, String> {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    match !text.is_empty() && text.chars().all(is_plain) {
        true => Ok(text.to_owned()),
        false => Err("a label has letters, digits, - and _".to_owned()),
    }
}
