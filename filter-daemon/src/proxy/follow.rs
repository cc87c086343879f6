//! Follows the state and the files that it names: new connections meet the new
//! rules, and open ones that would no longer be let in are closed, within a
//! second and counted.

use std::sync::Arc;
use std::time::Duration;

use filter_common::verdict::Verdict;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use super::assembly::Assembly;
use super::live::{Client, Live, Wait};
use super::patience;
use super::reason::Reason;
use super::shared::Shared;
use super::site::{Site, Sites};
use crate::state::State;

/// What a change of the state did to open connections.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Followed {
    /// The revision that is in force.
    pub revision: u64,
    /// How many connections it closed.
    pub closed: usize,
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
        followed.send_if_modified(|followed| {
            let is_new = followed.revision != new.revision;
            if is_new {
                *followed = Followed { revision: new.revision, closed };
            }
            is_new
        });
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
    let closed = shared.lives.close_those(|live| unwanted(live, sites, now)).len();
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
    shared.lives.close_those(|live| match live.overdue() {
        None => None,
        Some(Wait::Idle) => {
            // It ends in order: nothing is open on it.
            live.retiring().cancel();
            None
        }
        Some(Wait::Head | Wait::Body | Wait::Reading | Wait::Tunnel) => Some(Reason::ClientTimeout),
    });
}

/// Why a connection would not be let in now.
pub(super) fn unwanted(live: &Live, sites: &Sites, now: u32) -> Option<Reason> {
    let answering = sites.find(&live.name).filter(|site| site.app.id == live.app);
    let Some(site) = answering else { return Some(Reason::RevokedName) };
    if site.certificate_rules != live.certificate_rules {
        return Some(Reason::RevokedCertificate);
    }
    let peer = live.peer.ip().to_canonical();
    let is_refused =
        |client| site.judge(sites, client, live.port, now).decide(site.app.mode) == Verdict::Drop;
    let revoked = match live.client {
        Client::Known(client) => is_refused(client) || (client != peer && !site.has_hop(peer)),
        Client::PerRequest => !site.has_hop(peer),
    };
    if revoked {
        return Some(Reason::RevokedEntry);
    }
    let is_refused = |client: Option<std::net::IpAddr>| client.is_some_and(is_refused);
    live.bound().iter().find_map(|bound| match &bound.origin {
        Some(origin) if is_foreign(site, origin) => Some(Reason::RevokedOrigin),
        Some(_) | None => is_refused(bound.client).then_some(Reason::RevokedEntry),
    })
}

fn is_foreign(site: &Site, origin: &str) -> bool {
    !site.admits_origin(origin) && Reason::Origin.decide(site.app.mode) == Verdict::Drop
}

/// Lets open requests end; whoever has not ended by then is cut off.
pub(super) async fn drain(shared: &Shared) {
    shared.draining.cancel();
    let ended = async {
        while shared.lives.len() > 0 {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    if tokio::time::timeout(patience::DRAIN, ended).await.is_err() {
        tracing::info!(open = shared.lives.len(), "requests that are still open are cut off");
    }
}
