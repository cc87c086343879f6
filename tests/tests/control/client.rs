//! A client that may do anything, and a daemon to do it to.

use std::io::{ErrorKind, Read, Write};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::Duration;

use filter_tests::daemon::{Configuration, Installation};
use filter_tests::deadline::PATIENCE;
use filter_tests::namespace::Namespace;
use filter_tests::world::HOST_INTERFACE;

/// A namespace with one interface, and an installation that filters on it.
pub(crate) fn stage(change: impl FnOnce(&mut Configuration)) -> (Namespace, Installation) {
    let namespace = Namespace::new();
    namespace.ip(&format!("link add {HOST_INTERFACE} type veth peer name out0"));
    let mut configuration = Configuration::on(HOST_INTERFACE, "auto");
    change(&mut configuration);
    (namespace, Installation::new(configuration))
}

pub(crate) fn connect(socket: &Path) -> UnixStream {
    let stream = UnixStream::connect(socket).expect("the socket takes connections");
    stream.set_read_timeout(Some(PATIENCE)).expect("an option");
    stream.set_write_timeout(Some(PATIENCE)).expect("an option");
    stream
}

/// How a conversation ended.
#[derive(Debug)]
pub(crate) enum End {
    /// The daemon answered with a status.
    Status(u16),
    /// It closed without an answer.
    Closed,
}

/// Reads what the daemon says until it closes or has said a status line.
pub(crate) fn end_of(stream: &mut UnixStream) -> End {
    let mut bytes = Vec::new();
    let mut chunk = [0; 1024];
    loop {
        match stream.read(&mut chunk) {
            Ok(0) => break,
            Ok(length) => bytes.extend_from_slice(&chunk[..length]),
            Err(error) if error.kind() == ErrorKind::ConnectionReset => break,
            Err(error) => panic!("neither an answer nor an end: {error}"),
        }
        if let Some(status) = status(&bytes) {
            return End::Status(status);
        }
    }
    status(&bytes).map_or(End::Closed, End::Status)
}

fn status(bytes: &[u8]) -> Option<u16> {
    let text = std::str::from_utf8(bytes.get(..12)?).ok()?;
    text.strip_prefix("HTTP/1.")?.get(2..)?.parse().ok()
}

/// Writes as long as the daemon reads; answers how much it took.
pub(crate) fn pour(stream: &mut UnixStream, chunk: &[u8], most_bytes: usize) -> usize {
    stream.set_write_timeout(Some(Duration::from_secs(60))).expect("an option");
    let mut written = 0;
    while written < most_bytes {
        match stream.write(chunk) {
            Ok(length) => written += length,
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(_) => break,
        }
    }
    written
}
