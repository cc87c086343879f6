//! API keys, their access lists, and the sessions that are logged in with
//! them. Pure.
//!
//! Invariants: nothing in here is a secret: of private keys and tokens there
//! are only hashes. They are random and of at least 128 bits, so a plain hash
//! is enough; what slows the guessing of passwords down would protect nothing.

use std::net::IpAddr;
use std::sync::Arc;

use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;

use crate::access_list::Address;
use crate::caller::Source;
use crate::id::ObjectId;

/// How many letters the public half of a key has.
pub const PUBLIC_LETTERS: usize = 8;

/// A programmatic key: whoever has both halves is an administrator.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Key {
    /// Its id on the wire.
    pub id: ObjectId,
    /// The public half: eight lower-case letters.
    pub public: Arc<str>,
    /// The hash of the private half.
    pub secret: SecretHash,
    /// Free text, possibly empty.
    pub description: Box<str>,
    /// Whether it can be used.
    pub enabled: bool,
    /// Unix second.
    pub created: i64,
    /// Who made it.
    pub created_by: Arc<str>,
    /// From where it can be used, oldest first; from anywhere if empty.
    pub sources: Vec<KeySource>,
}

/// An entry of a key's own access list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeySource {
    /// Its id on the wire.
    pub id: ObjectId,
    /// The address as typed, and what is compared.
    pub address: Address,
    /// Free text, possibly empty.
    pub comment: Box<str>,
    /// Unix second.
    pub created: i64,
}

/// Somebody who has logged in with a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Session {
    /// Its id.
    pub id: ObjectId,
    /// The key.
    pub key: ObjectId,
    /// The hash of the refresh token.
    pub refresh: SecretHash,
    /// Unix second.
    pub issued: i64,
    /// The first Unix second in which it is over.
    pub expires: i64,
    /// From where.
    pub from: Box<str>,
    /// Access tokens that may be good still, oldest first.
    pub access: Vec<AccessToken>,
}

/// What a session works with until it has to be refreshed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AccessToken {
    /// The hash of the token.
    pub secret: SecretHash,
    /// The first Unix second in which it is over.
    pub expires: i64,
}

/// The hash of something that only its owner knows.
///
/// It is compared in constant time, so that an answer's delay tells nothing.
#[derive(Clone, Copy, Debug)]
pub struct SecretHash([u8; 32]);

/// Whether a key's access list lets a source in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Admission {
    /// The list is empty.
    Anywhere,
    /// By this entry, the narrowest that covers it.
    Listed(ObjectId),
    /// No entry covers it.
    Refused,
}

impl Key {
    /// Whether it cannot be used from where somebody asks.
    pub fn refuses(&self, from: Source) -> bool {
        from.address().is_some_and(|address| self.admits(address) == Admission::Refused)
    }

    /// Whether the key can be used from an address.
    pub fn admits(&self, address: IpAddr) -> Admission {
        if self.sources.is_empty() {
            return Admission::Anywhere;
        }
        let covering = self.sources.iter().filter(|s| s.address.prefix().contains(address));
        let narrowest = covering.max_by_key(|s| s.address.prefix().network().prefix_len());
        narrowest.map_or(Admission::Refused, |source| Admission::Listed(source.id))
    }

    /// What it is called as the author of a change.
    pub fn name(&self) -> Arc<str> {
        format!("key {}", self.public).into()
    }
}

impl SecretHash {
    /// The hash of a secret.
    pub fn of(secret: &str) -> Self {
        Self(Sha256::digest(secret.as_bytes()).into())
    }

    /// From what `to_bytes` gave.
    pub fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// Its bytes.
    pub fn to_bytes(self) -> [u8; 32] {
        self.0
    }
}

impl PartialEq for SecretHash {
    fn eq(&self, other: &Self) -> bool {
        self.0.ct_eq(&other.0).into()
    }
}

impl Eq for SecretHash {}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(sources: &[&str]) -> Key {
        let source = |(number, text): (u8, &&str)| KeySource {
            id: ObjectId::from_bytes([number; 12]),
            address: Address::parse(text).expect("an address"),
            comment: "".into(),
            created: 0,
        };
        Key {
            id: ObjectId::from_bytes([0; 12]),
            public: "abcdefgh".into(),
            secret: SecretHash::of("secret"),
            description: "".into(),
            enabled: true,
            created: 0,
            created_by: "root".into(),
            sources: (1..).zip(sources).map(source).collect(),
        }
    }

    #[test]
    fn an_empty_list_admits_all_and_another_by_its_narrowest_entry() {
        let admits = |key: &Key, text: &str| key.admits(text.parse().expect("an address"));
        assert_eq!(admits(&key(&[]), "2001:db8::1"), Admission::Anywhere);
        let listed = key(&["10.0.0.0/8", "10.1.0.0/16", "2001:db8::/32"]);
        let entry = |number| Admission::Listed(ObjectId::from_bytes([number; 12]));
        assert_eq!(admits(&listed, "10.2.0.1"), entry(1));
        assert_eq!(admits(&listed, "::ffff:10.1.0.1"), entry(2));
        assert_eq!(admits(&listed, "2001:db8::1"), entry(3));
        assert_eq!(admits(&listed, "192.0.2.1"), Admission::Refused);
    }

    #[test]
    fn only_the_same_secret_has_the_same_hash() {
        assert_eq!(SecretHash::of("a"), SecretHash::of("a"));
        assert_ne!(SecretHash::of("a"), SecretHash::of("b"));
    }
}
