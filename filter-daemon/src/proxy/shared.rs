//! What all threads of the proxy hold together.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;

use tokio::sync::watch;

use super::crowd::Crowd;
use super::handshakes::Handshakes;
use super::live::Lives;
use super::refusals::{Notice, Refusals};
use super::site::{Site, Sites};
use super::tally::Tally;
use crate::id::ObjectId;

/// Handles and tables; cheap to reach from any thread.
pub(super) struct Shared {
    pub(super) sites: watch::Receiver<Arc<Sites>>,
    pub(super) lives: Lives,
    pub(super) handshakes: Arc<Handshakes>,
    pub(super) connections: Arc<Crowd>,
    pub(super) tally: Arc<Tally>,
    pub(super) refusals: Refusals,
    /// Where it listens, with why it does not.
    pub(super) places: watch::Sender<BTreeMap<SocketAddr, Option<String>>>,
}

impl Shared {
    /// The apps as they are now.
    pub(super) fn sites(&self) -> Arc<Sites> {
        Arc::clone(&self.sites.borrow())
    }

    /// Notes how an address fares; answers whether that is news.
    pub(super) fn note_place(&self, address: SocketAddr, trouble: Option<String>) -> bool {
        self.places
            .send_if_modified(|places| places.insert(address, trouble.clone()) != Some(trouble))
    }

    /// Tells of a refusal for which no app is known.
    pub(super) fn tell(&self, notice: &Notice<'_>) {
        self.refusals.tell(&self.tally.of(None), notice);
    }

    /// An app as it is now.
    pub(super) fn site(&self, app: ObjectId) -> Option<(Arc<Site>, Arc<Sites>)> {
        let sites = self.sites();
        let site = Arc::clone(sites.get(app)?);
        Some((site, sites))
    }
}
