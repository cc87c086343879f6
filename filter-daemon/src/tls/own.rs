//! The certificate that the daemon's own authority gives to its listeners:
//! issued when there is none, when it nears its end, when the names change,
//! and when it is not the authority's.
//!
//! Chain and key lie in one file, so that they are always of one making.

use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use jiff::{SignedDuration, Timestamp};
use x509_parser::extensions::GeneralName;
use x509_parser::parse_x509_certificate;
use x509_parser::pem::parse_x509_pem;

use super::authority::{Authority, AuthorityError, ISSUED_FOR};
use super::identity::Identity;
use crate::private_file;

/// The certificate for names and addresses: the one that is there, or a new
/// one.
pub(super) fn identity(
    path: &Path,
    authority: &Authority,
    names: &[String],
    now: SystemTime,
) -> Result<Identity, AuthorityError> {
    let found = match fs::read(path) {
        Ok(bytes) => Some(bytes),
        Err(error) if error.kind() == io::ErrorKind::NotFound => None,
        Err(source) => return Err(AuthorityError::File { path: path.to_owned(), source }),
    };
    let kept = found
        .and_then(|bytes| Identity::from_pem(&bytes, &bytes).ok())
        .filter(|identity| is_good(identity, now))
        .filter(|identity| is_issued_by(identity, authority) && covers(identity, names));
    match kept {
        Some(identity) => Ok(identity),
        None => issue(path.to_owned(), authority, names, now),
    }
}

/// Whether a certificate has begun and is far from its end: a third of its
/// life is left for faults to be mended in. One that has not begun was made
/// before the host's clock was set back.
pub(super) fn is_good(identity: &Identity, now: SystemTime) -> bool {
    let left = SignedDuration::try_from(ISSUED_FOR / 3).unwrap_or(SignedDuration::MAX);
    let now = Timestamp::try_from(now).unwrap_or_default();
    identity.begins() <= now && identity.ends().duration_since(now) > left
}

fn issue(
    path: PathBuf,
    authority: &Authority,
    names: &[String],
    now: SystemTime,
) -> Result<Identity, AuthorityError> {
    let text = authority.issue(names, now)?;
    private_file::write(&path, text.as_bytes())
        .map_err(|source| AuthorityError::File { path: path.clone(), source })?;
    tracing::info!(path = %path.display(), names = names.join(" "), "issued a certificate for our own listeners");
    Identity::from_pem(text.as_bytes(), text.as_bytes())
        .map_err(|error| AuthorityError::Damaged { path, cause: error.to_string() })
}

fn is_issued_by(identity: &Identity, authority: &Authority) -> bool {
    let Ok((_, pem)) = parse_x509_pem(authority.certificate().as_bytes()) else { return false };
    let Ok(issuer) = pem.parse_x509() else { return false };
    parse_x509_certificate(identity.leaf())
        .is_ok_and(|(_, leaf)| leaf.verify_signature(Some(issuer.public_key())).is_ok())
}

fn covers(identity: &Identity, names: &[String]) -> bool {
    let wanted: BTreeSet<&str> = names.iter().map(String::as_str).collect();
    let found = names_of(identity);
    found.iter().map(String::as_str).collect::<BTreeSet<_>>() == wanted
}

fn names_of(identity: &Identity) -> Vec<String> {
    let Ok((_, leaf)) = parse_x509_certificate(identity.leaf()) else { return Vec::new() };
    let Ok(Some(found)) = leaf.subject_alternative_name() else { return Vec::new() };
    found.value.general_names.iter().filter_map(name).collect()
}

fn name(name: &GeneralName<'_>) -> Option<String> {
    if let GeneralName::DNSName(name) = name {
        return Some((*name).to_owned());
    }
    let GeneralName::IPAddress(octets) = name else { return None };
    let address = <[u8; 4]>::try_from(*octets).map(IpAddr::from);
    address.or_else(|_| <[u8; 16]>::try_from(*octets).map(IpAddr::from)).ok().map(|a| a.to_string())
}
