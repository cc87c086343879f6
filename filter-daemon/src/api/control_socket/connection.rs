//! One connection: HTTP/1 with a limit on everything that a client could hold
//! back.

use std::time::Duration;

use axum::Router;
use hyper::Request;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::{Service as _, service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::UnixStream;
use tokio_io_timeout::TimeoutStream;
use tokio_util::sync::CancellationToken;

use crate::api::fault::Fault;
use crate::api::limits::{ANSWER_PATIENCE, HEAD_PATIENCE, LONGEST_HEAD_BYTES, MOST_HEADERS};
use crate::caller::Caller;

/// How long a client that is refused may take to notice.
const REFUSAL_PATIENCE: Duration = Duration::from_secs(1);

/// Serves the connection until the client leaves, or until the request that
/// is open at shutdown has its answer.
pub(super) async fn serve(
    stream: UnixStream,
    router: Router,
    caller: Caller,
    shutdown: &CancellationToken,
) {
    let mut stream = TimeoutStream::new(stream);
    stream.set_write_timeout(Some(ANSWER_PATIENCE));
    let service = service_fn(move |mut request: Request<Incoming>| {
        request.extensions_mut().insert(caller.from);
        request.extensions_mut().insert(caller.clone());
        TowerToHyperService::new(router.clone()).call(request)
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_PATIENCE)
        .max_headers(MOST_HEADERS)
        .max_buf_size(LONGEST_HEAD_BYTES)
        .serve_connection(TokioIo::new(Box::pin(stream)), service);
    tokio::pin!(connection);
    let ended = tokio::select! {
        ended = connection.as_mut() => ended,
        () = shutdown.cancelled() => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    if let Err(error) = ended {
        tracing::debug!(%error, "a connection to the control socket broke off");
    }
}

/// Answers before anything was asked, and closes. What the client sends is
/// read for a moment, so that it comes to read the answer.
pub(super) async fn refuse(mut stream: UnixStream, fault: &Fault) {
    let answer = async {
        stream.write_all(&response(fault)).await?;
        stream.shutdown().await?;
        let mut unread = [0; 4096];
        while stream.read(&mut unread).await? > 0 {}
        Ok::<_, std::io::Error>(())
    };
    match tokio::time::timeout(REFUSAL_PATIENCE, answer).await {
        Ok(Ok(())) | Err(_) => {}
        Ok(Err(error)) => tracing::debug!(%error, "a refused client did not read why"),
    }
}

fn response(fault: &Fault) -> Vec<u8> {
    let body = fault.body();
    let mut response = format!(
        "HTTP/1.1 {}\r\ncontent-type: application/json\r\ncontent-length: {}\r\nconnection: close\r\n\r\n",
        fault.status(),
        body.len()
    )
    .into_bytes();
    response.extend_from_slice(&body);
    response
}
