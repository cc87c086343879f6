//! The connections that are open: who they were let in for, and what they wait
//! for. Whoever would no longer be let in is closed, whoever waits for too
//! long as well.

use std::collections::HashMap;
use std::net::{IpAddr, SocketAddr};
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::{Duration, Instant};

use tokio_util::sync::CancellationToken;

use super::reason::Reason;
use crate::id::ObjectId;
use crate::server_name::HostName;

/// All connections that are past their handshake.
#[derive(Debug, Default)]
pub(super) struct Lives {
    all: Mutex<HashMap<u64, Arc<Live>>>,
    next: AtomicU64,
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
    closing: CancellationToken,
    retiring: CancellationToken,
    why: OnceLock<Reason>,
    /// What is open on it that depends on more than the connection.
    bound: Mutex<Vec<Bound>>,
    next_bound: AtomicU64,
    open: AtomicU32,
    waits: [AtomicU32; Wait::COUNT],
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

/// A request that is open and depends on its origin or its own client.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Bound {
    number: u64,
    /// The origin that it named.
    pub(super) origin: Option<Box<str>>,
    /// The client that the trusted hop named.
    pub(super) client: Option<IpAddr>,
}

/// What the other end is waited for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Wait {
    /// The next request.
    Idle,
    /// The rest of a head.
    Head,
    /// More of a body.
    Body,
    /// That it reads what was sent.
    Reading,
    /// Anything in a tunnel.
    Tunnel,
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

impl Wait {
    const ALL: [Self; 5] = [Self::Idle, Self::Head, Self::Body, Self::Reading, Self::Tunnel];
    const COUNT: usize = Self::ALL.len();

    fn patience(self) -> Duration {
        match self {
            Self::Idle => super::patience::IDLE,
            Self::Head => super::patience::HEAD,
            Self::Body | Self::Reading => super::patience::CLIENT,
            Self::Tunnel => super::patience::TUNNEL,
        }
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
    pub(super) fn add(
        &self,
        admitted: Admitted,
        closing: CancellationToken,
        retiring: CancellationToken,
    ) -> (u64, Arc<Live>) {
        let Admitted { app, peer, port, client, name, certificate_rules } = admitted;
        let live = Arc::new(Live {
            app,
            peer,
            port,
            client,
            name,
            certificate_rules,
            closing,
            retiring,
            why: OnceLock::new(),
            bound: Mutex::default(),
            next_bound: AtomicU64::new(0),
            open: AtomicU32::new(0),
            waits: std::array::from_fn(|_| AtomicU32::new(0)),
            answering: AtomicU32::new(0),
            listens: AtomicBool::new(false),
            has_written: AtomicBool::new(false),
        });
        live.wait(Wait::Idle);
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        self.lock().insert(number, Arc::clone(&live));
        (number, live)
    }

    /// Forgets a connection that has ended.
    pub(super) fn remove(&self, number: u64) {
        self.lock().remove(&number);
    }

    /// How many there are.
    pub(super) fn len(&self) -> usize {
        self.lock().len()
    }

    /// Closes those that a judge finds a reason against; answers how many.
    pub(super) fn close_those(&self, judge: impl Fn(&Live) -> Option<Reason>) -> Vec<Arc<Live>> {
        let mut closed = Vec::new();
        for live in self.lock().values() {
            if let Some(reason) = judge(live)
                && live.close(reason)
            {
                closed.push(Arc::clone(live));
            }
        }
        closed
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<u64, Arc<Live>>> {
        self.all.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Live {
    /// Cancelled when the connection is to end at once.
    pub(super) fn closing(&self) -> &CancellationToken {
        &self.closing
    }

    /// Cancelled when the connection is to end after what is open on it.
    pub(super) fn retiring(&self) -> &CancellationToken {
        &self.retiring
    }

    /// Why it was closed, if it was.
    pub(super) fn why(&self) -> Option<Reason> {
        self.why.get().copied()
    }

    /// Closes it; answers whether it was open.
    pub(super) fn close(&self, reason: Reason) -> bool {
        let is_first = self.why.set(reason).is_ok() && !self.closing.is_cancelled();
        self.closing.cancel();
        is_first
    }

    /// What is open and depends on more than the connection.
    pub(super) fn bound(&self) -> Vec<Bound> {
        self.bound.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Whether something has been waited for longer than there is patience.
    pub(super) fn overdue(&self) -> Option<Wait> {
        let now = seconds();
        Wait::ALL.into_iter().find(|wait| {
            let since = self.waits[*wait as usize].load(Ordering::Relaxed);
            since != 0 && u64::from(now.saturating_sub(since)) > wait.patience().as_secs()
        })
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
        let idle_since = self.waits[Wait::Idle as usize].load(Ordering::Relaxed);
        let is_idle = idle_since != 0 && idle_since + 1 < seconds();
        let is_answering = self.answering.load(Ordering::Relaxed) > 0;
        let has_written = self.has_written.load(Ordering::Relaxed);
        is_idle && self.listens.load(Ordering::Relaxed) && !is_answering && !has_written
    }

    /// A request was read, and is answered until the value is gone.
    pub(super) fn answer(self: &Arc<Self>) -> Answering {
        self.answering.fetch_add(1, Ordering::Relaxed);
        Answering(Arc::clone(self))
    }

    /// From now on this is waited for.
    pub(super) fn wait(&self, wait: Wait) {
        self.waits[wait as usize].store(seconds(), Ordering::Relaxed);
    }

    /// It is waited for already, or from now on.
    pub(super) fn keep_waiting(&self, wait: Wait) {
        let cell = &self.waits[wait as usize];
        if cell.load(Ordering::Relaxed) == 0 {
            cell.store(seconds(), Ordering::Relaxed);
        }
    }

    /// It came.
    pub(super) fn done(&self, wait: Wait) {
        let cell = &self.waits[wait as usize];
        if cell.load(Ordering::Relaxed) != 0 {
            cell.store(0, Ordering::Relaxed);
        }
    }

    /// Begins a request.
    pub(super) fn open(self: &Arc<Self>, origin: Option<Box<str>>, client: Option<IpAddr>) -> Open {
        self.done(Wait::Idle);
        self.open.fetch_add(1, Ordering::Relaxed);
        let bound = (origin.is_some() || client.is_some()).then(|| {
            let number = self.next_bound.fetch_add(1, Ordering::Relaxed);
            let mut bound = self.bound.lock().unwrap_or_else(PoisonError::into_inner);
            bound.push(Bound { number, origin, client });
            number
        });
        Open { live: Arc::clone(self), bound }
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
            self.live.wait(Wait::Idle);
        }
    }
}

/// Seconds since the first call, from 1.
fn seconds() -> u32 {
    static START: OnceLock<Instant> = OnceLock::new();
    let elapsed = START.get_or_init(Instant::now).elapsed().as_secs();
    u32::try_from(elapsed).unwrap_or(u32::MAX - 1) + 1
}
