//! `filterctl accesslist export`.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use crate::cli::answers::{Entry, EntryList};
use crate::cli::failure::Failure;
use crate::cli::invocation::Invocation;
use crate::cli::written_file;
use crate::feed::{self, Export};

/// What to export, and how.
#[derive(Args, Debug)]
pub(in crate::cli) struct Options {
    /// The app: its id, its name, or the beginning of its client app id
    #[arg(short, long)]
    app: Option<String>,

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
    /// One address a line with its comment, in the order of the list
    Text,
    /// JSON with everything that belongs to an entry: import it to have the
    /// same list again
    Full,
}

/// Writes or prints the list.
pub(super) async fn run(invocation: &Invocation, options: &Options) -> Result<(), Failure> {
    let app = invocation.app(options.app.as_deref(), "--app").await?;
    let list: EntryList = invocation.client.read(&app.access_list_path()).await?;
    let entries: Vec<&Entry> = match options.format {
        Form::Full => list.entries.iter().collect(),
        Form::Json | Form::Csv | Form::Text => admitting(invocation, &list),
    };
    let text = write(options.format, &entries);
    let what = format!("the access list of {}, {} entries,", app.client_app_id, entries.len());
    written_file::put(invocation, options.output.as_deref(), text.as_bytes(), &what)
}

/// The entries that let somebody in: a mere address says nothing else.
fn admitting<'a>(invocation: &Invocation, list: &'a EntryList) -> Vec<&'a Entry> {
    let entries: Vec<_> = list.entries.iter().filter(|entry| entry.enabled).collect();
    let disabled = list.entries.len() - entries.len();
    let ending = entries.iter().filter(|entry| entry.expires.is_some()).count();
    for (count, what) in [
        (disabled, "disabled entries are left out"),
        (ending, "entries that end by themselves are written without their end"),
    ] {
        if count > 0 {
            invocation.warn(&format!("{count} {what}: --format full keeps everything"));
        }
    }
    entries
}

fn write(form: Form, entries: &[&Entry]) -> String {
    let exports: Vec<Export<'_>> = entries
        .iter()
        .map(|entry| Export {
            address: &entry.address,
            comment: &entry.comment,
            enabled: entry.enabled,
            expires: entry.expires.as_deref(),
        })
        .collect();
    let addresses = || exports.iter().map(|entry| entry.address).collect::<Vec<_>>();
    match form {
        Form::Json => feed::flat_json(&addresses()),
        Form::Csv => feed::flat_csv(&addresses()),
        Form::Text => feed::text(&exports),
        Form::Full => feed::full(&exports),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_form_writes_what_it_says() {
        let list: EntryList = serde_json::from_str(
            r#"{"version":3,"entries":[
                {"_id":"1","address":"9.9.9.9","comment":"a\nb","enabled":true,"expires":null,
                 "author":"root","created":"","changed":"","status":"applied"},
                {"_id":"2","address":"10.0.0.0/8","comment":"","enabled":true,
                 "expires":"2040-01-01T00:00:00Z",
                 "author":"root","created":"","changed":"","status":"applied"}]}"#,
        )
        .expect("an answer");
        let entries: Vec<&Entry> = list.entries.iter().collect();
        let flat = "[\n  \"10.0.0.0/8\",\n  \"9.9.9.9\"\n]\n";
        assert_eq!(write(Form::Json, &entries), flat);
        assert_eq!(write(Form::Csv, &entries), "10.0.0.0/8\n9.9.9.9\n");
        assert_eq!(write(Form::Text, &entries), "9.9.9.9  # a b\n10.0.0.0/8\n");
        let full: serde_json::Value =
            serde_json::from_str(&write(Form::Full, &entries)).expect("JSON");
        assert_eq!(full["entries"][0]["comment"], "a\nb");
        assert_eq!(full["entries"][1]["expires"], "2040-01-01T00:00:00Z");
        assert_eq!(write(Form::Json, &[]), "[]\n");
    }
}
