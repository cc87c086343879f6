//! HTTP to the daemon over its control socket.
//!
//! Owns the connection, one a call, and the reading of errors. Knows no paths.

use std::io;
use std::path::PathBuf;
use std::time::Duration;

use http_body_util::{BodyExt as _, Full};
use hyper::body::{Bytes, Incoming};
use hyper::client::conn::http1;
use hyper::header::{CONTENT_TYPE, HOST, HeaderMap, HeaderValue};
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use tokio::net::UnixStream;

use super::failure::Failure;

/// The daemon answers a change within 30 seconds of taking it; a list of a
/// million entries takes a while to be taken.
const PATIENCE: Duration = Duration::from_secs(300);

/// What only reads begins to be answered at once.
const READ_PATIENCE: Duration = Duration::from_secs(20);

const START_IT: &str = "Start it with `systemctl start filterd`; \
    `journalctl -u filterd` shows why it stopped. Name another socket with --socket.";

/// The way to the daemon.
#[derive(Debug)]
pub(super) struct Client {
    socket: PathBuf,
    group: Option<String>,
}

/// One call.
#[derive(Debug)]
pub(super) struct Call<'a> {
    method: Method,
    path: &'a str,
    headers: HeaderMap,
    body: Bytes,
}

/// What the daemon answered, a success.
#[derive(Debug)]
pub(super) struct Answer {
    headers: HeaderMap,
    body: Bytes,
}

#[derive(Deserialize)]
struct ErrorBody {
    error: String,
    error_code: Option<String>,
}

impl<'a> Call<'a> {
    /// A call without a body.
    pub(super) fn new(method: Method, path: &'a str) -> Self {
        Self { method, path, headers: HeaderMap::new(), body: Bytes::new() }
    }

    /// The same call with a JSON body.
    pub(super) fn with_body(mut self, body: Bytes) -> Self {
        self.body = body;
        self
    }

    /// The same call with another header.
    pub(super) fn with_header(mut self, name: &'static str, text: &str) -> Result<Self, Failure> {
        // UTF-8 is not forbidden in a header, only unusual.
        let value = HeaderValue::from_bytes(text.as_bytes())
            .map_err(|_| Failure::new(format!("{text:?} cannot be sent as {name}")))?;
        self.headers.insert(name, value);
        Ok(self)
    }

    fn into_request(self) -> Result<Request<Full<Bytes>>, Failure> {
        let request = Request::builder()
            .method(self.method)
            .uri(self.path)
            .header(HOST, "filterd")
            .header(CONTENT_TYPE, "application/json")
            .body(Full::new(self.body));
        let mut request =
            request.map_err(|error| Failure::new(format!("cannot call {}: {error}", self.path)))?;
        request.headers_mut().extend(self.headers);
        Ok(request)
    }
}

impl Answer {
    /// The body as what it should be.
    pub(super) fn parse<T: DeserializeOwned>(&self) -> Result<T, Failure> {
        serde_json::from_slice(&self.body).map_err(|error| {
            Failure::new(format!("filterd's answer is not understood: {error}"))
                .with_advice("filterctl and filterd must be of the same version.")
        })
    }

    /// The body as it is.
    pub(super) fn bytes(&self) -> &[u8] {
        &self.body
    }

    /// A header as text.
    pub(super) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }
}

impl Client {
    /// A client of the daemon behind a socket; the group is the one that may
    /// use it.
    pub(super) fn new(socket: PathBuf, group: Option<String>) -> Self {
        Self { socket, group }
    }

    /// Reads.
    pub(super) async fn read<T: DeserializeOwned>(&self, path: &str) -> Result<T, Failure> {
        self.call(Call::new(Method::GET, path)).await?.parse()
    }

    /// Calls, and answers what came back if it was a success.
    pub(super) async fn call(&self, call: Call<'_>) -> Result<Answer, Failure> {
        let answer = async {
            let (parts, body) = self.send(call).await?.into_parts();
            let body = body.collect().await.map_err(|error| self.cut_off(&error))?.to_bytes();
            if parts.status.is_success() {
                return Ok(Answer { headers: parts.headers, body });
            }
            Err(refusal(parts.status, &body))
        };
        in_time(PATIENCE, answer).await
    }

    /// Reads an answer that has no end, piece by piece.
    pub(super) async fn follow(&self, path: &str) -> Result<Incoming, Failure> {
        let response = self.send(Call::new(Method::GET, path)).await?;
        let (parts, body) = response.into_parts();
        if parts.status.is_success() {
            return Ok(body);
        }
        let body = body.collect().await.map_err(|error| self.cut_off(&error))?;
        Err(refusal(parts.status, &body.to_bytes()))
    }

    /// Sends a call, and waits for the head of its answer.
    async fn send(&self, call: Call<'_>) -> Result<Response<Incoming>, Failure> {
        let patience = if call.method == Method::GET { READ_PATIENCE } else { PATIENCE };
        in_time(patience, self.send_now(call)).await
    }

    async fn send_now(&self, call: Call<'_>) -> Result<Response<Incoming>, Failure> {
        let request = call.into_request()?;
        let stream = UnixStream::connect(&self.socket).await;
        let stream = stream.map_err(|error| self.no_connection(&error))?;
        let (mut sender, connection) =
            http1::handshake(TokioIo::new(stream)).await.map_err(|error| self.cut_off(&error))?;
        // Its errors come back through the sender too.
        tokio::spawn(connection);
        sender.send_request(request).await.map_err(|error| self.cut_off(&error))
    }

    /// A connection that ended in the middle.
    pub(super) fn cut_off(&self, error: &hyper::Error) -> Failure {
        let socket = self.socket.display();
        Failure::unreachable(format!("the connection to filterd ({socket}) broke: {error}"))
            .with_advice(START_IT)
    }

    fn no_connection(&self, error: &io::Error) -> Failure {
        let socket = self.socket.display();
        if error.kind() == io::ErrorKind::PermissionDenied {
            let allowed = match &self.group {
                Some(group) => format!("only root and members of the group {group} may use it"),
                None => "only root may use it".to_owned(),
            };
            return Failure::unreachable(format!("no access to the control socket {socket}"))
                .with_code("NoAccess")
                .with_advice(format!(
                    "By filterd's configuration {allowed} (setting [control] group): \
                     use sudo, or join the group and log in again."
                ));
        }
        let gone = [io::ErrorKind::NotFound, io::ErrorKind::ConnectionRefused];
        let why = match gone.contains(&error.kind()) {
            true => format!("filterd is not running: nobody listens on {socket} ({error})"),
            false => format!("filterd cannot be reached on {socket}: {error}"),
        };
        Failure::unreachable(why).with_advice(START_IT)
    }
}

/// Waits for an answer no longer than there is patience.
pub(super) async fn in_time<T>(
    patience: Duration,
    work: impl Future<Output = Result<T, Failure>>,
) -> Result<T, Failure> {
    tokio::time::timeout(patience, work).await.unwrap_or_else(|_| {
        let seconds = patience.as_secs();
        Err(Failure::unreachable(format!("filterd has not answered for {seconds} seconds"))
            .with_advice("`journalctl -u filterd` may show what it is doing."))
    })
}

fn refusal(status: StatusCode, body: &[u8]) -> Failure {
    match serde_json::from_slice::<ErrorBody>(body) {
        Ok(ErrorBody { error, error_code: Some(code) }) if code == "VersionMismatch" => {
            Failure::outdated(error)
        }
        Ok(ErrorBody { error, error_code: Some(code) }) => Failure::new(error).with_code(code),
        Ok(ErrorBody { error, error_code: None }) => Failure::new(error),
        Err(_) if body.is_empty() => Failure::new(format!("filterd answered {status}")),
        Err(_) => Failure::new(String::from_utf8_lossy(body).trim().to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::failure::Kind;

    #[test]
    fn refusals_are_read_whatever_their_form() {
        let named =
            refusal(StatusCode::CONFLICT, br#"{"error":"no","error_code":"ScopeConflict"}"#);
        assert!(named.has_code("ScopeConflict") && named.why() == "no");
        assert_eq!(refusal(StatusCode::NOT_FOUND, br#"{"error":"gone"}"#).why(), "gone");
        assert_eq!(refusal(StatusCode::BAD_GATEWAY, b"oops\n").why(), "oops");
        let late = br#"{"error":"it is at 4","error_code":"VersionMismatch"}"#;
        assert_eq!(refusal(StatusCode::PRECONDITION_FAILED, late).kind(), Kind::Outdated);
        let empty = refusal(StatusCode::INTERNAL_SERVER_ERROR, b"");
        assert_eq!(empty.why(), "filterd answered 500 Internal Server Error");
    }
}
