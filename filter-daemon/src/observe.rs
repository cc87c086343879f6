//! What the data path did: counters read on demand, sampled refusals as they
//! come. Never changes anything.

mod clock;
mod drops;

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::SystemTime;

use filter_common::hit::Hit;
use filter_common::reason::Reason;
use filter_common::verdict::Verdict;
use nix::time::ClockId;
use tokio::sync::broadcast;

pub(crate) use drops::follow;

use crate::datapath::DatapathError;
use clock::Clock;

/// One non-zero cell of the counter table, summed over all CPUs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CounterRow {
    /// App index, 0 when no app was known.
    pub app: u32,
    /// How the packets' path ended.
    pub reason: Reason,
    /// What happened to them.
    pub verdict: Verdict,
    /// How many.
    pub packets: u64,
    /// Their bytes, Ethernet headers included.
    pub bytes: u64,
}

/// What one entry let in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EntryHits {
    /// How many packets; of a list with a table partly extrapolated.
    pub packets: u64,
    /// When the last one came that was counted.
    pub last: SystemTime,
}

/// A sampled packet that was refused, or would have been.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Drop {
    /// When.
    pub time: SystemTime,
    /// Index of the interface that received it.
    pub ifindex: u32,
    /// Its name, if it still exists.
    pub interface: Option<String>,
    /// App index, 0 when no app was known.
    pub app: u32,
    /// Why.
    pub reason: Reason,
    /// What happened to it.
    pub verdict: Verdict,
    /// 4, 6, or 0 when it was not read that far.
    pub family: u8,
    /// Where it came from.
    pub source: Option<IpAddr>,
    /// Where it went to.
    pub destination: Option<IpAddr>,
    /// 0 when unknown.
    pub source_port: u16,
    /// 0 when unknown.
    pub destination_port: u16,
    /// IP protocol number, 0 when unknown.
    pub protocol: u8,
    /// Bytes of the frame.
    pub frame_bytes: u32,
}

/// Refused packets that no drop tells of, since the maps were made. The
/// counters have them all.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Unseen {
    /// Left out by the sampling.
    pub unsampled: u64,
    /// Sampled, and lost because the ring was full.
    pub lost: u64,
}

/// Reads what the kernel counts.
pub trait KernelCounts: Send + Sync {
    /// Every counter that is not zero.
    fn counters(&self) -> Result<Vec<CounterRow>, DatapathError>;
    /// The hits of every entry that was hit, by its number.
    fn hits(&self) -> Result<HashMap<u32, Hit>, DatapathError>;
    /// What the drops do not show.
    fn unseen(&self) -> Result<Unseen, DatapathError>;
}

/// A view of what the data path did. Cheap to clone.
#[derive(Clone)]
pub struct Observer {
    kernel: Arc<dyn KernelCounts>,
    drops: broadcast::Sender<Drop>,
}

impl Observer {
    /// How many refusals a slow reader may fall behind before it loses some.
    const BACKLOG: usize = 4096;

    /// A view of what the kernel counts; drops are published through it.
    pub fn new(kernel: impl KernelCounts + 'static) -> Self {
        Self { kernel: Arc::new(kernel), drops: broadcast::Sender::new(Self::BACKLOG) }
    }

    /// Every counter that is not zero.
    pub async fn counters(&self) -> anyhow::Result<Vec<CounterRow>> {
        let kernel = Arc::clone(&self.kernel);
        Ok(tokio::task::spawn_blocking(move || kernel.counters()).await??)
    }

    /// The hits of every entry that was hit, by its number.
    pub async fn hits(&self) -> anyhow::Result<HashMap<u32, EntryHits>> {
        let kernel = Arc::clone(&self.kernel);
        let hits = tokio::task::spawn_blocking(move || kernel.hits()).await??;
        let clock = Clock::read(ClockId::CLOCK_MONOTONIC)?;
        let hits = hits.into_iter().map(|(entry, Hit { packets, last_ns })| {
            (entry, EntryHits { packets, last: clock.wall_time(last_ns) })
        });
        Ok(hits.collect())
    }

    /// What the drops do not show.
    pub fn unseen(&self) -> Result<Unseen, DatapathError> {
        self.kernel.unseen()
    }

    /// Refusals from now on.
    pub fn drops(&self) -> broadcast::Receiver<Drop> {
        self.drops.subscribe()
    }

    pub(crate) fn publish(&self, drop: Drop) {
        // Nobody listening is not an error: drops are a view, not a record.
        let _ = self.drops.send(drop);
    }
}
