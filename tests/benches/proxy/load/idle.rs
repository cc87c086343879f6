//! Connections that have made one request and are silent since.

use anyhow::Result;
use tokio::task::JoinSet;

use super::{Client, Sender};

/// Connections that are opened at a time.
const AT_A_TIME: usize = 16;

/// They are open for as long as this is there.
pub(crate) struct Idle {
    _senders: Vec<Sender>,
}

impl Idle {
    /// Opens so many.
    pub(crate) async fn open(client: &Client, count: usize) -> Result<Self> {
        let mut senders = Vec::new();
        let mut tasks = JoinSet::new();
        for number in 0..count {
            if number >= AT_A_TIME
                && let Some(opened) = tasks.join_next().await
            {
                senders.push(opened??);
            }
            tasks.spawn(open(client.clone()));
        }
        while let Some(opened) = tasks.join_next().await {
            senders.push(opened??);
        }
        Ok(Self { _senders: senders })
    }
}

async fn open(client: Client) -> Result<Sender> {
    let mut sender = Sender::http1(client.connect().await?).await?;
    sender.ask().await?;
    Ok(sender)
}
