//! Follows the state and the files that it names: new connections meet the new
//! rules, and open ones that would no longer be let in are closed, within a
//! second and counted.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use filter_common::verdict::Verdict;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use super::assembly::Assembly;
use super::connection;
use super::live::{Claims, Client, Live, Origin};
use super::patience;
use super::reason::Reason;
use super::shared::Shared;
use super::site::{Site, Sites};
use super::stream::Stream;
use super::waits::Wait;
use crate::state::State;

/// How many changes are remembered.
const REMEMBERED: usize = 64;

/// What the last changes of the state did to open connections.
#[derive(Clone, Debug, Default)]
pub struct Followed {
    /// Revisions that were put in force, rising, with how many connections each
    /// closed.
    revisions: VecDeque<(u64, usize)>,
}

impl Followed {
    /// Whether a revision is in force, or a later one.
    pub(super) fn has_reached(&self, revision: u64) -> bool {
        self.revisions.back().is_some_and(|(last, _)| *last >= revision)
    }

    /// How many connections a revision closed; several that were put in force
    /// together did it together.
    pub(super) fn closed_by(&self, revision: u64) -> usize {
        let reached = self.revisions.iter().find(|(reached, _)| *reached >= revision);
        reached.map_or(0, |(_, closed)| *closed)
    }

    /// Notes what a revision did; whether it is news.
    pub(super) fn note(&mut self, revision: u64, closed: usize) -> bool {
        let is_new = !self.has_reached(revision);
        if is_new {
            self.revisions.push_back((revision, closed));
            if self.revisions.len() > REMEMBERED {
                self.revisions.pop_front();
            }
        }
        is_new
    }
}

/// Keeps the apps as the state has them, until told to stop.
pub(super) async fn follow(
    mut assembly: Assembly,
    mut state: watch::Receiver<Arc<State>>,
    sites: watch::Sender<Arc<Sites>>,
    shared: Arc<Shared>,
    followed: watch::Sender<Followed>,
    stop: CancellationToken,
) {
    let mut tick = tokio::time::interval(patience::SWEEP);
    tick.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            changed = state.changed() => {
                if changed.is_err() {
                    return;
                }
            }
            () = assembly.trust.changed() => {}
            _ = tick.tick() => {
                sweep(&shared);
                continue;
            }
        }
        let new = Arc::clone(&state.borrow_and_update());
        let closed = take_over(&mut assembly, &new, &sites, &shared);
        // What files close is not what the revision before them closed.
        followed.send_if_modified(|followed| followed.note(new.revision, closed));
    }
}

/// Puts a state in force; answers how many connections it closed.
pub(super) fn take_over(
    assembly: &mut Assembly,
    state: &State,
    sites: &watch::Sender<Arc<Sites>>,
    shared: &Shared,
) -> usize {
    let before = shared.sites();
    let assembled = Arc::new(assembly.assemble(state, &before));
    sites.send_replace(Arc::clone(&assembled));
    close_unwanted(shared, &assembled)
}

/// A connection that was let in by the rules before and is added after this
/// look asks for itself.
fn close_unwanted(shared: &Shared, sites: &Sites) -> usize {
    let now = super::now_s();
    let mut closed = shared.handshakes.send_away(Reason::RevokedEntry, |pending| {
        sites.may_enter(pending.source, pending.port, now)
    });
    shared.lives.for_each(|live| closed += obey(shared, live, sites, now));
    if closed > 0 {
        tracing::info!(closed, "connections were closed: they would no longer be let in");
    }
    closed
}

fn sweep(shared: &Shared) {
    let sites = shared.sites();
    if sites.iter().any(|site| site.app.list.temporary().next().is_some()) {
        close_unwanted(shared, &sites);
    }
    sites.iter().filter_map(|site| site.destination.as_ref()).for_each(|to| to.sweep());
    shared.lives.for_each(|live| end_overdue(shared, live));
}

/// Ends what the client has kept waiting for too long.
fn end_overdue(shared: &Shared, live: &Live) {
    let streams = live.streams.all();
    let is_held = streams.iter().any(|stream| stream.is_held.load(Ordering::Relaxed));
    for stream in streams {
        let overdue = stream.waits.overdue();
        // Where an upstream does not take what was sent, the client may not send more.
        if overdue.is_some_and(|wait| wait != Wait::Body || !is_held) {
            end_stream(shared, live, &stream, Reason::ClientTimeout);
        }
    }
    match live.waits.overdue() {
        None => {}
        // It ends in order: nothing is open on it. Who does not take part in
        // that is closed.
        Some(Wait::Idle) if live.waits.lasts(Wait::Idle) <= Some(patience::LONGEST_IDLE) => {
            live.retiring.give();
        }
        Some(Wait::Idle | Wait::Head | Wait::Body | Wait::Reading | Wait::Tunnel) => {
            live.close(Reason::ClientTimeout);
        }
    }
}

/// Ends what the rules do not let in any more; answers how much that was.
pub(super) fn obey(shared: &Shared, live: &Live, sites: &Sites, now: u32) -> usize {
    match unwanted(live, sites, now) {
        Ok(site) => {
            let bound = live.bound();
            let unwanted = bound.iter().filter(|bound| {
                let reason = unwanted_claims(live, site, sites, &bound.claims, now);
                reason.is_some_and(|reason| match bound.stream() {
                    Some(stream) => end_stream(shared, live, stream, reason),
                    None => live.close(reason),
                })
            });
            unwanted.count()
        }
        Err(reason) => live.close(reason).into(),
    }
}

/// Ends one request of many, and counts it; answers whether it was open.
fn end_stream(shared: &Shared, live: &Live, stream: &Stream, reason: Reason) -> bool {
    let may_end = stream.may_end();
    if may_end {
        // Counted before the client can notice.
        connection::note_end(shared, live, "request ended", reason);
        stream.end();
    }
    may_end
}

/// The app of a connection, or why it would not be let in now.
fn unwanted<'a>(live: &Live, sites: &'a Sites, now: u32) -> Result<&'a Site, Reason> {
    let answering = sites.find(&live.name).filter(|site| site.app.id == live.app);
    let site = answering.ok_or(Reason::RevokedName)?;
    if site.certificate_rules != live.certificate_rules {
        return Err(Reason::RevokedCertificate);
    }
    let peer = live.peer.ip().to_canonical();
    let is_revoked = match live.client {
        Client::Known(client) => {
            let is_hops = client != peer && !site.has_hop(peer);
            is_hops || site.refuses(sites, client, live.port, now)
        }
        Client::PerRequest => !site.has_hop(peer),
    };
    if is_revoked { Err(Reason::RevokedEntry) } else { Ok(site) }
}

/// Why a request would not be let in now.
fn unwanted_claims(
    live: &Live,
    site: &Site,
    sites: &Sites,
    claims: &Claims,
    now: u32,
) -> Option<Reason> {
    let is_against = |reason: Reason| reason.decide(site.app.mode) == Verdict::Drop;
    let is_foreign = match &claims.origin {
        Origin::Free => false,
        Origin::Missing => site.app.require_origin && is_against(Reason::OriginMissing),
        Origin::Named(origin) => !site.admits_origin(origin) && is_against(Reason::Origin),
    };
    if is_foreign {
        return Some(Reason::RevokedOrigin);
    }
    let is_refused = |client| site.refuses(sites, client, live.port, now);
    claims.client.is_some_and(is_refused).then_some(Reason::RevokedEntry)
}

/// Lets open requests end; whoever has not ended by then is cut off.
pub(super) async fn drain(shared: &Shared) {
    shared.lives.retire();
    let ended = async {
        while shared.lives.len() > 0 {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    if tokio::time::timeout(patience::DRAIN, ended).await.is_err() {
        tracing::info!(open = shared.lives.len(), "requests that are still open are cut off");
    }
}
