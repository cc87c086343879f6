//! New connections, one after the other, several at a time: TCP, a full
//! handshake, and an end in order. The server has to have finished the
//! handshake to end the connection, so that none is counted too early.

use std::io;
use std::time::{Duration, Instant};

use anyhow::Result;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::task::JoinSet;

use super::{Client, Rate};

/// Connections at a time.
const AT_A_TIME: usize = 16;

/// Makes connections for some time.
pub(crate) async fn handshakes(client: &Client, span: Duration) -> Result<Rate> {
    let begin = Instant::now();
    let mut tasks = JoinSet::new();
    for _ in 0..AT_A_TIME {
        tasks.spawn(connect_again(client.clone(), begin + span));
    }
    let mut count = 0;
    while let Some(done) = tasks.join_next().await {
        count += done??;
    }
    Ok(Rate::since(begin, count))
}

async fn connect_again(client: Client, end: Instant) -> io::Result<usize> {
    let mut count = 0;
    while Instant::now() < end {
        let mut stream = client.connect().await?;
        stream.shutdown().await?;
        let mut unread = Vec::new();
        match stream.read_to_end(&mut unread).await {
            Ok(_) => {}
            // A server may leave out TLS's own farewell to one who has left.
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => {}
            Err(error) => return Err(error),
        }
        count += 1;
    }
    Ok(count)
}
