//! The authorities that the other end's certificate may be of, from a file.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustls::RootCertStore;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::{self, PemObject as _};

/// Whom to believe; at least one.
#[derive(Clone, Debug)]
pub struct Authorities(Arc<RootCertStore>);

/// Why there are no authorities.
#[derive(Debug, thiserror::Error)]
pub enum AuthoritiesError {
    /// The file cannot be read.
    #[error("{}: cannot be read: {source}: it must be readable for the daemon's user", .path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// It is not PEM.
    #[error("{}: is not PEM: {source}", .path.display())]
    NotPem {
        /// The file.
        path: PathBuf,
        /// Why.
        source: pem::Error,
    },
    /// A certificate cannot be that of an authority.
    #[error("{}: holds a certificate that is none of an authority: {source}", .path.display())]
    NotAnAuthority {
        /// The file.
        path: PathBuf,
        /// Why.
        source: rustls::Error,
    },
    /// It holds nothing.
    #[error("{}: holds no certificate: it must be PEM (-----BEGIN CERTIFICATE-----)", .path.display())]
    Empty {
        /// The file.
        path: PathBuf,
    },
}

impl Authorities {
    /// Reads those of a PEM file.
    pub fn read(path: &Path) -> Result<Self, AuthoritiesError> {
        let owned = || path.to_owned();
        let text = std::fs::read(path)
            .map_err(|source| AuthoritiesError::Unreadable { path: owned(), source })?;
        let mut roots = RootCertStore::empty();
        for certificate in CertificateDer::pem_slice_iter(&text) {
            let certificate =
                certificate.map_err(|source| AuthoritiesError::NotPem { path: owned(), source })?;
            roots
                .add(certificate)
                .map_err(|source| AuthoritiesError::NotAnAuthority { path: owned(), source })?;
        }
        if roots.is_empty() {
            Err(AuthoritiesError::Empty { path: owned() })
        } else {
            Ok(Self(Arc::new(roots)))
        }
    }

    /// For TLS.
    pub(super) fn roots(&self) -> &Arc<RootCertStore> {
        &self.0
    }
}

impl PartialEq for Authorities {
    fn eq(&self, other: &Self) -> bool {
        self.0.roots == other.0.roots
    }
}
