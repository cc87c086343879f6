//! Connections that are not past their handshake: each has its place among
//! them, and goes when it has to make room or would no longer be let in.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use super::crowd::{Crowd, Place};
use super::reason::Reason;
use super::signal::Signal;

/// All of them.
#[derive(Debug)]
pub(super) struct Handshakes {
    crowd: Arc<Crowd>,
    all: Mutex<HashMap<u64, Arc<Pending>>>,
    next: AtomicU64,
}

/// One of them.
#[derive(Debug)]
pub(super) struct Pending {
    pub(super) source: IpAddr,
    /// The port of this host that it came to.
    pub(super) port: u16,
    leave: Arc<Signal>,
    why: OnceLock<Reason>,
}

/// A place among them; it ends with the value.
#[derive(Debug)]
pub(super) struct Handshake {
    all: Arc<Handshakes>,
    number: u64,
    pending: Arc<Pending>,
    _place: Place,
}

impl Handshakes {
    /// Room for so many.
    pub(super) fn new(limit: usize) -> Arc<Self> {
        let crowd = Crowd::new(limit);
        Arc::new(Self { crowd, all: Mutex::default(), next: AtomicU64::new(0) })
    }

    /// Lets one in.
    pub(super) fn enter(self: &Arc<Self>, source: IpAddr, port: u16) -> Handshake {
        let leave = Arc::<Signal>::default();
        let place = self.crowd.enter(source, Arc::clone(&leave));
        let pending = Arc::new(Pending { source, port, leave, why: OnceLock::new() });
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        self.lock().insert(number, Arc::clone(&pending));
        Handshake { all: Arc::clone(self), number, pending, _place: place }
    }

    /// Sends those away that may not stay; answers how many.
    pub(super) fn send_away(&self, reason: Reason, may_stay: impl Fn(&Pending) -> bool) -> usize {
        let all = self.lock();
        let gone = all.values().filter(|pending| !may_stay(pending) && pending.leave(reason));
        gone.count()
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<u64, Arc<Pending>>> {
        self.all.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Pending {
    fn leave(&self, reason: Reason) -> bool {
        !self.leave.is_given() && self.why.set(reason).is_ok() && self.leave.give()
    }
}

impl Handshake {
    /// Works until it has to go: then answers why.
    pub(super) async fn run<T>(&self, work: impl Future<Output = T>) -> Result<T, Reason> {
        let done = self.pending.leave.or(work).await;
        done.ok_or_else(|| self.pending.why.get().copied().unwrap_or(Reason::Crowded))
    }
}

impl Drop for Handshake {
    fn drop(&mut self) {
        self.all.lock().remove(&self.number);
    }
}
