//! The proxy of the installed daemon, from real clients to real upstreams, on
//! the loopback addresses of a namespace of its own.

#[path = "proxy/certificates.rs"]
mod certificates;
#[path = "proxy/chromium.rs"]
mod chromium;
#[path = "proxy/client.rs"]
mod client;
#[path = "proxy/crowd.rs"]
mod crowd;
#[path = "proxy/desync.rs"]
mod desync;
#[path = "proxy/drops.rs"]
mod drops;
#[path = "proxy/faults.rs"]
mod faults;
#[path = "proxy/hello.rs"]
mod hello;
#[path = "proxy/http2.rs"]
mod http2;
#[path = "proxy/lists.rs"]
mod lists;
#[path = "proxy/origins.rs"]
mod origins;
#[path = "proxy/outbound.rs"]
mod outbound;
#[path = "proxy/reload.rs"]
mod reload;
#[path = "proxy/rest.rs"]
mod rest;
#[path = "proxy/revocation.rs"]
mod revocation;
#[path = "proxy/scanners.rs"]
mod scanners;
#[path = "proxy/stage.rs"]
mod stage;
#[path = "proxy/tls_upstream.rs"]
mod tls_upstream;
#[path = "proxy/upstream.rs"]
mod upstream;
