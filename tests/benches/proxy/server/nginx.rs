//! nginx: one worker, nothing logged.

use std::fs;
use std::process::Command;

use anyhow::Result;

use crate::stage::{HOST, NAME, PORT, Stage};

/// Runs it in the foreground.
pub(super) fn command(stage: &Stage) -> Result<Command> {
    let file = stage.path("nginx.conf");
    fs::write(&file, configuration(stage)?)?;
    let mut command = stage.namespace.command("nginx");
    command.arg("-e").arg("stderr").arg("-c").arg(file);
    Ok(command)
}

fn configuration(stage: &Stage) -> Result<String> {
    let own = stage.path("nginx");
    fs::create_dir_all(&own)?;
    let (own, upstream) = (own.display(), stage.upstream_port()?);
    let (certificate, key) = (stage.certificate(), stage.key());
    let (certificate, key) = (certificate.display(), key.display());
    Ok(format!(
        "daemon off;
user root;
pid {own}/pid;
error_log stderr crit;
worker_processes 1;
events {{ worker_connections 8192; }}
http {{
    access_log off;
    client_body_temp_path {own}/body;
    proxy_temp_path {own}/proxy;
    fastcgi_temp_path {own}/fastcgi;
    uwsgi_temp_path {own}/uwsgi;
    scgi_temp_path {own}/scgi;
    keepalive_timeout 75s;
    keepalive_requests 1000000000;
    upstream app {{
        server {HOST}:{upstream};
        keepalive 128;
        keepalive_requests 1000000000;
    }}
    server {{
        listen {HOST}:{PORT} ssl http2 backlog=4096;
        server_name {NAME};
        ssl_certificate {certificate};
        ssl_certificate_key {key};
        ssl_protocols TLSv1.3;
        location / {{
            proxy_pass http://app;
            proxy_http_version 1.1;
            proxy_set_header Connection \"\";
            proxy_set_header Host $host;
            proxy_set_header X-Forwarded-For $remote_addr;
            proxy_set_header X-Forwarded-Proto https;
        }}
    }}
}}
"
    ))
}
