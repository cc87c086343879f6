//! What the proxy does for an app: the names it answers to, where requests go,
//! and what is shown to and asked of both ends. Pure.
//!
//! Owns the grammar of an upstream. Files are named here and read elsewhere.

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

use url::Host;

use crate::server_name::ServerName;

/// The proxy's part of an app.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProxySettings {
    /// The server names that it answers to; none means the proxy does nothing
    /// for it.
    pub names: Vec<ServerName>,
    /// Where requests go, in turn. All of one scheme.
    pub upstreams: Vec<Upstream>,
    /// The authorities that an upstream's certificate may be of. The host's
    /// own are not asked: an upstream is not a stranger's web site.
    pub upstream_ca: Option<PathBuf>,
    /// What the proxy shows to the upstream.
    pub upstream_certificate: Option<Pair>,
    /// What the proxy shows to clients; without one, a certificate of the
    /// daemon's own authority.
    pub certificate: Option<Pair>,
    /// The authorities that a client's certificate has to be of, if clients
    /// need one.
    pub client_ca: Option<PathBuf>,
    /// How trusted hops name the client.
    pub hop_header: HopHeader,
    /// The label of the outbound addresses that it uses, if not all.
    pub outbound: Option<String>,
    /// How long the upstream may be silent.
    pub patience_s: u32,
    /// The longest body of a request, if there is a limit.
    pub body_limit_bytes: Option<u64>,
}

/// Two PEM files that belong together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pair {
    /// The certificate, then those that lead to its authority.
    pub certificate: PathBuf,
    /// Its private key.
    pub key: PathBuf,
}

/// How a trusted hop names the client.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum HopHeader {
    /// The PROXY protocol, version 1 or 2, in front of the connection.
    #[default]
    Proxy,
    /// The field `X-Forwarded-For` of each request.
    XForwardedFor,
    /// The field `Forwarded` of each request (RFC 7239).
    Forwarded,
}

/// A server that requests go to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Upstream {
    text: Box<str>,
    is_tls: bool,
    host: Host<String>,
    port: u16,
}

/// Why a text is not an upstream, or not a way to name clients.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ProxyError {
    /// Not an upstream.
    #[error(
        "{text:?} is not an upstream ({fault}): give one such as http://127.0.0.1:8080 or https://app.internal:8443"
    )]
    Upstream {
        /// What was given.
        text: String,
        /// What is wrong.
        fault: String,
    },
    /// Not a way that hops name clients.
    #[error("{0:?} is not known: use proxy, x-forwarded-for or forwarded")]
    HopHeader(String),
}

/// How long an upstream may be silent, where nothing else is said.
const PATIENCE_S: u32 = 60;

impl Default for ProxySettings {
    fn default() -> Self {
        Self {
            names: Vec::new(),
            upstreams: Vec::new(),
            upstream_ca: None,
            upstream_certificate: None,
            certificate: None,
            client_ca: None,
            hop_header: HopHeader::default(),
            outbound: None,
            patience_s: PATIENCE_S,
            body_limit_bytes: None,
        }
    }
}

impl HopHeader {
    /// All ways.
    pub const ALL: [Self; 3] = [Self::Proxy, Self::XForwardedFor, Self::Forwarded];

    /// The word used in every front end.
    pub fn name(self) -> &'static str {
        match self {
            Self::Proxy => "proxy",
            Self::XForwardedFor => "x-forwarded-for",
            Self::Forwarded => "forwarded",
        }
    }
}

impl FromStr for HopHeader {
    type Err = ProxyError;

    fn from_str(text: &str) -> Result<Self, ProxyError> {
        let found = Self::ALL.into_iter().find(|way| way.name() == text);
        found.ok_or_else(|| ProxyError::HopHeader(text.to_owned()))
    }
}

impl Upstream {
    /// The text as typed.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Whether it is spoken to in TLS.
    pub fn is_tls(&self) -> bool {
        self.is_tls
    }

    /// Its name or address.
    pub fn host(&self) -> &Host<String> {
        &self.host
    }

    /// Its port.
    pub fn port(&self) -> u16 {
        self.port
    }
}

impl fmt::Display for Upstream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl FromStr for Upstream {
    type Err = ProxyError;

    fn from_str(text: &str) -> Result<Self, ProxyError> {
        let text = text.trim();
        let refuse =
            |fault: &str| ProxyError::Upstream { text: text.to_owned(), fault: fault.to_owned() };
        let url = url::Url::parse(text).map_err(|error| refuse(&error.to_string()))?;
        let is_tls = match url.scheme() {
            "http" => false,
            "https" => true,
            _ => return Err(refuse("its scheme is neither http nor https")),
        };
        if !matches!(url.path(), "" | "/") || url.query().is_some() || url.fragment().is_some() {
            return Err(refuse("it has a path, and requests keep their own"));
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(refuse("it holds a user"));
        }
        let host = url.host().ok_or_else(|| refuse("it has no host"))?.to_owned();
        let port = url.port_or_known_default().filter(|port| *port != 0);
        let port = port.ok_or_else(|| refuse("its port is 0"))?;
        Ok(Self { text: text.into(), is_tls, host, port })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn upstreams_are_read() {
        for (text, is_tls, host, port) in [
            ("http://127.0.0.1:8080", false, "127.0.0.1", 8080),
            ("https://app.internal", true, "app.internal", 443),
            ("http://[::1]:81/", false, "[::1]", 81),
        ] {
            let upstream: Upstream = text.parse().expect(text);
            let read = (upstream.is_tls(), upstream.host().to_string(), upstream.port());
            assert_eq!(read, (is_tls, host.to_owned(), port), "{text}");
            assert_eq!(upstream.text(), text);
        }
        for (text, word) in [
            ("127.0.0.1:8080", "upstream"),
            ("ftp://a", "scheme"),
            ("http://a/path", "path"),
            ("http://a?x", "path"),
            ("http://user@a", "user"),
            ("http://a:0", "port"),
        ] {
            let error = text.parse::<Upstream>().expect_err(text).to_string();
            assert!(error.contains(word), "{error}");
        }
    }
}
