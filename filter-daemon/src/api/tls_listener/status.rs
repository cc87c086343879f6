//! How the listeners and their certificate fare, for `status`.

use std::collections::BTreeMap;
use std::net::SocketAddr;

use tokio::sync::watch;

use crate::tls::{Held, PairFiles};

/// What is listened on, and what is shown there.
#[derive(Clone, Debug)]
pub struct ListenerStatus {
    /// Each address, with why it is not listened on.
    pub places: BTreeMap<SocketAddr, Option<String>>,
    /// The certificate's files; the daemon's own authority without any.
    pub files: Option<PairFiles>,
    held: watch::Receiver<Held>,
}

impl ListenerStatus {
    pub(super) fn new(
        listen: &[SocketAddr],
        files: Option<PairFiles>,
        held: watch::Receiver<Held>,
    ) -> Self {
        let not_yet = |address: &SocketAddr| (*address, Some("not yet".to_owned()));
        Self { places: listen.iter().map(not_yet).collect(), files, held }
    }

    /// The certificate as it is now.
    pub fn held(&self) -> Held {
        self.held.borrow().clone()
    }

    /// Notes how an address fares; answers whether that is news.
    pub(super) fn note(&mut self, address: SocketAddr, fares: Result<(), &str>) -> bool {
        let trouble = fares.err().map(str::to_owned);
        let is_news = self.places.get(&address) != Some(&trouble);
        self.places.insert(address, trouble);
        is_news
    }
}
