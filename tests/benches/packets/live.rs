//! Frames over veth: what a filter costs where it will be used, against others.
//!
//! Every filter has a world of its own, so that all of them are there at one
//! time and are measured by turns: the floor, each filter, the floor again.
//! Every frame has a source that the filter's list does not cover, and must be
//! refused: what the stack behind a filter costs is not measured.
//!
//! Invariant: a round counts only when the kernel's counters say that every
//! frame was judged and none got through.

mod filter;
mod filterd;
mod floor;
mod ipset;
mod nftables;
mod tool;
mod traffic;
mod xdp_filter;

use anyhow::{Result, bail};
use filter_tests::measure::Spread;
use filter_tests::world::Family;
use serde::Serialize;

use crate::effort::Effort;
use crate::lists::{List, Origin};
use crate::object::{BenchObject, draws};
use crate::sources::Sources;
use crate::stage::Stage;
use filter::Held;
use filterd::{Filterd, Variant};
use floor::Floor;
use ipset::Ipset;
use nftables::{Hook, Nftables};
pub(crate) use traffic::Track;
use xdp_filter::XdpFilter;

/// One line of figures.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Row {
    pub(crate) filter: &'static str,
    pub(crate) family: &'static str,
    pub(crate) list: Origin,
    pub(crate) entries: usize,
    pub(crate) sources: Sources,
    /// Nanoseconds a frame on one CPU, from the generator to the verdict.
    pub(crate) ns: Spread,
    /// In relation to the floor of the same round.
    pub(crate) ratio: Spread,
    /// Rounds thrown away because a frame was not judged.
    pub(crate) repeated: usize,
}

/// The name of the rows of filterd as it is shipped, with one app on a port.
pub(crate) const FILTERD: &str = "filterd";
/// The name of the rows of filterd with an app for the whole host.
pub(crate) const HOST_WIDE: &str = "filterd, host-wide app";
/// The name of the rows of filterd without tables in front of its tries.
pub(crate) const TRIES_ALONE: &str = "filterd, tries alone";
/// The name of xdp-filter's rows.
pub(crate) const XDP_FILTER: &str = xdp_filter::NAME;
/// The names of the rows of filters that hold networks.
pub(crate) const NETWORK_PEERS: [&str; 3] = [nftables::INGRESS, nftables::RAW, ipset::NAME];

/// What the rows do not say.
#[derive(Debug, Default)]
pub(crate) struct Live {
    pub(crate) rows: Vec<Row>,
    pub(crate) notes: Vec<String>,
}

/// Measures every filter with every list of both families.
pub(crate) fn run(effort: &Effort, object: &mut BenchObject) -> Result<Live> {
    let stages = [Stage::new(), Stage::new(), Stage::by_tries_alone()];
    let mut live = Live::default();
    let mut tracks = vec![Track::new(Floor::new(object)?)];
    for (stage, variant) in stages.iter().zip(Variant::ALL) {
        tracks.push(Track::new(Filterd::start(stage, variant)?));
    }
    tracks.push(Track::new(XdpFilter::new()?));
    tracks.push(Track::new(Nftables::new(Hook::Ingress)));
    tracks.push(Track::new(Nftables::new(Hook::Raw)));
    tracks.push(Track::new(Ipset::new()));
    for family in Family::BOTH {
        for list in effort.lists(family) {
            live.measure_list(effort, object, &mut tracks, &list)?;
        }
    }
    Ok(live)
}

impl Live {
    fn measure_list(
        &mut self,
        effort: &Effort,
        object: &mut BenchObject,
        tracks: &mut [Track<'_>],
        list: &List,
    ) -> Result<()> {
        let mut holding = Vec::new();
        let mut others = Vec::new();
        for track in tracks {
            eprintln!("live: {} takes {list}", track.filter.name());
            match track.filter.hold(list)? {
                Held::Whole => holding.push(track),
                Held::Instead(other) => {
                    holding.push(track);
                    others.push(other);
                }
                Held::Nothing(reason) => {
                    self.notes.push(format!("{}, {list}: {reason}", track.filter.name()));
                }
            }
        }
        let others: Vec<&List> = others.iter().collect();
        for sources in [Sources::Unlisted, Sources::Adversarial] {
            match sources.draw(list, &others, draws(list.family)) {
                Some(drawn) => {
                    object.fill(&drawn)?;
                    self.rows.extend(measure(effort, object, &mut holding, list, sources)?);
                }
                None => self.notes.push(format!("{list}: too few {} sources", sources.name())),
            }
        }
        Ok(())
    }
}

/// Rounds of every filter, by turns.
fn measure(
    effort: &Effort,
    object: &mut BenchObject,
    tracks: &mut [&mut Track<'_>],
    list: &List,
    sources: Sources,
) -> Result<Vec<Row>> {
    let mut measured = vec![Vec::new(); tracks.len()];
    let mut repeated = vec![0; tracks.len()];
    for _ in 0..effort.rounds {
        for (place, track) in tracks.iter_mut().enumerate() {
            let round = track.round(object, list.family, effort.frames)?;
            measured[place].push(round.ns_a_frame);
            repeated[place] += round.repeated;
        }
    }
    let Some(floor) = measured.first().cloned() else { bail!("there is no floor") };
    let rows = tracks.iter().zip(&measured).zip(repeated).map(|((track, ns), repeated)| Row {
        filter: track.filter.name(),
        family: list.family.name(),
        list: list.origin,
        entries: list.networks.len(),
        sources,
        ns: Spread::of(ns.iter().copied()),
        ratio: Spread::of_ratios(ns, &floor),
        repeated,
    });
    Ok(rows.collect())
}
