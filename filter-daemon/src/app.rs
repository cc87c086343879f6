//! Apps and their scopes: which packets belong to whom. Pure.
//!
//! Owns the grammar of a scope. Never does IO.

mod proxy;
mod proxy_document;

use std::fmt;
use std::str::FromStr;

pub use filter_common::verdict::Mode;
pub use proxy::{HopHeader, Pair, ProxyError, ProxySettings, Upstream};
pub use proxy_document::{DocumentError, ProxyDocument};

use crate::access_list::{AccessList, Prefix};
use crate::id::ObjectId;
use crate::origin::Origin;

/// A protected service.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct App {
    /// Its id on the wire.
    pub id: ObjectId,
    /// `name-xxxxx`, what people type.
    pub client_app_id: String,
    /// The name it was given.
    pub name: String,
    /// The group that owns it.
    pub group: ObjectId,
    /// Its index in the kernel's tables, 1 to `MAX_APPS - 1`, stable for life.
    pub index: u32,
    /// What a refusal does.
    pub mode: Mode,
    /// Which packets belong to it; none means it holds no packet.
    pub scopes: Vec<Scope>,
    /// Sources that pass before the list: proxies in front of this host.
    pub trusted_hops: Vec<Prefix>,
    /// Web pages whose requests are let in; none means all.
    pub origins: Vec<Origin>,
    /// Upgrades and unsafe methods need an origin.
    pub require_origin: bool,
    /// What the proxy does for it.
    pub proxy: ProxySettings,
    /// Who is let in.
    pub list: AccessList,
    /// Unix seconds of the last change.
    pub last_modified: i64,
}

/// Which packets belong to an app. What is `None` is any.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Scope {
    /// The interface that received the packet.
    pub interface: Option<String>,
    /// The destination address.
    pub destination: Option<Prefix>,
    /// The IP protocol.
    pub protocol: Option<Protocol>,
    /// The destination ports.
    pub ports: Option<PortRange>,
}

/// An IP protocol number (IANA), 1 to 255.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Protocol(u8);

/// Destination ports, both ends included.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct PortRange {
    first: u16,
    last: u16,
}

/// Why a text is not a scope.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ScopeError {
    /// A part that is neither `host` nor `key=value` of a known key.
    #[error(
        "{0:?} is no part of a scope: write `host`, or any of port=, protocol=, to=, interface= joined by commas, such as port=443,protocol=tcp"
    )]
    UnknownPart(String),
    /// A key that was given twice.
    #[error("{0}= is given twice in one scope")]
    Repeated(&'static str),
    /// A bad destination.
    #[error("to={0}")]
    Destination(#[from] crate::access_list::AddressError),
    /// A bad protocol.
    #[error(
        "protocol={0:?} is not known: use tcp, udp, icmp, icmpv6, sctp, udplite, dccp, gre, esp, ah, ospf, ipip, or a number from 1 to 255"
    )]
    Protocol(String),
    /// A bad port or port range.
    #[error("port={0:?} is not a port or a range such as 8000-8100, from 0 to 65535")]
    Ports(String),
    /// Ports of a protocol that has none.
    #[error("protocol {0} has no ports: leave port= away, or name tcp, udp, sctp, udplite or dccp")]
    PortlessProtocol(Protocol),
    /// A bad interface name.
    #[error(
        "interface={0:?} is not an interface name: 1 to 15 characters without spaces and slashes"
    )]
    Interface(String),
}

const NAMED_PROTOCOLS: [(u8, &str); 12] = [
    (6, "tcp"),
    (17, "udp"),
    (1, "icmp"),
    (58, "icmpv6"),
    (132, "sctp"),
    (136, "udplite"),
    (33, "dccp"),
    (47, "gre"),
    (50, "esp"),
    (51, "ah"),
    (89, "ospf"),
    (4, "ipip"),
];

impl Protocol {
    /// The protocols whose packets carry ports.
    pub const WITH_PORTS: [Self; 5] = [Self(6), Self(17), Self(132), Self(136), Self(33)];

    /// TCP.
    pub const TCP: Self = Self(6);

    /// UDP.
    pub const UDP: Self = Self(17);

    /// The IANA number.
    pub fn number(self) -> u8 {
        self.0
    }

    /// Whether its packets carry ports.
    pub fn has_ports(self) -> bool {
        Self::WITH_PORTS.contains(&self)
    }
}

impl fmt::Display for Protocol {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match NAMED_PROTOCOLS.iter().find(|(number, _)| *number == self.0) {
            Some((_, name)) => f.write_str(name),
            None => write!(f, "{}", self.0),
        }
    }
}

impl FromStr for Protocol {
    type Err = ScopeError;

    fn from_str(text: &str) -> Result<Self, ScopeError> {
        let lower = text.to_ascii_lowercase();
        let named = NAMED_PROTOCOLS.iter().find(|(_, name)| *name == lower);
        let number = named.map(|(number, _)| *number).or_else(|| text.parse().ok());
        number
            .filter(|number| *number != 0)
            .map(Self)
            .ok_or_else(|| ScopeError::Protocol(text.to_owned()))
    }
}

impl PortRange {
    /// A range whose first port is not behind its last.
    pub fn new(first: u16, last: u16) -> Option<Self> {
        (first <= last).then_some(Self { first, last })
    }

    /// The first port.
    pub fn first(self) -> u16 {
        self.first
    }

    /// The last port.
    pub fn last(self) -> u16 {
        self.last
    }

    /// Whether a port lies inside.
    pub fn contains(self, port: u16) -> bool {
        (self.first..=self.last).contains(&port)
    }
}

impl fmt::Display for PortRange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.first == self.last {
            write!(f, "{}", self.first)
        } else {
            write!(f, "{}-{}", self.first, self.last)
        }
    }
}

impl FromStr for PortRange {
    type Err = ScopeError;

    fn from_str(text: &str) -> Result<Self, ScopeError> {
        let (first, last) = text.split_once('-').unwrap_or((text, text));
        let port = |digits: &str| digits.trim().parse::<u16>().ok();
        port(first)
            .zip(port(last))
            .and_then(|(first, last)| Self::new(first, last))
            .ok_or_else(|| ScopeError::Ports(text.to_owned()))
    }
}

impl Scope {
    /// Refuses what could never fit a packet.
    pub fn check(self) -> Result<Self, ScopeError> {
        if let (Some(protocol), Some(_)) = (self.protocol, self.ports)
            && !protocol.has_ports()
        {
            return Err(ScopeError::PortlessProtocol(protocol));
        }
        if let Some(name) = &self.interface
            && (name.is_empty()
                || name.len() > 15
                || name.chars().any(|c| c.is_whitespace() || c == '/' || c == '\0'))
        {
            return Err(ScopeError::Interface(name.clone()));
        }
        Ok(self)
    }
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let parts = [
            self.ports.map(|ports| format!("port={ports}")),
            self.protocol.map(|protocol| format!("protocol={protocol}")),
            self.destination.map(|destination| format!("to={destination}")),
            self.interface.as_ref().map(|interface| format!("interface={interface}")),
        ];
        let text = parts.into_iter().flatten().collect::<Vec<_>>().join(",");
        f.write_str(if text.is_empty() { "host" } else { &text })
    }
}

impl FromStr for Scope {
    type Err = ScopeError;

    fn from_str(text: &str) -> Result<Self, ScopeError> {
        let mut scope = Self::default();
        if text.trim() == "host" {
            return Ok(scope);
        }
        for part in text.split(',') {
            let unknown = || ScopeError::UnknownPart(part.to_owned());
            let (key, value) = part.trim().split_once('=').ok_or_else(unknown)?;
            match key {
                "port" => set(&mut scope.ports, "port", value.parse()?)?,
                "protocol" => set(&mut scope.protocol, "protocol", value.parse()?)?,
                "to" => set(&mut scope.destination, "to", value.parse()?)?,
                "interface" => set(&mut scope.interface, "interface", value.to_owned())?,
                _ => return Err(unknown()),
            }
        }
        scope.check()
    }
}

fn set<T>(field: &mut Option<T>, key: &'static str, value: T) -> Result<(), ScopeError> {
    match field.replace(value) {
        None => Ok(()),
        Some(_) => Err(ScopeError::Repeated(key)),
    }
}

/// A text that names no mode.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not a mode: use enforce, observe or off")]
pub struct UnknownMode(pub String);

/// Reads a mode's name.
pub fn parse_mode(text: &str) -> Result<Mode, UnknownMode> {
    [Mode::Off, Mode::Observe, Mode::Enforce]
        .into_iter()
        .find(|mode| mode.name() == text)
        .ok_or_else(|| UnknownMode(text.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scopes_read_back_as_written() {
        for text in [
            "host",
            "port=443",
            "port=8000-8100,protocol=tcp",
            "protocol=gre",
            "port=53,protocol=udp,to=192.0.2.1/32,interface=eth0",
        ] {
            assert_eq!(text.parse::<Scope>().expect(text).to_string(), text);
        }
    }

    #[test]
    fn faults_are_named() {
        for (text, word) in [
            ("port=9-1", "range"),
            ("port=443,protocol=icmp", "no ports"),
            ("port=1,port=2", "twice"),
            ("protocol=0", "1 to 255"),
            ("to=10.0.0.1/8", "host bits"),
            ("colour=red", "no part"),
        ] {
            let error = text.parse::<Scope>().expect_err(text).to_string();
            assert!(error.contains(word), "{error}");
        }
    }
}
