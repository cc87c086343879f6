//! The file of an import: its bytes, and what is said when they are no list.

use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use super::STANDARD_INPUT;
use crate::cli::failure::Failure;
use crate::cli::{output, terminal};
use crate::feed::{self, Faults, Feed, FeedError, Reading, Source};

/// More faults than this help nobody.
const FAULTS_SHOWN: usize = 20;

/// Counts what is read through it.
struct Counted<R> {
    inner: R,
    bytes: Arc<AtomicU64>,
}

impl<R: Read> Read for Counted<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let length = self.inner.read(buffer)?;
        self.bytes.fetch_add(length as u64, Ordering::Relaxed);
        Ok(length)
    }
}

/// Reads a file as a feed.
pub(super) async fn read(name: &str, file: &Path, reading: Reading) -> Result<Feed, Failure> {
    let read_bytes = Arc::new(AtomicU64::new(0));
    let work = {
        let (file, read_bytes) = (file.to_owned(), Arc::clone(&read_bytes));
        tokio::task::spawn_blocking(move || read_all(&file, read_bytes, &reading))
    };
    let read = terminal::wait_for_bytes("reading the list", read_bytes, work).await;
    let read = read.map_err(io::Error::from).flatten();
    let feed = read.map_err(|why| Failure::new(format!("{name}: {why}")))?;
    feed.map_err(|error| refusal(name, &error))
}

fn read_all(
    file: &PathBuf,
    bytes: Arc<AtomicU64>,
    reading: &Reading,
) -> io::Result<Result<Feed, FeedError>> {
    let mut content = Vec::new();
    if file == Path::new(STANDARD_INPUT) {
        Counted { inner: io::stdin().lock(), bytes }.read_to_end(&mut content)?;
        return Ok(feed::read(&Source { name: None, bytes: &content }, reading));
    }
    Counted { inner: File::open(file)?, bytes }.read_to_end(&mut content)?;
    let name = file.file_name().map(|name| name.to_string_lossy());
    Ok(feed::read(&Source { name: name.as_deref(), bytes: &content }, reading))
}

fn refusal(name: &str, error: &FeedError) -> Failure {
    match error {
        FeedError::Faults(faults) => Failure::new(listing(name, faults))
            .with_code("InvalidFile")
            .with_advice("Nothing was changed."),
        FeedError::BlockList(list) => {
            Failure::new(format!("{name}: {}", output::harmless(&list.to_string())))
                .with_code("BlockList")
                .with_advice("Nothing was changed. --force imports it as it is listed.")
        }
        FeedError::Filter(error) => {
            Failure::new(format!("{name}: {}", output::harmless(&error.to_string())))
                .with_code("InvalidFilter")
                .with_advice("Nothing was changed.")
        }
    }
}

fn listing(name: &str, faults: &Faults) -> String {
    let count = faults.count();
    let mut lines = vec![format!("{count} fault(s) in {name}:")];
    for fault in faults.told.iter().take(FAULTS_SHOWN) {
        let path = match fault.path.as_str() {
            "" => String::new(),
            path => format!(" {path}:"),
        };
        lines.push(output::harmless(&format!("{name}:{}:{path} {}", fault.line, fault.why)));
    }
    if count > FAULTS_SHOWN {
        lines.push(format!("and {} more", count - FAULTS_SHOWN));
    }
    lines.join("\n")
}
