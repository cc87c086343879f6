//! The second tier: a reverse proxy that enforces what packets cannot show.
//!
//! ```text
//! accept ─► client (peer, or a trusted hop's word) ─► the lists of all apps ─►
//! ClientHello names the app ─► its list ─► TLS 1.3 ─► HTTP ─► host ─► origin ─►
//! upstream, from a configured address
//! ```
//!
//! Owns its sockets, its threads and its counts. Never changes state, and reads
//! the packet tier's lists from the same state.
//!
//! Invariants: nothing is answered before the app's list has decided; a refused
//! request never reaches an upstream; whoever would no longer be let in is
//! closed when the state changes.

mod admission;
mod assembly;
mod body;
mod certificates;
mod chunks;
mod clock;
mod connection;
mod crowd;
mod deadline;
mod exchange;
mod fields;
mod follow;
mod forwarded;
mod handshake;
mod handshakes;
mod head;
mod hop;
mod http1;
mod line;
mod listener;
mod live;
mod outbound;
mod patience;
mod prefixed;
mod reason;
mod refusal;
mod refusals;
mod screen;
mod sent;
mod shared;
mod signal;
mod site;
mod status;
mod stream;
mod tally;
mod target;
mod thread;
mod trust;
mod upload;
mod upstream;
mod waits;

use std::collections::BTreeMap;
use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::AtomicUsize;
use std::time::SystemTime;

use tokio::sync::{broadcast, watch};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

pub use follow::Followed;
pub use reason::Reason;
pub use refusals::Refused;
pub use status::ProxyStatus;
pub use tally::TallyRow;

use crate::config::{FailSafe, Outbound};
use crate::id::ObjectId;
use crate::state::State;
use assembly::Assembly;
use certificates::Certificates;
use crowd::Crowd;
use handshakes::Handshakes;
use listener::Listener;
use live::Lives;
use refusals::Refusals;
use shared::Shared;
use site::Sites;
use tally::Tally;
use thread::Threads;
use trust::TrustFiles;

/// What a proxy is made of.
pub struct ProxyParts {
    /// Where it listens.
    pub listeners: Vec<SocketAddr>,
    /// Source addresses of connections to upstreams.
    pub outbound: Vec<Outbound>,
    /// Sources that pass before any list.
    pub fail_safe: Vec<FailSafe>,
    /// Connections at one time.
    pub connections: usize,
    /// Where the daemon's own authority is.
    pub directory: PathBuf,
    /// What it follows.
    pub state: watch::Receiver<Arc<State>>,
}

/// A proxy that listens and does not serve yet.
pub struct Proxy {
    listeners: Vec<Listener>,
    assembly: Assembly,
    state: watch::Receiver<Arc<State>>,
    sites: watch::Sender<Arc<Sites>>,
    shared: Arc<Shared>,
    followed: watch::Sender<Followed>,
    shutdown: CancellationToken,
}

/// What front ends see of a proxy. Cheap to clone.
#[derive(Clone)]
pub struct View {
    tally: Arc<Tally>,
    refusals: Refusals,
    followed: watch::Receiver<Followed>,
    sites: watch::Receiver<Arc<Sites>>,
    places: watch::Receiver<BTreeMap<SocketAddr, Option<String>>>,
}

impl View {
    /// Every count that is not zero.
    pub fn rows(&self) -> Vec<TallyRow> {
        self.tally.rows()
    }

    /// Refusals from now on, a few of many.
    pub fn refusals(&self) -> broadcast::Receiver<Refused> {
        self.refusals.follow()
    }

    /// How many refusals were not told one by one.
    pub fn untold(&self) -> u64 {
        self.tally.untold()
    }

    /// How it fares.
    pub fn status(&self) -> ProxyStatus {
        let sites = Arc::clone(&self.sites.borrow());
        let troubles = sites
            .iter()
            .flat_map(|site| site.troubles().into_iter().map(|trouble| (site.app.id, trouble)));
        let mut troubles: Vec<_> = troubles.collect();
        troubles.sort();
        ProxyStatus { places: self.places.borrow().clone(), troubles }
    }

    /// Why nobody is served of some apps.
    pub fn outages(&self, apps: &[ObjectId]) -> Vec<String> {
        let sites = Arc::clone(&self.sites.borrow());
        apps.iter().filter_map(|app| sites.get(*app)).flat_map(|site| site.outages()).collect()
    }

    /// Waits until a revision is in force; answers how many connections that
    /// closed.
    pub async fn closed_by(&self, revision: u64) -> usize {
        let mut followed = self.followed.clone();
        let reached = followed.wait_for(|followed| followed.has_reached(revision)).await;
        reached.map_or(0, |followed| followed.closed_by(revision))
    }
}

impl Proxy {
    /// Opens the ports.
    pub fn new(parts: ProxyParts, shutdown: CancellationToken) -> Self {
        let ProxyParts { listeners, outbound, fail_safe, connections, directory, state } = parts;
        let (sites, watched) = watch::channel(Arc::new(Sites::default()));
        let tally = Arc::new(Tally::default());
        let shared = Arc::new(Shared {
            sites: watched,
            lives: Lives::default(),
            handshakes: Handshakes::new(patience::MOST_HANDSHAKES),
            connections: Crowd::new(connections),
            tally: Arc::clone(&tally),
            refusals: Refusals::default(),
            places: watch::Sender::default(),
        });
        let assembly = Assembly {
            certificates: Certificates::new(directory, shutdown.clone()),
            trust: TrustFiles::new(shutdown.clone()),
            outbound,
            fail_safe,
            tally,
            threads: std::thread::available_parallelism().map_or(1, usize::from),
            rules: 0,
        };
        let (followed, _) = watch::channel(Followed::default());
        let open = |address| Listener::open(address, &shared);
        let listeners = listeners.into_iter().map(open).collect();
        Self { listeners, assembly, state, sites, shared, followed, shutdown }
    }

    /// What front ends see of it.
    pub fn view(&self) -> View {
        View {
            tally: Arc::clone(&self.shared.tally),
            refusals: self.shared.refusals.clone(),
            followed: self.followed.subscribe(),
            sites: self.sites.subscribe(),
            places: self.shared.places.subscribe(),
        }
    }

    /// Serves until told to stop, then lets open requests end.
    pub async fn run(mut self) -> io::Result<()> {
        let first = Arc::clone(&self.state.borrow_and_update());
        follow::take_over(&mut self.assembly, &first, &self.sites, &self.shared);
        self.followed.send_if_modified(|followed| followed.note(first.revision, 0));
        let threads = Threads::start(self.assembly.threads, &self.shared)?;
        let mut tasks = JoinSet::new();
        let turn = Arc::new(AtomicUsize::new(0));
        for listener in self.listeners {
            let (shared, senders) = (Arc::clone(&self.shared), threads.senders.clone());
            let stop = self.shutdown.clone();
            tasks.spawn(listener::accept(listener, shared, senders, Arc::clone(&turn), stop));
        }
        let shared = Arc::clone(&self.shared);
        let stop = self.shutdown.clone();
        let following =
            follow::follow(self.assembly, self.state, self.sites, shared, self.followed, stop);
        tasks.spawn(async move {
            following.await;
            Ok(())
        });
        while let Some(ended) = tasks.join_next().await {
            ended.map_err(io::Error::other)??;
        }
        follow::drain(&self.shared).await;
        tokio::task::spawn_blocking(move || threads.stop()).await.map_err(io::Error::other)
    }
}

/// The second of the wall clock, as lists have it.
fn now_s() -> u32 {
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    u32::try_from(now.as_secs()).unwrap_or(u32::MAX)
}
