//! The certificate that is served now, as a keeper publishes it.

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;

use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use tokio::sync::watch;

use super::identity::Identity;

/// What is served now, and what is wrong.
#[derive(Clone, Debug, Default)]
pub struct Held {
    /// The certificate, if there is a good one.
    pub identity: Option<Identity>,
    /// Where the certificate of our own authority is, for clients to trust.
    pub authority: Option<PathBuf>,
    /// Why a newer one is not served.
    pub trouble: Option<String>,
}

/// Shows what a keeper holds to TLS clients.
#[derive(Clone)]
pub struct Served(pub(super) watch::Receiver<Held>);

impl Served {
    /// Whether it is the same keeper's.
    pub fn is(&self, other: &Self) -> bool {
        self.0.same_channel(&other.0)
    }
}

impl Served {
    /// Whether there is a certificate.
    pub fn is_there(&self) -> bool {
        self.0.borrow().identity.is_some()
    }

    /// Whether it is for a name; also while there is none.
    pub fn is_for(&self, name: &str) -> bool {
        self.0.borrow().identity.as_ref().is_none_or(|identity| identity.is_for(name))
    }

    /// Why there is no certificate, or no newer one.
    pub fn trouble(&self) -> Option<String> {
        self.0.borrow().trouble.clone()
    }
}

impl ResolvesServerCert for Served {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        self.0.borrow().identity.as_ref().map(|identity| Arc::clone(identity.certified()))
    }
}

impl fmt::Debug for Served {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Served")
    }
}
