//! The connections that are open: who they were let in for, and what they wait
//! for. Whoever would no longer be let in is closed, whoever waits for too
//! long as well.

use std::collections::HashMap;
use std::net::{IpAddr, SocketAddr};
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use super::patience;
use super::reason::Reason;
use super::signal::Signal;
use super::stream::{Stream, Streams};
use super::waits::{Wait, Waits};
use crate::id::ObjectId;
use crate::server_name::HostName;

/// All connections that are past their handshake.
#[derive(Debug, Default)]
pub(super) struct Lives {
    all: Mutex<HashMap<u64, Arc<Live>>>,
    next: AtomicU64,
    /// Whether all retire, also those that come yet.
    are_retiring: AtomicBool,
}

/// One connection.
#[derive(Debug)]
pub(super) struct Live {
    /// The app that it was let in for.
    pub(super) app: ObjectId,
    /// The far end of the TCP connection.
    pub(super) peer: SocketAddr,
    /// The port of this host that it came to.
    pub(super) port: u16,
    /// Whose connection it is; a trusted hop's says so in each request.
    pub(super) client: Client,
    /// The name that it asked for.
    pub(super) name: HostName,
    /// Tells the rules for client certificates that it was accepted under.
    pub(super) certificate_rules: u64,
    /// Given when it is to end at once.
    pub(super) closing: Arc<Signal>,
    /// Given when it is to end after what is open on it.
    pub(super) retiring: Signal,
    why: OnceLock<Reason>,
    /// What is open on it that depends on more than the connection.
    bound: Mutex<Vec<Bound>>,
    next_bound: AtomicU64,
    open: AtomicU32,
    /// What all of it waits for; an HTTP/2 request has its own.
    pub(super) waits: Waits,
    /// The requests of an HTTP/2 connection.
    pub(super) streams: Arc<Streams>,
    answering: AtomicU32,
    listens: AtomicBool,
    has_written: AtomicBool,
}

/// Whose connection it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Client {
    /// This client's.
    Known(IpAddr),
    /// A trusted hop's, which names the client of each request.
    PerRequest,
}

impl Client {
    /// Who it is, where the whole connection is one client's.
    pub(super) fn known(self) -> Option<IpAddr> {
        match self {
            Self::Known(client) => Some(client),
            Self::PerRequest => None,
        }
    }
}

/// What the rules have looked at in a request, beside its connection.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Claims {
    pub(super) origin: Origin,
    /// The client that a trusted hop named.
    pub(super) client: Option<IpAddr>,
}

/// What a request says about where it comes from.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) enum Origin {
    /// Nothing, and it need not.
    #[default]
    Free,
    /// Nothing, and an app may want it to.
    Missing,
    /// This.
    Named(Box<str>),
}

/// A request that is open and depends on its claims.
#[derive(Clone, Debug)]
pub(super) struct Bound {
    number: u64,
    pub(super) claims: Claims,
    stream: Option<Arc<Stream>>,
}

/// An open request; it ends with the value.
#[derive(Debug)]
pub(super) struct Open {
    live: Arc<Live>,
    bound: Option<u64>,
}

/// A request that was read, also when nothing was done about it yet.
#[derive(Debug)]
pub(super) struct Answering(Arc<Live>);

impl Drop for Answering {
    fn drop(&mut self) {
        self.0.answering.fetch_sub(1, Ordering::Relaxed);
    }
}

/// What a connection is made for.
pub(super) struct Admitted {
    pub(super) app: ObjectId,
    pub(super) peer: SocketAddr,
    pub(super) port: u16,
    pub(super) client: Client,
    pub(super) name: HostName,
    pub(super) certificate_rules: u64,
}

impl Lives {
    /// Adds a connection; it is there until `remove`.
    pub(super) fn add(&self, admitted: Admitted, closing: Arc<Signal>) -> (u64, Arc<Live>) {
        let Admitted { app, peer, port, client, name, certificate_rules } = admitted;
        let live = Arc::new(Live {
            app,
            peer,
            port,
            client,
            name,
            certificate_rules,
            closing,
            retiring: Signal::default(),
            why: OnceLock::new(),
            bound: Mutex::default(),
            next_bound: AtomicU64::new(0),
            open: AtomicU32::new(0),
            waits: Waits::default(),
            streams: Arc::default(),
            answering: AtomicU32::new(0),
            listens: AtomicBool::new(false),
            has_written: AtomicBool::new(false),
        });
        live.waits.begin(Wait::Idle);
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        self.lock().insert(number, Arc::clone(&live));
        if self.are_retiring.load(Ordering::SeqCst) {
            live.retiring.give();
        }
        (number, live)
    }

    /// Has all of them end after what is open on them.
    pub(super) fn retire(&self) {
        self.are_retiring.store(true, Ordering::SeqCst);
        self.for_each(|live| {
            live.retiring.give();
        });
    }

    /// Forgets a connection that has ended.
    pub(super) fn remove(&self, number: u64) {
        self.lock().remove(&number);
    }

    /// How many there are.
    pub(super) fn len(&self) -> usize {
        self.lock().len()
    }

    /// Does something with each.
    pub(super) fn for_each(&self, mut each: impl FnMut(&Live)) {
        self.lock().values().for_each(|live| each(live));
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<u64, Arc<Live>>> {
        self.all.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Live {
    /// Why it was closed, if it was.
    pub(super) fn why(&self) -> Option<Reason> {
        self.why.get().copied()
    }

    /// Closes it; answers whether it was open.
    pub(super) fn close(&self, reason: Reason) -> bool {
        self.why.set(reason).is_ok() && self.closing.give()
    }

    /// What is open and depends on more than the connection.
    pub(super) fn bound(&self) -> Vec<Bound> {
        self.bound.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Whether nothing of a request has come since the last one's end.
    pub(super) fn set_listens(&self, listens: bool) {
        self.listens.store(listens, Ordering::Relaxed);
    }

    /// Whether something was written that may not have left yet.
    pub(super) fn set_written(&self, has_written: bool) {
        self.has_written.store(has_written, Ordering::Relaxed);
    }

    /// Whether the connection has waited for a request for a while, and all
    /// answers have left.
    pub(super) fn may_rest(&self) -> bool {
        let is_idle = self.waits.lasts(Wait::Idle).is_some_and(|lasts| lasts > patience::REST);
        let is_answering = self.answering.load(Ordering::Relaxed) > 0;
        let has_written = self.has_written.load(Ordering::Relaxed);
        is_idle && self.listens.load(Ordering::Relaxed) && !is_answering && !has_written
    }

    /// A request was read, and is answered until the value is gone.
    pub(super) fn answer(self: &Arc<Self>) -> Answering {
        self.answering.fetch_add(1, Ordering::Relaxed);
        Answering(Arc::clone(self))
    }

    /// Begins a request.
    pub(super) fn open(self: &Arc<Self>, claims: Claims) -> Open {
        self.waits.end(Wait::Idle);
        self.open.fetch_add(1, Ordering::Relaxed);
        let bound = (claims != Claims::default()).then(|| {
            let number = self.next_bound.fetch_add(1, Ordering::Relaxed);
            let mut bound = self.bound.lock().unwrap_or_else(PoisonError::into_inner);
            bound.push(Bound { number, claims, stream: Stream::current() });
            number
        });
        Open { live: Arc::clone(self), bound }
    }

    /// A request was refused: the next one is waited for anew.
    pub(super) fn wait_for_next(&self) {
        if self.open.load(Ordering::Relaxed) == 0 {
            self.waits.begin(Wait::Idle);
        }
    }
}

impl Bound {
    /// The request of HTTP/2 that it is; one of HTTP/1 has its connection.
    pub(super) fn stream(&self) -> Option<&Stream> {
        self.stream.as_deref()
    }
}

impl Open {
    /// The connection that it is on.
    pub(super) fn live(&self) -> &Arc<Live> {
        &self.live
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        if let Some(number) = self.bound {
            let mut bound = self.live.bound.lock().unwrap_or_else(PoisonError::into_inner);
            bound.retain(|bound| bound.number != number);
        }
        if self.live.open.fetch_sub(1, Ordering::Relaxed) == 1 {
            self.live.waits.begin(Wait::Idle);
        }
    }
}
