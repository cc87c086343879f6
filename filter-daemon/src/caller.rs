//! Who asks for something, and from where. Pure.

use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;

use crate::id::ObjectId;
use crate::key::SecretHash;

/// Who asks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Caller {
    /// A user of this host, an API key, or filterd itself.
    pub who: Arc<str>,
    /// From where.
    pub from: Source,
    /// By what it is known who asks; on the control socket by the kernel.
    pub credential: Option<Credential>,
}

/// A login with an API key, and the access token that was shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Credential {
    /// The login.
    pub session: ObjectId,
    /// The hash of the token.
    pub access: SecretHash,
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
    /// Somebody who is known without a credential.
    pub fn new(who: Arc<str>, from: Source) -> Self {
        Self { who, from, credential: None }
    }

    /// The daemon itself.
    pub fn daemon() -> Self {
        Self::new("filterd".into(), Source::Daemon)
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
