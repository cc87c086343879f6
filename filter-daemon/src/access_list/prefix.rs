//! Addresses as typed, and the canonical prefixes they stand for.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr};
use std::str::FromStr;

use ipnet::{IpNet, Ipv4Net};

/// A canonical CIDR: no host bits, and IPv4 wherever an IPv4-mapped IPv6
/// address was meant (RFC 4291, section 2.5.5.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Prefix(IpNet);

/// An address or CIDR as an operator typed it, with its meaning.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Address {
    text: Box<str>,
    prefix: Prefix,
}

/// Why a text is not an address of an access list.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AddressError {
    /// Nothing was given.
    #[error("an address is missing: give an IP address or a CIDR such as 203.0.113.0/24")]
    Empty,
    /// Not an address at all.
    #[error(
        "{text:?} is not an IP address or CIDR: give one such as 203.0.113.7, 203.0.113.0/24 or 2001:db8::/32"
    )]
    NotAnAddress {
        /// What was given.
        text: String,
    },
    /// The number behind the slash does not fit the family.
    #[error("{text:?} has no valid prefix length: an {family} prefix is at most /{longest}")]
    PrefixLength {
        /// What was given.
        text: String,
        /// "IPv4" or "IPv6".
        family: &'static str,
        /// 32 or 128.
        longest: u8,
    },
    /// A network with host bits can be read in two ways.
    #[error(
        "{text:?} has host bits set: write {host} for the one address or {network} for the whole network"
    )]
    HostBits {
        /// What was given.
        text: String,
        /// The reading as one address.
        host: Prefix,
        /// The reading as a network.
        network: Prefix,
    },
}

impl Prefix {
    /// The prefix of a network, without its host bits.
    pub fn new(network: IpNet) -> Self {
        let network = network.trunc();
        match network {
            IpNet::V6(v6) if v6.prefix_len() >= 96 => match v6.network().to_ipv4_mapped() {
                Some(v4) => Self(v4_network(v4, v6.prefix_len() - 96)),
                None => Self(network),
            },
            IpNet::V4(_) | IpNet::V6(_) => Self(network),
        }
    }

    /// The prefix that holds one address alone.
    pub fn host(address: IpAddr) -> Self {
        Self::new(IpNet::from(address))
    }

    /// The network as ipnet knows it.
    pub fn network(self) -> IpNet {
        self.0
    }

    /// The prefixes that cover it, but for itself, narrowest first.
    pub fn wider(self) -> impl Iterator<Item = Self> {
        let network = self.0.network();
        (0..self.0.prefix_len())
            .rev()
            .map(move |length| Self::new(IpNet::new_assert(network, length)))
    }

    /// Whether an address lies inside. An IPv4-mapped address counts as IPv4.
    pub fn contains(self, address: IpAddr) -> bool {
        self.0.contains(&address.to_canonical())
    }
}

fn v4_network(address: Ipv4Addr, length: u8) -> IpNet {
    IpNet::V4(Ipv4Net::new_assert(address, length))
}

impl fmt::Display for Prefix {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

impl FromStr for Prefix {
    type Err = AddressError;

    fn from_str(text: &str) -> Result<Self, AddressError> {
        Address::parse(text).map(|address| address.prefix)
    }
}

impl Address {
    /// Reads an address or CIDR. A bare `0.0.0.0` means anywhere and is kept
    /// as `0.0.0.0/0`; host bits are refused.
    pub fn parse(text: &str) -> Result<Self, AddressError> {
        let text = text.trim();
        if text.is_empty() {
            return Err(AddressError::Empty);
        }
        if text == "0.0.0.0" {
            return Self::parse("0.0.0.0/0");
        }
        let not_an_address = || AddressError::NotAnAddress { text: text.to_owned() };
        let (address, length) = match text.split_once('/') {
            None => (text, None),
            Some((address, length)) => (address, Some(length)),
        };
        let address: IpAddr = address.parse().map_err(|_| not_an_address())?;
        let network = match length {
            None => IpNet::from(address),
            Some(length) => network(text, address, length)?,
        };
        let prefix = Prefix::new(network);
        if network != network.trunc() {
            return Err(AddressError::HostBits {
                text: text.to_owned(),
                host: Prefix::host(address),
                network: prefix,
            });
        }
        Ok(Self { text: text.into(), prefix })
    }

    /// The text as typed.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// What is compared and enforced.
    pub fn prefix(&self) -> Prefix {
        self.prefix
    }
}

fn network(text: &str, address: IpAddr, length: &str) -> Result<IpNet, AddressError> {
    let (family, longest) = match address {
        IpAddr::V4(_) => ("IPv4", 32),
        IpAddr::V6(_) => ("IPv6", 128),
    };
    let wrong = || AddressError::PrefixLength { text: text.to_owned(), family, longest };
    if length.is_empty() || length.len() > 3 || !length.bytes().all(|b| b.is_ascii_digit()) {
        return Err(wrong());
    }
    let length: u8 = length.parse().map_err(|_| wrong())?;
    IpNet::new(address, length).map_err(|_| wrong())
}

impl From<Prefix> for Address {
    fn from(prefix: Prefix) -> Self {
        Self { text: prefix.to_string().into(), prefix }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_kept_and_meaning_is_canonical() {
        for (text, prefix) in [
            ("1.1.1.1", "1.1.1.1/32"),
            ("10.0.0.0/8", "10.0.0.0/8"),
            ("2001:DB8::1", "2001:db8::1/128"),
            ("::ffff:192.0.2.1", "192.0.2.1/32"),
            ("::ffff:192.0.2.0/120", "192.0.2.0/24"),
            ("::ffff:0:0/96", "0.0.0.0/0"),
            ("::/0", "::/0"),
        ] {
            let address = Address::parse(text).expect(text);
            assert_eq!(address.text(), text);
            assert_eq!(address.prefix().to_string(), prefix);
        }
    }

    #[test]
    fn bare_zero_means_anywhere() {
        let address = Address::parse("0.0.0.0").expect("valid");
        assert_eq!(
            (address.text(), address.prefix()),
            ("0.0.0.0/0", "0.0.0.0/0".parse().expect("valid"))
        );
    }

    #[test]
    fn host_bits_are_refused_with_both_readings() {
        let error = Address::parse("10.0.0.5/8").expect_err("host bits");
        let text = error.to_string();
        assert!(text.contains("10.0.0.5/32") && text.contains("10.0.0.0/8"), "{text}");
        assert!(Address::parse("::ffff:10.0.0.5/104").is_err());
    }

    #[test]
    fn nonsense_is_refused() {
        for text in [
            "",
            " ",
            "1.2.3",
            "01.2.3.4",
            "1.2.3.4/33",
            "1.2.3.4/+8",
            "::1%eth0",
            "::/129",
            "a/8",
            "1.2.3.4/",
            "1.2.3.0/24/1",
        ] {
            assert!(Address::parse(text).is_err(), "{text:?}");
        }
    }
}
