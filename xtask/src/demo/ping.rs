//! ICMP echo, by the system's own `ping`.

use std::net::IpAddr;
use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context as _, Result};

use super::namespace::Namespace;

/// Whether an echo comes back.
pub(super) fn ping(
    namespace: &Namespace,
    source: IpAddr,
    target: IpAddr,
    patience: Duration,
) -> Result<bool> {
    let status = namespace
        .command("ping")
        .args(["-n", "-q", "-c", "1", "-W", &patience.as_secs_f32().to_string()])
        .args(["-I", &source.to_string(), &target.to_string()])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .context("cannot start ping")?;
    Ok(status.success())
}
