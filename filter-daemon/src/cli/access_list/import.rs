//! `filterctl accesslist import`.

use std::fs::File;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

use clap::Args;
use hyper::Method;
use serde::Serialize;

use super::list_file::{self, Faults};
use crate::access_list::Address;
use crate::cli::answers::{Imported, NewEntry};
use crate::cli::failure::Failure;
use crate::cli::invocation::Invocation;
use crate::cli::{output, terminal};

/// What to import, and how.
#[derive(Args, Debug)]
pub(in crate::cli) struct Options {
    /// The app: its id, its name, or the beginning of its client app id
    #[arg(short, long)]
    app: Option<String>,

    /// A JSON array of addresses, or one address a line with `#` comment
    /// lines; `-` is standard input
    file: PathBuf,

    /// Take off every entry that is not in the file
    #[arg(long)]
    replace: bool,

    /// What the new entries are for
    #[arg(long, value_name = "TEXT")]
    comment: Option<String>,
}

/// More faults than this help nobody.
const FAULTS_SHOWN: usize = 20;

#[derive(Serialize)]
struct Body<'a> {
    entries: Vec<NewEntry<'a>>,
    replace: bool,
}

/// Reads the whole file, and sends it as one change if it has no fault.
pub(super) async fn run(invocation: &Invocation, options: &Options) -> Result<(), Failure> {
    if options.file == Path::new("-") && options.app.is_none() {
        return Err(Failure::usage("--app is missing: standard input is read as the list"));
    }
    let name = match options.file == Path::new("-") {
        true => "standard input".to_owned(),
        false => options.file.display().to_string(),
    };
    let addresses = read(&name, options.file.clone()).await?;
    let app = invocation.app(options.app.as_deref(), "--app").await?;
    let id = &app.client_app_id;
    if addresses.is_empty() && !options.replace {
        return Err(Failure::new(format!("{name} holds no address; nothing was changed")));
    }
    if addresses.is_empty() {
        let question = format!(
            "{name} holds no address: take every entry of {id} off, so that nobody gets in?"
        );
        invocation.confirm(&question)?;
    }
    let comment = options.comment.as_deref();
    let texts = addresses.iter().map(Address::text);
    let entries = texts.map(|address| NewEntry { address, comment }).collect();
    let body = Body { entries, replace: options.replace };
    let path = format!("{}/access_list/import", app.path());
    let saved = invocation.change(Method::POST, &path, Some(&body)).await?;
    let imported: Imported = saved.parse()?;
    if invocation.json {
        output::json(&imported)?;
    } else {
        let Imported { added, removed, unchanged } = imported;
        output::line(&format!(
            "Imported {name} into {id}: {added} added, {removed} removed, {unchanged} unchanged"
        ))?;
    }
    saved.in_force()
}

async fn read(name: &str, file: PathBuf) -> Result<Vec<Address>, Failure> {
    let reading = tokio::task::spawn_blocking(move || Ok(list_file::read(&bytes(&file)?)));
    let read = terminal::wait("reading the list", reading).await.map_err(io::Error::from);
    let list = read.flatten().map_err(|why| Failure::new(format!("{name}: {why}")))?;
    list.map_err(|faults| refusal(name, &faults))
}

fn bytes(file: &Path) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    match file == Path::new("-") {
        true => io::stdin().lock().read_to_end(&mut bytes)?,
        false => File::open(file)?.read_to_end(&mut bytes)?,
    };
    Ok(bytes)
}

fn refusal(name: &str, faults: &Faults) -> Failure {
    let count = faults.len();
    let mut lines: Vec<String> = faults
        .iter()
        .take(FAULTS_SHOWN)
        .map(|fault| format!("{name}:{}: {}", fault.line, output::harmless(&fault.why)))
        .collect();
    if count > FAULTS_SHOWN {
        lines.push(format!("and {} more", count - FAULTS_SHOWN));
    }
    Failure::new(format!("{count} fault(s) in {name}:\n{}", lines.join("\n")))
        .with_code("InvalidFile")
        .with_advice("Nothing was changed.")
}
