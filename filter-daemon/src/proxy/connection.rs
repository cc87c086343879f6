//! One connection past its handshake: HTTP/1.1 or HTTP/2, and a tunnel once a
//! request led to another protocol.
//!
//! The task that runs it owns all of it: when it is dropped, everything of the
//! connection ends.

use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use hyper::server::conn::http2;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::io::{AsyncRead, AsyncWrite};

use super::exchange::{self, Visit};
use super::live::{Admitted, Live};
use super::reason::Reason;
use super::refusals::Notice;
use super::screen::Screen;
use super::shared::Shared;
use super::signal::Signal;
use super::site::Site;
use super::{follow, http1, patience};

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
    let closing = Arc::<Signal>::default();
    let client = admitted.client.known().unwrap_or(admitted.peer.ip());
    let place = shared.connections.enter(client, Arc::clone(&closing));
    let (number, live) = shared.lives.add(admitted, closing);
    // The rules may have changed since it was let in.
    follow::obey(&shared, &live, &shared.sites(), super::now_s());
    let visit = Arc::new(Visit::new(Arc::clone(&shared), thread, Arc::clone(&live)));
    let mut served: Served = match speaks_http2 {
        true => Box::pin(serve_http2(stream, visit)),
        false => Box::pin(http1::serve(stream, visit)),
    };
    tokio::spawn(async move {
        let _place = place;
        if live.closing.or(&mut served).await.is_none() {
            // Counted before the client can notice.
            let reason = live.why().unwrap_or(Reason::Crowded);
            note_end(&shared, &live, "connection closed", reason);
        }
        live.streams.all().iter().for_each(|stream| stream.end());
        shared.lives.remove(number);
    });
}

/// Counts why a connection or a request was ended before its end.
pub(super) fn note_end(shared: &Shared, live: &Live, what: &'static str, reason: Reason) {
    let Some((site, _)) = shared.site(live.app) else {
        let _ = shared.tally.of(None).count(reason, filter_common::verdict::Mode::Enforce);
        return;
    };
    let _ = site.count(reason);
    tell(shared, &site, live, what, reason);
}

/// Tells about a connection whose reason is all that is known.
pub(super) fn tell(shared: &Shared, site: &Site, live: &Live, what: &'static str, reason: Reason) {
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

fn serve_http2<S>(stream: S, visit: Arc<Visit>) -> impl Future<Output = ()>
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let live = Arc::clone(&visit.live);
    let stream = Screen::transparent(stream, Arc::clone(&live));
    let tied = Tied(Arc::clone(&live));
    let service =
        service_fn(move |request| Box::pin(exchange::answer(Arc::clone(&visit), request, None)));
    let mut connection = http2::Builder::new(tied)
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
        let ended = match live.retiring.or(&mut connection).await {
            Some(ended) => ended,
            None => {
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
/// be open, and each no longer than it may itself.
#[derive(Clone)]
struct Tied(Arc<Live>);

impl<F> hyper::rt::Executor<F> for Tied
where
    F: Future<Output = ()> + Send + 'static,
{
    fn execute(&self, request: F) {
        self.0.streams.run(request);
    }
}
