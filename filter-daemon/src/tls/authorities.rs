//! The authorities that the other end's certificate may be of, from a file.

use std::io;
use std::path::{Path, PathBuf};

use rustls::RootCertStore;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::{self, PemObject as _};

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

/// Reads the authorities of a PEM file.
pub fn authorities(path: &Path) -> Result<RootCertStore, AuthoritiesError> {
    let owned = || path.to_owned();
    let text = std::fs::read(path)
        .map_err(|source| AuthoritiesError::Unreadable { path: owned(), source })?;
    let mut authorities = RootCertStore::empty();
    for certificate in CertificateDer::pem_slice_iter(&text) {
        let certificate =
            certificate.map_err(|source| AuthoritiesError::NotPem { path: owned(), source })?;
        authorities
            .add(certificate)
            .map_err(|source| AuthoritiesError::NotAnAuthority { path: owned(), source })?;
    }
    if authorities.is_empty() {
        Err(AuthoritiesError::Empty { path: owned() })
    } else {
        Ok(authorities)
    }
}
