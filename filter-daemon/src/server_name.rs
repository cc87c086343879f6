//! Server names: which host names an app answers to. Pure.
//!
//! Owns the grammar and the comparison of the names on an app's list and of
//! those that a client asks for, in the TLS server name or the `Host` field.
//!
//! Invariants: a name is compared in lower case, in punycode and without a
//! trailing dot. A wildcard is the whole leading label and stands for one or
//! more labels: `*.services.example.com` admits
//! `eu-1.aws.services.example.com`, and not `services.example.com`. An IP
//! address is nobody's name.

use std::fmt;

use url::Host;

/// A name of an app's list, possibly with a wildcard in front.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServerName {
    text: Box<str>,
    name: HostName,
    is_wildcard: bool,
}

/// A host name as it is compared.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct HostName(Box<str>);

/// Why a text is not a name.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NameError {
    /// Nothing was given.
    #[error("a server name is missing: give one such as app.example.com or *.example.com")]
    Empty,
    /// A `*` somewhere else than alone in front.
    #[error(
        "{0:?} has a * in a place where it has no meaning: it can only be the whole first label, as in *.example.com"
    )]
    Wildcard(String),
    /// An IP address, which TLS clients never send as a name.
    #[error(
        "{0:?} is an IP address: clients do not send addresses as server names, so give a host name"
    )]
    Address(String),
    /// An address of the web rather than a name.
    #[error("{0:?} is more than a name: leave the scheme, the port and the path away")]
    Surplus(String),
    /// Not a host name.
    #[error(
        "{text:?} is not a host name ({fault}): give labels of 1 to 63 letters, digits, - and _ with dots between them, 253 characters at most"
    )]
    Malformed {
        /// What was given.
        text: String,
        /// What is wrong.
        fault: &'static str,
    },
}

const LONGEST_NAME_BYTES: usize = 253;
const LONGEST_LABEL_BYTES: usize = 63;

impl HostName {
    /// Reads a name that a client asks for, or one without wildcard.
    pub fn parse(text: &str) -> Result<Self, NameError> {
        if text.is_empty() {
            return Err(NameError::Empty);
        }
        let malformed = |fault| NameError::Malformed { text: text.to_owned(), fault };
        if text.contains(['/', ':', '@', '?', '#', '%']) && !text.starts_with('[') {
            let is_address = text.parse::<std::net::Ipv6Addr>().is_ok();
            let text = text.to_owned();
            return Err(if is_address {
                NameError::Address(text)
            } else {
                NameError::Surplus(text)
            });
        }
        match Host::parse(text).map_err(|_| malformed("not a domain"))? {
            Host::Domain(name) => {
                let name = name.strip_suffix('.').unwrap_or(&name);
                check_labels(name).map_err(malformed)?;
                Ok(Self(name.into()))
            }
            Host::Ipv4(_) | Host::Ipv6(_) => Err(NameError::Address(text.to_owned())),
        }
    }

    /// The canonical text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The names above it, the nearest first.
    pub fn parents(&self) -> impl Iterator<Item = Self> {
        let mut rest = &*self.0;
        std::iter::from_fn(move || {
            rest = rest.split_once('.')?.1;
            Some(Self(rest.into()))
        })
    }
}

impl fmt::Display for HostName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl ServerName {
    /// Reads a name of an app's list.
    pub fn parse(text: &str) -> Result<Self, NameError> {
        let text = text.trim();
        let (name, is_wildcard) = match text.strip_prefix("*.") {
            Some(name) => (name, true),
            None => (text, false),
        };
        if name.contains('*') {
            return Err(NameError::Wildcard(text.to_owned()));
        }
        Ok(Self { text: text.into(), name: HostName::parse(name)?, is_wildcard })
    }

    /// The text as typed.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The name behind the wildcard, or the whole name.
    pub fn name(&self) -> &HostName {
        &self.name
    }

    /// Whether it stands for the names below rather than for the name itself.
    pub fn is_wildcard(&self) -> bool {
        self.is_wildcard
    }

    /// Whether two texts stand for the same names.
    pub fn is_same(&self, other: &Self) -> bool {
        self.is_wildcard == other.is_wildcard && self.name == other.name
    }

    /// Whether it admits a name that a client asks for.
    pub fn admits(&self, asked: &HostName) -> bool {
        if !self.is_wildcard {
            return *asked == self.name;
        }
        let front = asked.as_str().strip_suffix(self.name.as_str());
        front.is_some_and(|front| front.len() > 1 && front.ends_with('.'))
    }
}

impl fmt::Display for ServerName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

fn check_labels(name: &str) -> Result<(), &'static str> {
    if name.len() > LONGEST_NAME_BYTES {
        return Err("it is too long");
    }
    for label in name.split('.') {
        if label.is_empty() {
            return Err("a label is empty");
        }
        if label.len() > LONGEST_LABEL_BYTES {
            return Err("a label is too long");
        }
        if label.starts_with('-') || label.ends_with('-') {
            return Err("a label begins or ends with -");
        }
        if !label.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_') {
            return Err("it holds a character that names do not have");
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests;
