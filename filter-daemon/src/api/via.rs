//! Which way a request came.

use std::net::SocketAddr;

/// The listener that took a request, as an extension of the request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Via {
    /// Over TLS, from an address. An IPv4-mapped one is given as IPv4.
    Tls(SocketAddr),
}
