//! A round: every server, one after the other, each started anew.

use std::time::Duration;

use anyhow::{Context as _, Result};
use serde::Serialize;
use tokio::runtime::Runtime;

use crate::effort::Effort;
use crate::figure::Figure;
use crate::load::{self, Answered, Client, Idle, Offer, Rate, Sender};
use crate::process;
use crate::server::Server;
use crate::stage::Stage;

/// Connections, or streams of a connection, that ask at one time.
const MANY: usize = 64;

/// Connections that are open before memory is looked at: what a server needs
/// once is there by then.
const FIRST: usize = 64;

/// How long connections have been idle when their memory is looked at.
const SETTLED: Duration = Duration::from_secs(5);

/// What was measured of a server in a round.
#[derive(Clone, Copy, Debug, Serialize)]
pub(crate) struct Sample {
    pub(crate) server: Server,
    pub(crate) figure: Figure,
    pub(crate) value: f64,
    /// How much of one CPU the server's processes took meanwhile.
    pub(crate) busy: Option<f64>,
}

/// All of a round.
#[derive(Clone, Debug, Default, Serialize)]
pub(crate) struct Round {
    pub(crate) samples: Vec<Sample>,
}

/// A server that is being measured.
struct Measured<'a> {
    effort: &'a Effort,
    stage: &'a Stage,
    server: Server,
    processes: &'a [u32],
    samples: Vec<Sample>,
}

impl Round {
    /// Measures every server; each round begins with another of the proxies.
    pub(crate) fn measure(
        effort: &Effort,
        stage: &Stage,
        runtime: &Runtime,
        number: usize,
    ) -> Result<Self> {
        let mut order = Server::ALL;
        let (_, proxies) = order.split_at_mut(2);
        proxies.rotate_left(number % proxies.len());
        let mut samples = Vec::new();
        for server in order {
            eprintln!("round {} of {}: {}", number + 1, effort.rounds, server.name());
            let measured = server.with(stage, runtime, |processes| {
                let samples = Vec::new();
                let mut measured = Measured { effort, stage, server, processes, samples };
                runtime.block_on(measured.all())?;
                Ok(measured.samples)
            });
            samples.extend(measured.with_context(|| server.name())?);
        }
        let mut round = Self { samples };
        round.take_off_upstream();
        Ok(round)
    }

    /// What a server got, if the figure was measured.
    pub(crate) fn value(&self, server: Server, figure: Figure) -> Option<f64> {
        let mut of = self.samples.iter().filter(|s| s.server == server && s.figure == figure);
        of.next().map(|sample| sample.value)
    }

    /// Leaves of each latency what the server added.
    fn take_off_upstream(&mut self) {
        for figure in [Figure::AddedMedian, Figure::AddedMost] {
            let upstream = self.value(Server::Upstream, figure).unwrap_or_default();
            for sample in self.samples.iter_mut().filter(|sample| sample.figure == figure) {
                sample.value -= upstream;
            }
        }
    }
}

impl Measured<'_> {
    async fn all(&mut self) -> Result<()> {
        match self.server {
            Server::Upstream => self.requests().await,
            Server::Alone => {
                self.handshakes().await?;
                self.requests().await?;
                self.streams().await
            }
            Server::Nginx | Server::Haproxy | Server::Filterd => {
                self.memory().await?;
                self.handshakes().await?;
                self.requests().await?;
                self.streams().await
            }
        }
    }

    /// What connections hold, in a server that has just been started.
    async fn memory(&mut self) -> Result<()> {
        let client = Client::new(Offer::Http1)?;
        let _first = Idle::open(&client, FIRST).await?;
        tokio::time::sleep(SETTLED).await;
        let before = process::memory_kib(self.processes)?;
        let _idle = Idle::open(&client, self.effort.idle).await?;
        tokio::time::sleep(SETTLED).await;
        let grown = process::memory_kib(self.processes)? - before;
        let count = u32::try_from(self.effort.idle)?;
        self.note(Figure::Idle, grown / f64::from(count), None);
        Ok(())
    }

    async fn handshakes(&mut self) -> Result<()> {
        for (figure, offer) in
            [(Figure::Handshakes, Offer::Http1), (Figure::HybridHandshakes, Offer::Hybrid)]
        {
            let client = Client::new(offer)?;
            let before = process::run_time(self.processes)?;
            let rate = load::handshakes(&client, self.effort.span).await?;
            self.note_rate(figure, rate, before)?;
        }
        Ok(())
    }

    async fn requests(&mut self) -> Result<()> {
        let one = self.ask(Figure::OneConnection, self.senders(1).await?).await?;
        self.note(Figure::AddedMedian, one.percentile_us(50), None);
        self.note(Figure::AddedMost, one.percentile_us(99), None);
        self.ask(Figure::ManyConnections, self.senders(MANY).await?).await?;
        Ok(())
    }

    async fn streams(&mut self) -> Result<()> {
        let stream = Client::new(Offer::Http2)?.connect().await?;
        self.ask(Figure::Streams, Sender::http2(stream, MANY).await?).await?;
        Ok(())
    }

    async fn senders(&self, count: usize) -> Result<Vec<Sender>> {
        let client = Client::new(Offer::Http1)?;
        let mut senders = Vec::new();
        for _ in 0..count {
            senders.push(match self.server {
                Server::Upstream => {
                    Sender::http1(load::tcp(self.stage.upstream_port()?).await?).await?
                }
                Server::Alone | Server::Nginx | Server::Haproxy | Server::Filterd => {
                    Sender::http1(client.connect().await?).await?
                }
            });
        }
        Ok(senders)
    }

    async fn ask(&mut self, figure: Figure, senders: Vec<Sender>) -> Result<Answered> {
        let before = process::run_time(self.processes)?;
        let answered = load::requests(senders, self.effort.span).await?;
        self.note_rate(figure, answered.rate, before)?;
        Ok(answered)
    }

    fn note_rate(&mut self, figure: Figure, rate: Rate, before: Duration) -> Result<()> {
        let ran = process::run_time(self.processes)?.saturating_sub(before);
        let busy = ran.as_secs_f64() / rate.took.as_secs_f64();
        let busy = (!self.processes.is_empty()).then_some(busy);
        self.note(figure, rate.a_second(), busy);
        Ok(())
    }

    fn note(&mut self, figure: Figure, value: f64, busy: Option<f64>) {
        self.samples.push(Sample { server: self.server, figure, value, busy });
    }
}
