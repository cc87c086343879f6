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

use super::connection;
use super::exchange::{self, Tunnel, Visit};
use super::patience;
use super::prefixed::Prefixed;
use super::screen::Screen;

/// How long a client may take to notice that a connection ends.
const FAREWELL: Duration = Duration::from_secs(1);

/// Octets that end a rest, at most.
const FIRST_BYTES: usize = 16;

/// A connection's stream, on the heap: it is handed to and fro.
type Stream<S> = Box<Screen<S>>;

/// A connection that the HTTP library has let go of.
struct Released<S> {
    stream: Stream<S>,
    /// What it had read and not used.
    early: Vec<u8>,
    /// Whether it goes on with another request.
    rests: bool,
    /// Whether an answer was cut.
    is_cut: bool,
}

/// Serves a connection to its end.
pub(super) fn serve<S>(stream: S, visit: Arc<Visit>) -> impl Future<Output = ()>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let mut stream = Box::new(Screen::new(stream, Arc::clone(&visit.live)));
    async move {
        let mut early = Vec::new();
        let mut is_cut;
        loop {
            // On the heap, to be gone while the connection rests.
            let conversed = Box::pin(converse(Prefixed::new(stream, early), &visit)).await;
            (stream, early, is_cut) = (conversed.stream, conversed.early, conversed.is_cut);
            if !conversed.rests {
                break;
            }
            if early.is_empty() {
                early = rest(&mut stream, &visit).await;
            }
            if early.is_empty() {
                break;
            }
        }
        note_refused(&stream, &visit);
        match visit.take_tunnel() {
            Some(tunnel) => Box::pin(run_tunnel(stream, early, tunnel)).await,
            // To end in order would say that the answer was whole.
            None if is_cut => {}
            None => Box::pin(say_farewell(stream.into_inner())).await,
        }
    }
}

/// Answers requests until the connection ends or has nothing to do.
async fn converse<S>(stream: Prefixed<Stream<S>>, visit: &Arc<Visit>) -> Released<S>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let live = &visit.live;
    let service = service_fn(|request| {
        Box::pin(exchange::answer(Arc::clone(visit), request, Some(live.answer())))
    });
    let mut connection = http1::Builder::new()
        .header_read_timeout(None)
        .max_header_size(patience::LONGEST_HEAD_BYTES)
        .max_buf_size(patience::BUFFER_BYTES)
        .serve_connection(TokioIo::new(stream), service);
    let mut retiring = live.retiring.wait();
    let (mut is_retiring, mut is_cut) = (false, false);
    let mut look = pin!(sleep(patience::REST));
    let rests = poll_fn(|cx| {
        if !is_retiring && retiring.poll(cx).is_ready() {
            is_retiring = true;
            Pin::new(&mut connection).graceful_shutdown();
        }
        if let Poll::Ready(ended) = Pin::new(&mut connection).poll(cx) {
            if let Err(error) = ended {
                is_cut = error.is_user();
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
    let (stream, unread) = parts.io.into_inner().into_parts();
    let early = [parts.read_buf.as_ref(), unread.as_slice()].concat();
    Released { stream, early, rests, is_cut }
}

/// The first octets of the next request, or none if there is to be none.
async fn rest<S>(stream: &mut Stream<S>, visit: &Visit) -> Vec<u8>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let mut first = [0; FIRST_BYTES];
    let read = visit.live.retiring.or(stream.read(&mut first)).await;
    let count = read.and_then(Result::ok).unwrap_or(0);
    first[..count].to_vec()
}

fn note_refused<S>(screen: &Screen<S>, visit: &Visit) {
    let live = &visit.live;
    if let Some(reason) = screen.fault()
        && let Some((site, _)) = visit.shared.site(live.app)
    {
        let _ = site.count(reason);
        connection::tell(&visit.shared, &site, live, "request refused", reason);
    }
}

async fn run_tunnel<S>(mut client: Stream<S>, early: Vec<u8>, tunnel: Tunnel)
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
        // It may have been shut down already.
        let _ = stream.shutdown().await;
        let mut unread = [0; 1024];
        while stream.read(&mut unread).await? > 0 {}
        Ok::<_, io::Error>(())
    };
    // A client that does not notice has no say in it.
    let _ = tokio::time::timeout(FAREWELL, farewell).await;
}
