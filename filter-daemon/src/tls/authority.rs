//! The daemon's own certificate authority: made once, kept in the state
//! directory, good for this host's listeners alone.
//!
//! Its certificate has no end. Whoever trusts it trusts this host for as long
//! as it is the same installation, and an end would only cut every client off
//! on a day that nobody has in the calendar.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose, date_time_ymd,
};
use x509_parser::pem::parse_x509_pem;

use crate::private_file;

const CERTIFICATE: &str = "ca.pem";
const KEY: &str = "ca.key";

/// How long a certificate that it issues is good.
pub(super) const ISSUED_FOR: Duration = Duration::from_secs(90 * 24 * 3600);

/// Clients whose clocks are behind are served too.
const BACKDATED: Duration = Duration::from_secs(3600);

const LAST_SECOND_OF_A_DAY: Duration = Duration::from_secs(24 * 3600 - 1);

/// Of the host's name in that of the authority (RFC 5280 allows 64 in all).
const LONGEST_NAME: usize = 40;

/// An authority, ready to sign.
#[derive(Debug)]
pub(super) struct Authority {
    path: PathBuf,
    certificate: String,
    issuer: Issuer<'static, KeyPair>,
}

/// Why the daemon's own authority cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum AuthorityError {
    /// A file of it cannot be read or written.
    #[error("{}: {source}", .path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The certificate is there, and its key is not.
    #[error("{}: is missing, but {} is there: put the key back, or move the certificate away to have a new authority made, which clients have to be told of", .key.display(), .certificate.display())]
    KeyMissing {
        /// The missing key.
        key: PathBuf,
        /// What is there.
        certificate: PathBuf,
    },
    /// A file does not hold what it should.
    #[error("{}: is not what filterd wrote: {cause}: put a backup in its place, or move ca.pem and ca.key away to have a new authority made, which clients have to be told of", .path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        cause: String,
    },
    /// A certificate cannot be made.
    #[error("the certificate cannot be made: {0}")]
    Making(#[from] rcgen::Error),
}

impl Authority {
    /// Reads the authority of a directory, or makes one that carries a name.
    pub(super) fn open(directory: &Path, name: &str) -> Result<Self, AuthorityError> {
        // Two listeners that start at the same time must not make two.
        static TURN: Mutex<()> = Mutex::new(());
        let _turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
        let (path, key_path) = (directory.join(CERTIFICATE), directory.join(KEY));
        let (certificate, key) = match (read(&path)?, read(&key_path)?) {
            (Some(certificate), Some(key)) => (certificate, parse_key(&key_path, &key)?),
            (Some(_), None) => {
                return Err(AuthorityError::KeyMissing { key: key_path, certificate: path });
            }
            (None, found) => make(&path, &key_path, found, name)?,
        };
        let damaged = |cause: String| AuthorityError::Damaged { path: path.clone(), cause };
        refuse_stranger(&certificate, &key).map_err(damaged)?;
        let issuer = Issuer::from_ca_cert_pem(&certificate, key)
            .map_err(|error| damaged(error.to_string()))?;
        Ok(Self { path, certificate, issuer })
    }

    /// Where its certificate is, for clients to trust.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Its certificate, in PEM.
    pub(super) fn certificate(&self) -> &str {
        &self.certificate
    }

    /// A new key and a certificate for names and addresses, both in PEM, the
    /// certificate first.
    pub(super) fn issue(
        &self,
        names: &[String],
        now: SystemTime,
    ) -> Result<String, AuthorityError> {
        let key = KeyPair::generate()?;
        let mut wanted = CertificateParams::new(names)?;
        wanted.distinguished_name.push(DnType::CommonName, "filterd");
        wanted.not_before = (now - BACKDATED).into();
        wanted.not_after = (now + ISSUED_FOR).into();
        wanted.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        wanted.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        wanted.use_authority_key_identifier_extension = true;
        let certificate = wanted.signed_by(&key, &self.issuer)?;
        Ok(format!("{}{}", certificate.pem(), key.serialize_pem()))
    }
}

fn read(path: &Path) -> Result<Option<String>, AuthorityError> {
    match fs::read_to_string(path) {
        Ok(text) => Ok(Some(text)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(source) => Err(AuthorityError::File { path: path.to_owned(), source }),
    }
}

fn parse_key(path: &Path, text: &str) -> Result<KeyPair, AuthorityError> {
    KeyPair::from_pem(text).map_err(|error| AuthorityError::Damaged {
        path: path.to_owned(),
        cause: error.to_string(),
    })
}

/// Writes the key first: a key without a certificate was never used, and the
/// next start goes on with it.
fn make(
    path: &Path,
    key_path: &Path,
    found: Option<String>,
    name: &str,
) -> Result<(String, KeyPair), AuthorityError> {
    let of_file = |path: &Path| {
        let path = path.to_owned();
        move |source| AuthorityError::File { path, source }
    };
    let key = match found {
        Some(text) => parse_key(key_path, &text)?,
        None => {
            let key = KeyPair::generate()?;
            let text = key.serialize_pem();
            private_file::write(key_path, text.as_bytes()).map_err(of_file(key_path))?;
            key
        }
    };
    let mut wanted = CertificateParams::default();
    wanted.distinguished_name = rcgen::DistinguishedName::new();
    wanted.distinguished_name.push(DnType::OrganizationName, "filterd");
    // Two hosts' authorities in one trust store need names of their own.
    let (name, mark): (String, u32) = (name.chars().take(LONGEST_NAME).collect(), rand::random());
    wanted.distinguished_name.push(DnType::CommonName, format!("filterd of {name}, {mark:08x}"));
    wanted.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    wanted.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    // Fixed dates: a host may make it before it knows the time. The end is how
    // a certificate says that it has none (RFC 5280, section 4.1.2.5).
    wanted.not_before = date_time_ymd(2025, 1, 1);
    wanted.not_after = date_time_ymd(9999, 12, 31) + LAST_SECOND_OF_A_DAY;
    let certificate = wanted.self_signed(&key)?.pem();
    private_file::write(path, certificate.as_bytes()).map_err(of_file(path))?;
    tracing::info!(path = %path.display(), "made a certificate authority of our own: clients have to trust it");
    Ok((certificate, key))
}

/// A certificate of another key would sign what no client believes.
fn refuse_stranger(certificate: &str, key: &KeyPair) -> Result<(), String> {
    let (_, pem) = parse_x509_pem(certificate.as_bytes()).map_err(|error| error.to_string())?;
    let parsed = pem.parse_x509().map_err(|error| error.to_string())?;
    match *parsed.public_key().subject_public_key.data == *key.public_key_raw() {
        true => Ok(()),
        false => Err("it does not belong to ca.key".to_owned()),
    }
}
