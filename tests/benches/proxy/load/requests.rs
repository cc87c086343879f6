//! Requests, each of them as soon as the one before it is answered.

use std::time::{Duration, Instant};

use anyhow::{Result, bail};
use http_body_util::{BodyExt as _, Empty};
use hyper::body::{Bytes, Incoming};
use hyper::client::conn::{http1, http2};
use hyper::{Request, Response, StatusCode, Version};
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::task::JoinSet;

use super::Rate;
use crate::stage::NAME;

/// Requests of each sender before the measurement begins.
const WARM_UP: usize = 20;

/// Sends requests on a connection.
pub(crate) enum Sender {
    Http1(http1::SendRequest<Empty<Bytes>>),
    Http2(http2::SendRequest<Empty<Bytes>>),
}

/// What became of the requests.
pub(crate) struct Answered {
    pub(crate) rate: Rate,
    /// How long each of them took, shortest first.
    took: Vec<Duration>,
}

impl Sender {
    pub(crate) async fn http1<S>(stream: S) -> Result<Self>
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let (sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
        tokio::spawn(connection);
        Ok(Self::Http1(sender))
    }

    /// So many that share a connection.
    pub(crate) async fn http2<S>(stream: S, count: usize) -> Result<Vec<Self>>
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let (sender, connection) =
            http2::handshake(TokioExecutor::new(), TokioIo::new(stream)).await?;
        tokio::spawn(connection);
        Ok(std::iter::repeat_n(sender, count).map(Self::Http2).collect())
    }

    /// One request, and all of its answer.
    pub(crate) async fn ask(&mut self) -> Result<()> {
        let response = match self {
            Self::Http1(sender) => {
                let request = Request::get("/").header("host", NAME).body(Empty::new())?;
                sender.ready().await?;
                sender.send_request(request).await?
            }
            Self::Http2(sender) => {
                let uri = format!("https://{NAME}/");
                let request = Request::get(uri).version(Version::HTTP_2).body(Empty::new())?;
                sender.ready().await?;
                sender.send_request(request).await?
            }
        };
        read(response).await
    }

    async fn ask_until(mut self, end: Instant) -> Result<(Vec<Duration>, Self)> {
        let mut took = Vec::new();
        let mut now = Instant::now();
        while now < end {
            self.ask().await?;
            let after = Instant::now();
            took.push(after - now);
            now = after;
        }
        Ok((took, self))
    }
}

async fn read(response: Response<Incoming>) -> Result<()> {
    if response.status() != StatusCode::OK {
        bail!("a request was answered with {}", response.status());
    }
    response.into_body().collect().await?;
    Ok(())
}

/// Has every sender ask for some time; after it nothing is open.
pub(crate) async fn requests(senders: Vec<Sender>, span: Duration) -> Result<Answered> {
    let mut warm = JoinSet::new();
    for mut sender in senders {
        warm.spawn(async move {
            for _ in 0..WARM_UP {
                sender.ask().await?;
            }
            anyhow::Ok(sender)
        });
    }
    let senders = warm.join_all().await.into_iter().collect::<Result<Vec<_>>>()?;
    let begin = Instant::now();
    let mut asking = JoinSet::new();
    for sender in senders {
        asking.spawn(sender.ask_until(begin + span));
    }
    let mut took = Vec::new();
    let mut senders = Vec::new();
    while let Some(done) = asking.join_next().await {
        let (one, sender) = done??;
        took.extend(one);
        senders.push(sender);
    }
    let rate = Rate::since(begin, took.len());
    took.sort_unstable();
    Ok(Answered { rate, took })
}

impl Answered {
    /// What so many of a hundred requests took at most, in microseconds.
    pub(crate) fn percentile_us(&self, percent: usize) -> f64 {
        let place = self.took.len() * percent / 100;
        let took = self.took.get(place).or(self.took.last());
        took.map_or(f64::NAN, |took| took.as_secs_f64() * 1e6)
    }
}
