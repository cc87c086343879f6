//! One connection: the TLS handshake, then HTTP/1.1 or HTTP/2 with a limit on
//! everything that a client could hold back.

use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::Request;
use axum::response::Response;
use hyper::body::Incoming;
use hyper::service::{Service as _, service_fn};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto;
use hyper_util::service::TowerToHyperService;
use tokio::net::TcpStream;
use tokio_io_timeout::TimeoutStream;
use tokio_rustls::TlsAcceptor;
use tokio_util::sync::CancellationToken;

use super::pace::Pace;
use crate::api::limits::{ANSWER_PATIENCE, HEAD_PATIENCE, LONGEST_HEAD_BYTES, MOST_HEADERS};
use crate::caller::Source;
use crate::command::Session;

/// HTTP/2 as ALPN names it.
pub(super) const H2: &[u8] = b"h2";

/// Requests at a time over one HTTP/2 connection.
const MOST_STREAMS: u32 = 32;

/// How much a client may send over HTTP/2 that nobody has read yet. With all
/// places taken that is 128 MiB.
const UNREAD_BYTES: u32 = 512 << 10;

/// How long a client that asks for nothing may leave a ping unanswered.
const PING_PATIENCE: Duration = Duration::from_secs(20);

/// Serves the connection until the client leaves or gets nowhere, or until
/// the requests that are open at shutdown have their answers.
pub(super) async fn serve(
    stream: TcpStream,
    session: Session,
    acceptor: &TlsAcceptor,
    router: Router,
    shutdown: &CancellationToken,
) {
    let peer = session.peer;
    let _ = stream.set_nodelay(true);
    let mut stream = TimeoutStream::new(stream);
    stream.set_write_timeout(Some(ANSWER_PATIENCE));
    let handshake = tokio::time::timeout(HEAD_PATIENCE, acceptor.accept(Box::pin(stream)));
    let stream = match shutdown.run_until_cancelled(handshake).await {
        Some(Ok(Ok(stream))) => stream,
        Some(Ok(Err(error))) => return tracing::debug!(%peer, %error, "no TLS connection"),
        Some(Err(_)) => return tracing::debug!(%peer, "no TLS connection in time"),
        None => return,
    };
    let is_h2 = stream.get_ref().1.alpn_protocol() == Some(H2);
    let pace = Pace::new();
    let routes = TowerToHyperService::new(router);
    let service = service_fn(|request: Request<Incoming>| {
        let turn = pace.begin();
        let mut request = request.map(Body::new);
        request.extensions_mut().insert(Source::Address(session.peer.ip()));
        request.extensions_mut().insert(session);
        let answer = routes.call(request);
        async move { answer.await.map(|response: Response| turn.answer(response)) }
    });
    let builder = builder(is_h2);
    let connection = builder.serve_connection(TokioIo::new(stream), service);
    tokio::pin!(connection);
    let ended = tokio::select! {
        ended = connection.as_mut() => ended,
        () = shutdown.cancelled() => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
        () = pace.overdue() => {
            connection.as_mut().graceful_shutdown();
            let rest = tokio::time::timeout(HEAD_PATIENCE, connection).await;
            rest.unwrap_or_else(|_| Err("the client was too slow".into()))
        }
    };
    if let Err(error) = ended {
        tracing::debug!(%peer, %error, "a connection to the Admin API broke off");
    }
}

fn builder(is_h2: bool) -> auto::Builder<TokioExecutor> {
    let mut builder = auto::Builder::new(TokioExecutor::new());
    builder
        .http1()
        // It would cut an idle connection off, which TLS takes for an attack;
        // `Pace` ends it in order.
        .header_read_timeout(None)
        .max_headers(MOST_HEADERS)
        .max_buf_size(LONGEST_HEAD_BYTES);
    builder
        .http2()
        .timer(TokioTimer::new())
        .max_concurrent_streams(MOST_STREAMS)
        .max_header_list_size(u32::try_from(LONGEST_HEAD_BYTES).unwrap_or(u32::MAX))
        .initial_stream_window_size(UNREAD_BYTES)
        .initial_connection_window_size(UNREAD_BYTES)
        .keep_alive_interval(PING_PATIENCE)
        .keep_alive_timeout(PING_PATIENCE);
    // ALPN has said it: nothing has to be guessed from what the client sends.
    if is_h2 { builder.http2_only() } else { builder.http1_only() }
}
