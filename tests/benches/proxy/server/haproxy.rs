//! HAProxy: one thread, nothing logged.

use std::fs;
use std::process::Command;

use anyhow::Result;

use crate::stage::{HOST, PORT, Stage};

/// Runs it in the foreground.
pub(super) fn command(stage: &Stage) -> Result<Command> {
    let file = stage.path("haproxy.cfg");
    fs::write(&file, configuration(stage)?)?;
    let mut command = stage.namespace.command("haproxy");
    command.arg("-db").arg("-f").arg(file);
    Ok(command)
}

fn configuration(stage: &Stage) -> Result<String> {
    let (pair, upstream) = (stage.pair(), stage.upstream_port()?);
    let pair = pair.display();
    Ok(format!(
        "global
    nbthread 1
    maxconn 4096
    ssl-default-bind-options ssl-min-ver TLSv1.3
defaults
    mode http
    timeout connect 5s
    timeout client 75s
    timeout server 60s
    timeout http-keep-alive 75s
    http-reuse always
frontend app
    bind {HOST}:{PORT} backlog 4096 ssl crt {pair} alpn h2,http/1.1
    http-request set-header X-Forwarded-For %[src]
    http-request set-header X-Forwarded-Proto https
    default_backend app
backend app
    server app {HOST}:{upstream}
"
    ))
}
