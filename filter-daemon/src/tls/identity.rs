//! A certificate chain and the key that fits it.

use std::fs;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;

use jiff::Timestamp;
use rustls::InconsistentKeys;
use rustls::client::verify_server_name;
use rustls::pki_types::pem::{self, PemObject as _};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::ParsedCertificate;
use rustls::sign::CertifiedKey;
use x509_parser::parse_x509_certificate;

/// Two PEM files that belong together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PairFiles {
    /// The server's certificate, then those that lead to its authority.
    pub certificate: PathBuf,
    /// Its private key.
    pub key: PathBuf,
}

/// A chain and its key, known to fit each other.
#[derive(Clone, Debug)]
pub struct Identity {
    certified: Arc<CertifiedKey>,
    begins: Timestamp,
    ends: Timestamp,
}

/// Why a certificate and a key cannot be served.
#[derive(Debug, thiserror::Error)]
pub enum PairError {
    /// A file cannot be read.
    #[error("{}: cannot be read: {source}: it must be readable for the daemon's user", .path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// No certificate is where one should be.
    #[error(
        "the certificate file holds no certificate: it must be PEM (-----BEGIN CERTIFICATE-----), the server's own certificate first"
    )]
    NoCertificate,
    /// Not PEM, or broken off.
    #[error("the certificate file is not PEM: {0}")]
    CertificateNotPem(pem::Error),
    /// No key is where one should be.
    #[error(
        "the key file holds no private key: it must be PEM without a passphrase (-----BEGIN PRIVATE KEY-----): {0}"
    )]
    NoKey(pem::Error),
    /// Not a certificate.
    #[error("the certificate is not one that can be read: {0}")]
    BadCertificate(String),
    /// The certificate is somebody else's.
    #[error(
        "the certificate and the key do not belong together: the server's own certificate must be the first of its file"
    )]
    DoNotFit,
    /// A key of a kind that TLS 1.3 does not know.
    #[error("the certificate and the key cannot be used: {0}")]
    Unusable(rustls::Error),
}

impl Identity {
    /// Reads two texts in PEM.
    pub fn from_pem(certificate: &[u8], key: &[u8]) -> Result<Self, PairError> {
        let chain: Vec<_> = CertificateDer::pem_slice_iter(certificate)
            .collect::<Result<_, _>>()
            .map_err(PairError::CertificateNotPem)?;
        let key = PrivateKeyDer::from_pem_slice(key).map_err(PairError::NoKey)?;
        let leaf = chain.first().ok_or(PairError::NoCertificate)?;
        let (begins, ends) = life_of(leaf)?;
        let certified = CertifiedKey::from_der(chain, key, &super::provider());
        let mismatch = rustls::Error::InconsistentKeys(InconsistentKeys::KeyMismatch);
        let certified = certified.map_err(|error| match error == mismatch {
            true => PairError::DoNotFit,
            false => PairError::Unusable(error),
        })?;
        Ok(Self { certified: Arc::new(certified), begins, ends })
    }

    /// Reads two files in PEM.
    pub fn read(files: &PairFiles) -> Result<Self, PairError> {
        let read = |path: &PathBuf| {
            fs::read(path).map_err(|source| PairError::Unreadable { path: path.clone(), source })
        };
        Self::from_pem(&read(&files.certificate)?, &read(&files.key)?)
    }

    /// When the certificate begins to be good.
    pub fn begins(&self) -> Timestamp {
        self.begins
    }

    /// When the certificate stops being good.
    pub fn ends(&self) -> Timestamp {
        self.ends
    }

    /// Whether clients take the certificate for one of a name.
    pub fn is_for(&self, name: &str) -> bool {
        let name = rustls::pki_types::ServerName::try_from(name);
        let leaf = ParsedCertificate::try_from(self.leaf());
        let is_for = |(name, leaf)| verify_server_name(&leaf, &name).is_ok();
        name.ok().zip(leaf.ok()).is_some_and(is_for)
    }

    /// What TLS shows and signs with.
    pub fn certified(&self) -> &Arc<CertifiedKey> {
        &self.certified
    }

    /// The server's own certificate.
    pub(super) fn leaf(&self) -> &CertificateDer<'static> {
        self.certified.cert.first().expect("an identity has a certificate: it was read from one")
    }
}

/// A certificate names its key: with one chain, both are the same.
impl PartialEq for Identity {
    fn eq(&self, other: &Self) -> bool {
        self.certified.cert == other.certified.cert
    }
}

fn life_of(certificate: &CertificateDer<'_>) -> Result<(Timestamp, Timestamp), PairError> {
    let (_, parsed) = parse_x509_certificate(certificate)
        .map_err(|error| PairError::BadCertificate(error.to_string()))?;
    let life = parsed.validity();
    // A certificate without an end says the year 9999.
    let begins = Timestamp::from_second(life.not_before.timestamp()).unwrap_or(Timestamp::MIN);
    let ends = Timestamp::from_second(life.not_after.timestamp()).unwrap_or(Timestamp::MAX);
    Ok((begins, ends))
}
