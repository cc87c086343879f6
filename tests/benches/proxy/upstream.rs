//! The server behind all proxies: a short answer to every request, over plain
//! HTTP/1.1, on connections that stay open.

use std::convert::Infallible;
use std::net::TcpListener;

use anyhow::Result;
use http_body_util::Full;
use hyper::body::{Bytes, Incoming};
use hyper::rt::Executor;
use hyper::server::conn::{http1, http2};
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite};

/// What it answers.
const ANSWER: &[u8] = &[b'x'; 128];

/// Serves every connection of a port.
pub(crate) async fn serve(listener: TcpListener) -> Result<()> {
    listener.set_nonblocking(true)?;
    let listener = tokio::net::TcpListener::from_std(listener)?;
    loop {
        let (stream, _) = listener.accept().await?;
        stream.set_nodelay(true)?;
        tokio::spawn(converse(stream));
    }
}

/// Serves one connection.
pub(crate) async fn converse(stream: impl AsyncRead + AsyncWrite + Unpin + 'static) {
    // A client that goes away is the load's concern.
    let _ = http1::Builder::new().serve_connection(TokioIo::new(stream), service_fn(answer)).await;
}

/// Serves one HTTP/2 connection, on the thread that it is on.
pub(crate) async fn converse_http2(stream: impl AsyncRead + AsyncWrite + Unpin + 'static) {
    let _ = http2::Builder::new(OnThisThread)
        .serve_connection(TokioIo::new(stream), service_fn(answer))
        .await;
}

#[derive(Clone)]
struct OnThisThread;

impl<F: Future<Output = ()> + 'static> Executor<F> for OnThisThread {
    fn execute(&self, request: F) {
        tokio::task::spawn_local(request);
    }
}

async fn answer(_: Request<Incoming>) -> Result<Response<Full<Bytes>>, Infallible> {
    Ok(Response::new(Full::new(Bytes::from_static(ANSWER))))
}
