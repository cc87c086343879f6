//! Sending frames at a filter, and making sure that it has judged all of them.

use std::fs;
use std::io;
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use filter_tests::deadline::within;
use filter_tests::measure::cpu;
use filter_tests::namespace::Namespace;
use filter_tests::world::{Family, HOST_INTERFACE, OUTSIDE_INTERFACE};

use super::filter::Filter;
use crate::object::BenchObject;

/// How often a round is tried.
const TRIES: usize = 10;

/// How long frames may be under way when the generator is done.
const SETTLING: Duration = Duration::from_millis(500);

/// A filter that frames are sent at.
pub(crate) struct Track<'a> {
    pub(crate) filter: Box<dyn Filter + 'a>,
}

/// A round in which every frame was judged.
pub(crate) struct Round {
    pub(crate) ns_a_frame: f64,
    /// How many rounds before it were thrown away.
    pub(crate) repeated: usize,
}

/// What the kernel has counted on the host so far.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Seen {
    /// Frames taken from the wire.
    taken: u64,
    /// Packets that the host's stack took for its own.
    delivered: u64,
    /// Packets with a header that the stack did not like.
    spoilt: u64,
    /// Frames that the filter says it has refused.
    refused: Option<u64>,
}

impl<'a> Track<'a> {
    pub(crate) fn new(filter: impl Filter + 'a) -> Self {
        Self { filter: Box::new(filter) }
    }

    /// Sends so many frames at it, again when some were lost on the wire.
    pub(crate) fn round(
        &mut self,
        object: &mut BenchObject,
        family: Family,
        frames: u32,
    ) -> Result<Round> {
        let world = self.filter.world();
        let wire = world.outside.interface_index(OUTSIDE_INTERFACE).context("there is a wire")?;
        let mut last = None;
        for repeated in 0..TRIES {
            let before = self.seen()?;
            let deferred_before = cpu::deferred_work(cpu::MEASURED)?;
            let took = world.outside.run(|| {
                cpu::stay_on(cpu::MEASURED);
                object.send(family, wire, frames)
            })?;
            let is_whole = || {
                last = self.seen().ok().map(|now| now.since(before));
                let last = last.as_ref()?;
                last.is_whole(frames.into()).then_some(())
            };
            if within(SETTLING, is_whole).is_some() {
                let deferred = cpu::deferred_work(cpu::MEASURED)? - deferred_before;
                let ns_a_frame = (took + deferred / frames).as_secs_f64() * 1e9;
                return Ok(Round { ns_a_frame, repeated });
            }
        }
        bail!("{}: of {frames} frames, {last:?}", self.filter.name())
    }

    fn seen(&self) -> Result<Seen> {
        let host = &self.filter.world().host;
        let (v4, v6) = (host.run(v4_counters)?, host.run(v6_counters)?);
        Ok(Seen {
            taken: taken(host)?,
            delivered: v4("InDelivers") + v6("Ip6InDelivers"),
            spoilt: v4("InHdrErrors") + v6("Ip6InHdrErrors"),
            refused: self.filter.refused()?,
        })
    }
}

impl Seen {
    fn since(self, before: Self) -> Self {
        Self {
            taken: self.taken - before.taken,
            delivered: self.delivered - before.delivered,
            spoilt: self.spoilt - before.spoilt,
            refused: self.refused.zip(before.refused).map(|(now, before)| now - before),
        }
    }

    /// Whether every frame was judged and refused.
    fn is_whole(&self, frames: u64) -> bool {
        (self.taken, self.delivered, self.spoilt) == (frames, 0, 0)
            && self.refused.is_none_or(|refused| refused == frames)
    }
}

/// Frames that the host's end of the wire has taken.
fn taken(host: &Namespace) -> Result<u64> {
    let table = host.run(|| fs::read_to_string("/proc/thread-self/net/dev"))?;
    let line = table.lines().find_map(|line| line.trim().strip_prefix(HOST_INTERFACE));
    let packets = line.and_then(|line| line.split_ascii_whitespace().nth(2));
    packets.and_then(|packets| packets.parse().ok()).context("the wire is counted")
}

/// `Ip: names…` and then `Ip: values…`.
fn v4_counters() -> io::Result<impl Fn(&str) -> u64> {
    let text = fs::read_to_string("/proc/thread-self/net/snmp")?;
    Ok(move |wanted: &str| {
        let mut lines = text.lines().filter_map(|line| line.strip_prefix("Ip: "));
        let (names, values) = (lines.next().unwrap_or(""), lines.next().unwrap_or(""));
        let mut pairs = names.split(' ').zip(values.split(' '));
        let found = pairs.find(|(name, _)| *name == wanted);
        found.and_then(|(_, value)| value.parse().ok()).expect("the kernel counts this")
    })
}

/// A name and its value a line.
fn v6_counters() -> io::Result<impl Fn(&str) -> u64> {
    let text = fs::read_to_string("/proc/thread-self/net/snmp6")?;
    Ok(move |wanted: &str| {
        let mut pairs = text.lines().filter_map(|line| line.split_once(char::is_whitespace));
        let found = pairs.find(|(name, _)| *name == wanted);
        found.and_then(|(_, value)| value.trim().parse().ok()).expect("the kernel counts this")
    })
}
