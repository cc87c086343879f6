//! Who asks for something, and from where. Pure.

use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;

/// Who asks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Caller {
    /// A user of this host, an API key, or filterd itself.
    pub who: Arc<str>,
    /// From where.
    pub from: Source,
}

/// From where somebody asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source {
    /// The control socket.
    ControlSocket,
    /// An address, over TLS.
    Address(IpAddr),
    /// The daemon itself.
    Daemon,
}

impl Caller {
    /// The daemon itself.
    pub fn daemon() -> Self {
        Self { who: "filterd".into(), from: Source::Daemon }
    }
}

impl Source {
    /// The address, where there is one.
    pub fn address(self) -> Option<IpAddr> {
        match self {
            Self::Address(address) => Some(address.to_canonical()),
            Self::ControlSocket | Self::Daemon => None,
        }
    }
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::ControlSocket => f.write_str("control socket"),
            Self::Address(address) => write!(f, "{}", address.to_canonical()),
            Self::Daemon => f.write_str("daemon"),
        }
    }
}
