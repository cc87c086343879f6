//! A list of addresses in a file: its bytes, and what is said when they are
//! no list.

use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use super::failure::Failure;
use super::{file_fault, output, terminal};
use crate::feed::{self, Feed, FeedError, Reading, Source};

/// The name of standard input among files.
pub(super) const STANDARD_INPUT: &str = "-";

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
        FeedError::Faults(faults) => file_fault::refusal(name, faults),
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
