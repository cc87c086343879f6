//! Ranges `first-last`: the exact set of prefixes that they stand for.

use std::net::IpAddr;

use ipnet::{IpNet, IpSubnets, Ipv4Subnets, Ipv6Subnets};

use super::fault::quote;
use crate::access_list::Prefix;

/// The prefixes of a range as it is typed, fewest possible, in order.
pub(super) fn parse(first: &str, last: &str) -> Result<impl Iterator<Item = Prefix>, String> {
    between(end(first)?, end(last)?)
}

/// The prefixes from one address to another, both included.
pub(super) fn between(first: IpAddr, last: IpAddr) -> Result<impl Iterator<Item = Prefix>, String> {
    let subnets: IpSubnets = match (first, last) {
        (IpAddr::V4(first), IpAddr::V4(last)) => Ipv4Subnets::new(first, last, 0).into(),
        (IpAddr::V6(first), IpAddr::V6(last)) => Ipv6Subnets::new(first, last, 0).into(),
        (IpAddr::V4(_), IpAddr::V6(_)) | (IpAddr::V6(_), IpAddr::V4(_)) => {
            return Err(format!(
                "the range {first}-{last} begins in one family and ends in another"
            ));
        }
    };
    if last < first {
        return Err(format!("the range {first}-{last} ends before it begins"));
    }
    Ok(subnets.map(|subnet: IpNet| Prefix::new(subnet)))
}

fn end(text: &str) -> Result<IpAddr, String> {
    let text = text.trim();
    let address: IpAddr = text.parse().map_err(|_| {
        format!(
            "{} is no end of a range: give two addresses, such as 203.0.113.8-203.0.113.11",
            quote(text)
        )
    })?;
    Ok(address.to_canonical())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn prefixes(first: &str, last: &str) -> Vec<String> {
        parse(first, last).expect("a range").map(|prefix| prefix.to_string()).collect()
    }

    #[test]
    fn ranges_become_exactly_their_prefixes() {
        assert_eq!(prefixes("192.0.2.7", "192.0.2.7"), ["192.0.2.7/32"]);
        assert_eq!(prefixes("10.0.0.0", " 10.255.255.255"), ["10.0.0.0/8"]);
        assert_eq!(
            prefixes("192.0.2.9", "192.0.2.15"),
            ["192.0.2.9/32", "192.0.2.10/31", "192.0.2.12/30"]
        );
        assert_eq!(prefixes("0.0.0.0", "255.255.255.255"), ["0.0.0.0/0"]);
        assert_eq!(prefixes("::", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"), ["::/0"]);
        assert_eq!(prefixes("255.255.255.254", "255.255.255.255"), ["255.255.255.254/31"]);
        assert_eq!(prefixes("2001:db8::1", "2001:db8::2"), ["2001:db8::1/128", "2001:db8::2/128"]);
        assert_eq!(prefixes("::ffff:192.0.2.0", "192.0.2.1"), ["192.0.2.0/31"]);
        assert_eq!(prefixes("::1", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:fffe").len(), 254);
    }

    #[test]
    fn bad_ranges_say_why() {
        for (first, last, word) in [
            ("192.0.2.9", "192.0.2.8", "before it begins"),
            ("192.0.2.9", "::1", "family"),
            ("192.0.2.9", "20", "no end of a range"),
            ("192.0.2.0/24", "192.0.3.0/24", "no end of a range"),
            ("", "", "no end of a range"),
        ] {
            let why = parse(first, last).err().expect("refused");
            assert!(why.contains(word), "{why}");
        }
    }
}
