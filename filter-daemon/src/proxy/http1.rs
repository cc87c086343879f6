//! An HTTP/1.1 connection, and the tunnel that it may become.
//!
//! Between requests it rests: the HTTP library is let go with all its buffers,
//! and comes back with the next octet.

use std::future::poll_fn;
use std::io;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::time::{Instant, sleep};

use super::exchange::{self, Tunnel, Visit};
use super::head;
use super::patience;
use super::prefixed::Prefixed;
use super::reason::Reason;
use super::screen::Screen;

/// How long a client may take to notice that a connection ends.
const FAREWELL: Duration = Duration::from_secs(1);

/// Octets that end a rest, at most.
const FIRST_BYTES: usize = 16;

/// A connection that the HTTP library has let go of.
struct Released<S> {
    screen: Screen<S>,
    /// What it had read and not used.
    early: Vec<u8>,
    /// Whether it goes on with another request.
    rests: bool,
}

/// Serves a connection to its end.
pub(super) async fn serve<S>(stream: S, visit: Arc<Visit>)
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let mut stream = Prefixed::new(Screen::new(stream, Arc::clone(&visit.live)), Vec::new());
    let (screen, early) = loop {
        // On the heap, to be gone while the connection rests.
        let mut released = Box::pin(converse(stream, &visit)).await;
        if released.rests && released.early.is_empty() {
            released = rest(released.screen, &visit).await;
        }
        let Released { screen, early, rests } = released;
        if !rests {
            break (screen, early);
        }
        stream = Prefixed::new(screen, early);
    };
    note_refused(&screen, &visit);
    match visit.take_tunnel() {
        Some(tunnel) => Box::pin(run_tunnel(screen, &early, tunnel)).await,
        None => Box::pin(say_farewell(screen.into_inner())).await,
    }
}

/// Answers requests until the connection ends or has nothing to do.
async fn converse<S>(stream: Prefixed<Screen<S>>, visit: &Arc<Visit>) -> Released<S>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let live = &visit.live;
    let service = service_fn(|request| Box::pin(exchange::answer(Arc::clone(visit), request)));
    let mut connection = http1::Builder::new()
        .header_read_timeout(None)
        .max_headers(head::MOST_FIELDS)
        .max_header_size(patience::LONGEST_HEAD_BYTES)
        .max_buf_size(patience::BUFFER_BYTES)
        .serve_connection(TokioIo::new(stream), service);
    let mut retiring = pin!(live.retiring().cancelled());
    let mut is_retiring = false;
    let mut look = pin!(sleep(patience::REST));
    let rests = poll_fn(|cx| {
        if !is_retiring && retiring.as_mut().poll(cx).is_ready() {
            is_retiring = true;
            Pin::new(&mut connection).graceful_shutdown();
        }
        if let Poll::Ready(ended) = connection.poll_without_shutdown(cx) {
            if let Err(error) = ended {
                tracing::debug!(peer = %live.peer, %error, "a connection broke off");
            }
            return Poll::Ready(false);
        }
        while !is_retiring && look.as_mut().poll(cx).is_ready() {
            if live.may_rest() {
                return Poll::Ready(true);
            }
            look.as_mut().reset(Instant::now() + patience::REST);
        }
        Poll::Pending
    })
    .await;
    let parts = connection.into_parts();
    let (screen, unread) = parts.io.into_inner().into_parts();
    Released { screen, early: [parts.read_buf.to_vec(), unread].concat(), rests }
}

/// Waits for the next request.
async fn rest<S>(mut screen: Screen<S>, visit: &Visit) -> Released<S>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let mut first = [0; FIRST_BYTES];
    let read = screen.read(&mut first);
    let read = visit.live.retiring().run_until_cancelled(read).await;
    let count = read.and_then(Result::ok).unwrap_or(0);
    Released { screen, early: first[..count].to_vec(), rests: count > 0 }
}

fn note_refused<S>(screen: &Screen<S>, visit: &Visit) {
    let live = &visit.live;
    if screen.has_refused()
        && let Some((site, _)) = visit.shared.site(live.app)
    {
        let _ = site.count(Reason::Malformed);
        if let Some(left_out) = site.counts.sample(Reason::Malformed) {
            let (app, peer) = (&site.app.client_app_id, live.peer);
            let reason = Reason::Malformed.name();
            tracing::info!(%app, %peer, reason, left_out, "request refused");
        }
    }
}

async fn run_tunnel<S>(mut client: Screen<S>, early: &[u8], tunnel: Tunnel)
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let Tunnel { upstream, open } = tunnel;
    let mut upstream = TokioIo::new(upstream);
    client.become_tunnel();
    let copied: io::Result<_> = async {
        upstream.write_all(early).await?;
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
