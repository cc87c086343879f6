//! Makes the kernel hold what the store says, and keeps the filter on the
//! interfaces that the configuration names. The only writer of policy into BPF
//! maps.
//!
//! Follows three things: the store's state, the host's interfaces and
//! addresses (netlink, and a look of its own every second in case a message
//! was lost), and an operator's word to detach. Publishes a status.
//!
//! Invariant: a state that cannot be put in force leaves the last good one in
//! force, and the status says why.

mod boot_clock;
mod hits;
mod interfaces;
mod network;
mod status;
mod task;

use tokio::sync::{mpsc, oneshot};

pub use status::{Applied, InterfaceState, InterfaceStatus, Phase, Status};
pub use task::{Reconciler, ReconcilerParts};

/// Takes the filter off every interface, or puts it back. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Switch(mpsc::Sender<SwitchRequest>);

/// What a switch asks for: whether to detach, and where to answer.
pub(crate) type SwitchRequest = (bool, oneshot::Sender<()>);

impl Switch {
    /// A switch, and where its requests come out.
    pub(crate) fn new() -> (Self, mpsc::Receiver<SwitchRequest>) {
        let (sender, requests) = mpsc::channel(1);
        (Self(sender), requests)
    }

    /// Takes the filter off every interface until `attach`, or a restart.
    pub async fn detach(&self) -> anyhow::Result<()> {
        self.request(true).await
    }

    /// Puts the filter back.
    pub async fn attach(&self) -> anyhow::Result<()> {
        self.request(false).await
    }

    async fn request(&self, detach: bool) -> anyhow::Result<()> {
        let (done, answer) = oneshot::channel();
        self.0.send((detach, done)).await?;
        Ok(answer.await?)
    }
}
