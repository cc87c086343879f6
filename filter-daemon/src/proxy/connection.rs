//! One connection past its handshake: HTTP/1.1 or HTTP/2, and a tunnel once a
//! request led to another protocol.
//!
//! The task that runs it owns all of it: when it is dropped, everything of the
//! connection ends.

use std::future::poll_fn;
use std::io;
use std::pin::{Pin, pin};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use hyper::server::conn::{http1, http2};
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio_util::sync::CancellationToken;

use super::exchange::{self, Tunnel, Visit};
use super::follow;
use super::live::{Admitted, Live};
use super::patience;
use super::reason::Reason;
use super::refusals::Notice;
use super::screen::Screen;
use super::shared::Shared;
use super::site::Site;

/// How long a client may take to notice that a connection ends.
const FAREWELL: Duration = Duration::from_secs(1);

/// Between two questions whether an HTTP/2 client is still there.
const PING: Duration = Duration::from_secs(30);

#[expect(clippy::cast_possible_truncation, reason = "a constant far below 2^32")]
const HTTP2_HEAD_BYTES: u32 = patience::LONGEST_HEAD_BYTES as u32;
const HTTP2_STREAM_WINDOW_BYTES: u32 = 64 << 10;
const HTTP2_WINDOW_BYTES: u32 = 1 << 20;

/// What serves a connection to its end, on the heap: nothing of it is there
/// twice, and each is as large as its own protocol needs it to be.
type Served = Pin<Box<dyn Future<Output = ()> + Send>>;

/// Serves a connection to its end, in a task of its own.
pub(super) fn serve<S>(
    shared: Arc<Shared>,
    thread: usize,
    stream: S,
    admitted: Admitted,
    speaks_http2: bool,
) where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let retiring = shared.draining.child_token();
    let closing = CancellationToken::new();
    let place = shared.connections.enter(admitted.peer.ip(), closing.clone());
    let (number, live) = shared.lives.add(admitted, closing, retiring);
    // The rules may have changed since it was let in.
    if let Some(reason) = follow::unwanted(&live, &shared.sites(), super::now_s()) {
        live.close(reason);
    }
    let tunnel = Mutex::new(None);
    let visit =
        Arc::new(Visit { shared: Arc::clone(&shared), thread, live: Arc::clone(&live), tunnel });
    let served: Served = match speaks_http2 {
        true => Box::pin(serve_http2(stream, visit)),
        false => Box::pin(serve_http1(stream, visit)),
    };
    tokio::spawn(async move {
        let _place = place;
        if live.closing().run_until_cancelled(served).await.is_none() {
            note_end(&shared, &live);
        }
        shared.lives.remove(number);
    });
}

/// Counts why a connection was closed before its end.
fn note_end(shared: &Shared, live: &Live) {
    let reason = live.why().unwrap_or(Reason::Crowded);
    let Some((site, _)) = shared.site(live.app) else {
        let _ = shared.tally.of(None).count(reason, filter_common::verdict::Mode::Enforce);
        return;
    };
    let _ = site.count(reason);
    tell(shared, &site, live, "connection closed", reason);
}

fn tell(shared: &Shared, site: &Site, live: &Live, what: &'static str, reason: Reason) {
    let notice = Notice {
        app: Some(&site.app),
        what,
        reason,
        peer: live.peer,
        port: live.port,
        client: live.client.known(),
        name: Some(live.name.as_str()),
        detail: reason.explanation(),
    };
    shared.refusals.tell(&site.counts, &notice);
}

fn serve_http1<S>(stream: S, visit: Arc<Visit>) -> impl Future<Output = ()>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let screen = Screen::new(stream, Arc::clone(&visit.live));
    let answering = Arc::clone(&visit);
    let service =
        service_fn(move |request| Box::pin(exchange::answer(Arc::clone(&answering), request)));
    let mut connection = http1::Builder::new()
        .header_read_timeout(None)
        .max_headers(super::head::MOST_FIELDS)
        .max_header_size(patience::LONGEST_HEAD_BYTES)
        .max_buf_size(patience::BUFFER_BYTES)
        .serve_connection(TokioIo::new(screen), service);
    async move {
        let live = &visit.live;
        let mut retiring = pin!(live.retiring().cancelled());
        let mut is_retiring = false;
        let ended = poll_fn(|cx| {
            if !is_retiring && retiring.as_mut().poll(cx).is_ready() {
                is_retiring = true;
                Pin::new(&mut connection).graceful_shutdown();
            }
            connection.poll_without_shutdown(cx)
        })
        .await;
        if let Err(error) = &ended {
            tracing::debug!(peer = %live.peer, %error, "a connection broke off");
        }
        let parts = connection.into_parts();
        let screen = parts.io.into_inner();
        note_refused(&screen, &visit);
        match visit.take_tunnel() {
            Some(tunnel) => Box::pin(run_tunnel(screen, parts.read_buf, tunnel)).await,
            None => Box::pin(say_farewell(screen.into_inner())).await,
        }
    }
}

fn note_refused<S>(screen: &Screen<S>, visit: &Visit) {
    let live = &visit.live;
    if screen.has_refused()
        && let Some((site, _)) = visit.shared.site(live.app)
    {
        let _ = site.count(Reason::Malformed);
        tell(&visit.shared, &site, live, "request refused", Reason::Malformed);
    }
}

async fn run_tunnel<S>(mut client: Screen<S>, early: Bytes, tunnel: Tunnel)
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let Tunnel { upstream, open } = tunnel;
    let mut upstream = TokioIo::new(upstream);
    client.become_tunnel();
    let copied: io::Result<_> = async {
        upstream.write_all(&early).await?;
        tokio::io::copy_bidirectional(&mut client, &mut upstream).await
    }
    .await;
    if let Err(error) = copied {
        tracing::debug!(peer = %open.live().peer, %error, "a tunnel broke off");
    }
}

/// What the client still sends is read for a moment: to close over it would
/// take an answer away from it that it has not read yet.
async fn say_farewell(mut stream: impl AsyncRead + AsyncWrite + Unpin) {
    let farewell = async {
        stream.shutdown().await?;
        let mut unread = [0; 1024];
        while stream.read(&mut unread).await? > 0 {}
        Ok::<_, io::Error>(())
    };
    // A client that does not notice has no say in it.
    let _ = tokio::time::timeout(FAREWELL, farewell).await;
}

fn serve_http2<S>(stream: S, visit: Arc<Visit>) -> impl Future<Output = ()>
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let live = Arc::clone(&visit.live);
    let stream = Screen::transparent(stream, Arc::clone(&live));
    let service =
        service_fn(move |request| Box::pin(exchange::answer(Arc::clone(&visit), request)));
    let mut connection = http2::Builder::new(Tied(Arc::clone(&live)))
        .timer(TokioTimer::new())
        .keep_alive_interval(PING)
        .keep_alive_timeout(patience::CLIENT)
        .max_concurrent_streams(patience::MOST_STREAMS)
        .max_header_list_size(HTTP2_HEAD_BYTES)
        .initial_stream_window_size(HTTP2_STREAM_WINDOW_BYTES)
        .initial_connection_window_size(HTTP2_WINDOW_BYTES)
        .max_send_buf_size(patience::BUFFER_BYTES)
        .serve_connection(TokioIo::new(stream), service);
    async move {
        let ended = tokio::select! {
            biased;
            ended = &mut connection => ended,
            () = live.retiring().cancelled() => {
                Pin::new(&mut connection).graceful_shutdown();
                connection.await
            }
        };
        if let Err(error) = ended {
            tracing::debug!(peer = %live.peer, %error, "a connection broke off");
        }
    }
}

/// Runs the requests of an HTTP/2 connection no longer than the connection may
/// be open.
#[derive(Clone)]
struct Tied(Arc<Live>);

impl<F> hyper::rt::Executor<F> for Tied
where
    F: Future<Output = ()> + Send + 'static,
{
    fn execute(&self, request: F) {
        let live = Arc::clone(&self.0);
        tokio::spawn(async move {
            live.closing().run_until_cancelled(request).await;
        });
    }
}
