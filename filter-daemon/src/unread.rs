//! What is left of the body of a request that was answered before all of it was
//! read: some clients take it for an error when the rest is not taken.

use std::time::Duration;

use http_body_util::{BodyExt as _, Limited};
use hyper::body::Body;

/// How long, and how far, it is read.
const PATIENCE: Duration = Duration::from_millis(250);
const MOST_BYTES: usize = 1 << 20;

/// Reads it, for a moment; answers whether that was all.
pub(crate) async fn read_away<B>(body: B) -> bool
where
    B: Body + Unpin,
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    let mut body = Limited::new(body, MOST_BYTES);
    let all = async {
        loop {
            match body.frame().await {
                Some(Ok(_)) => {}
                Some(Err(_)) => return false,
                None => return true,
            }
        }
    };
    tokio::time::timeout(PATIENCE, all).await.unwrap_or(false)
}
