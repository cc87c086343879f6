//! What a front end holds: the way to change state, and views of the rest.

use std::collections::HashMap;
use std::sync::Arc;

use tokio::sync::{broadcast, watch};

use crate::api::ListenerStatus;
use crate::auth::Auth;
use crate::command::Request;
use crate::config::Outbound;
use crate::id::ObjectId;
use crate::observe::{CounterRow, Drop, EntryHits, Observer, Unseen};
use crate::proxy::{ProxyStatus, Refused, TallyRow, View};
use crate::reconcile::{Applied, Status, Switch};
use crate::store::{Done, Handle, StoreError};

/// Everything that a front end may do. Cheap to clone.
#[derive(Clone)]
pub struct Control {
    store: Handle,
    status: watch::Receiver<Status>,
    switch: Switch,
    observer: Observer,
    auth: Auth,
    listener: Option<watch::Receiver<ListenerStatus>>,
    outbound: Arc<[Outbound]>,
    proxy: Option<View>,
}

impl Control {
    /// Puts the handles of the running parts together.
    pub fn new(
        store: Handle,
        status: watch::Receiver<Status>,
        switch: Switch,
        observer: Observer,
        auth: Auth,
    ) -> Self {
        let outbound = Arc::default();
        Self { store, status, switch, observer, auth, listener: None, outbound, proxy: None }
    }

    /// Also tells how the Admin API's listeners fare.
    pub fn with_listener(self, listener: Option<watch::Receiver<ListenerStatus>>) -> Self {
        Self { listener, ..self }
    }

    /// How the Admin API's listeners fare, if there are any.
    pub fn listener(&self) -> Option<ListenerStatus> {
        self.listener.as_ref().map(|listener| listener.borrow().clone())
    }

    /// Who may use the Admin API over TLS.
    pub fn auth(&self) -> &Auth {
        &self.auth
    }

    /// The same with addresses that the proxy tier sends from.
    pub fn with_outbound(self, outbound: &[Outbound]) -> Self {
        Self { outbound: outbound.into(), ..self }
    }

    /// The addresses that the proxy tier sends from.
    pub fn outbound(&self) -> &[Outbound] {
        &self.outbound
    }

    /// The same with the proxy, whose open connections obey changes too.
    pub fn with_proxy(self, proxy: Option<View>) -> Self {
        Self { proxy, ..self }
    }

    /// What the proxy counted, by app, reason and verdict.
    pub fn proxy_counts(&self) -> Vec<TallyRow> {
        self.proxy.as_ref().map(View::rows).unwrap_or_default()
    }

    /// The store: reads by `state()`.
    pub fn store(&self) -> &Handle {
        &self.store
    }

    /// Carries a change out: durable first, then in force or a reason why not.
    pub async fn execute(&self, request: Request) -> Result<(Done, Applied), StoreError> {
        let is_in_force = request.command.is_in_force_when_saved();
        let done = self.store.execute(request).await?;
        let applied = match is_in_force {
            true => Applied::Yes,
            false => self.applied(done.revision).await,
        };
        Ok((done, applied))
    }

    /// How many open connections the proxy closed for what was done; none
    /// without a proxy.
    pub async fn closed_by(&self, done: &Done) -> Option<usize> {
        let proxy = self.proxy.as_ref()?;
        if !done.is_change {
            return Some(0);
        }
        let closing = proxy.closed_by(done.revision);
        Some(tokio::time::timeout(Applied::PATIENCE, closing).await.unwrap_or(0))
    }

    /// What is in force now.
    pub fn status(&self) -> Status {
        self.status.borrow().clone()
    }

    /// Takes the filter off every interface, or puts it back.
    pub fn switch(&self) -> &Switch {
        &self.switch
    }

    /// The counters, read from the kernel now.
    pub async fn counters(&self) -> anyhow::Result<Vec<CounterRow>> {
        self.observer.counters().await
    }

    /// The hits of every entry that was hit, by its number, read from the
    /// kernel now.
    pub async fn hits(&self) -> anyhow::Result<HashMap<u32, EntryHits>> {
        self.observer.hits().await
    }

    /// What the drops do not show.
    pub fn unseen(&self) -> anyhow::Result<Unseen> {
        Ok(self.observer.unseen()?)
    }

    /// How many refusals of the proxy were not told one by one.
    pub fn untold_refusals(&self) -> u64 {
        self.proxy.as_ref().map(View::untold).unwrap_or_default()
    }

    /// Why the proxy serves nobody of some apps, if it does not.
    pub fn proxy_outage(&self, apps: &[ObjectId]) -> Option<String> {
        let outages = self.proxy.as_ref()?.outages(apps);
        (!outages.is_empty()).then(|| outages.join("; "))
    }

    /// How the proxy fares; nothing without one.
    pub fn proxy_status(&self) -> Option<ProxyStatus> {
        self.proxy.as_ref().map(View::status)
    }

    /// What the proxy refuses from now on; none without a proxy.
    pub fn refusals(&self) -> Option<broadcast::Receiver<Refused>> {
        self.proxy.as_ref().map(View::refusals)
    }

    /// Sampled refusals of packets from now on.
    pub fn drops(&self) -> broadcast::Receiver<Drop> {
        self.observer.drops()
    }

    async fn applied(&self, revision: u64) -> Applied {
        let mut status = self.status.clone();
        let settled = status.wait_for(|status| status.settles(revision));
        match tokio::time::timeout(Applied::PATIENCE, settled).await {
            Ok(Ok(status)) => status.applied(revision),
            Ok(Err(_)) => Applied::No("the reconciler has stopped".to_owned()),
            Err(_) => Applied::No("the kernel has not taken it yet".to_owned()),
        }
    }
}
