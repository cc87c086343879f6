//! The smallest set of prefixes that admits whom a list admits, and which
//! entries made each of them.

use std::sync::Arc;

use ipnet::{IpNet, Ipv4Net, Ipv6Net};

use super::entry::Entry;
use super::list::AccessList;
use super::prefix::Prefix;

/// What a list comes to.
#[derive(Debug, Default)]
pub struct Effective {
    /// The smallest equal set, in order, IPv4 first.
    pub prefixes: Vec<Merged>,
    /// Entries that lie within another one, and the narrowest one that covers
    /// them: they could go, and nobody would lose anything.
    pub redundant: Vec<(Arc<Entry>, Arc<Entry>)>,
}

/// A prefix of the smallest equal set.
#[derive(Debug)]
pub struct Merged {
    /// The prefix.
    pub prefix: Prefix,
    /// The entries within it, which cover it together; widest first at each
    /// place.
    pub entries: Vec<Arc<Entry>>,
}

impl Effective {
    /// Of the entries that admit somebody at a Unix second.
    pub fn of(list: &AccessList, now: i64) -> Self {
        let mut v4: Vec<(Ipv4Net, &Arc<Entry>)> = Vec::new();
        let mut v6: Vec<(Ipv6Net, &Arc<Entry>)> = Vec::new();
        for entry in list.entries().filter(|entry| entry.enabled && !entry.has_expired(now)) {
            match entry.address.prefix().network() {
                IpNet::V4(network) => v4.push((network, entry)),
                IpNet::V6(network) => v6.push((network, entry)),
            }
        }
        v4.sort_unstable_by_key(|(network, _)| *network);
        v6.sort_unstable_by_key(|(network, _)| *network);
        let networks_v4 = v4.iter().map(|(network, _)| *network).collect();
        let networks_v6 = v6.iter().map(|(network, _)| *network).collect();
        let mut effective = Self::default();
        let nets = |(network, entry): (_, _)| (IpNet::V4(network), entry);
        effective.merge(
            Ipv4Net::aggregate(&networks_v4).into_iter().map(IpNet::V4),
            v4.into_iter().map(nets),
        );
        let nets = |(network, entry): (_, _)| (IpNet::V6(network), entry);
        effective.merge(
            Ipv6Net::aggregate(&networks_v6).into_iter().map(IpNet::V6),
            v6.into_iter().map(nets),
        );
        effective
    }

    /// Both in order: what lies in a prefix stands together.
    fn merge<'a>(
        &mut self,
        merged: impl Iterator<Item = IpNet>,
        entries: impl Iterator<Item = (IpNet, &'a Arc<Entry>)>,
    ) {
        let mut entries = entries.peekable();
        for network in merged {
            let mut within: Vec<Arc<Entry>> = Vec::new();
            let mut open: Vec<(IpNet, &Arc<Entry>)> = Vec::new();
            while let Some((own, entry)) = entries.next_if(|(own, _)| network.contains(own)) {
                while open.last().is_some_and(|(wider, _)| !wider.contains(&own)) {
                    open.pop();
                }
                if let Some((_, wider)) = open.last() {
                    self.redundant.push((Arc::clone(entry), Arc::clone(wider)));
                }
                open.push((own, entry));
                within.push(Arc::clone(entry));
            }
            self.prefixes.push(Merged { prefix: Prefix::new(network), entries: within });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::access_list::listing::list;

    const NOW: i64 = 100;

    fn effective(entries: &[(&str, bool, Option<i64>)]) -> Effective {
        Effective::of(&list(entries), NOW)
    }

    #[test]
    fn siblings_merge_and_what_is_covered_is_redundant() {
        let found = effective(&[
            ("10.0.0.0/9", true, None),
            ("10.128.0.0/9", true, Some(NOW + 1)),
            ("10.1.0.0/16", true, None),
            ("10.1.2.0/24", true, None),
            ("10.2.0.0/16", true, None),
            ("11.0.0.0/8", false, None),
            ("12.0.0.0/8", true, Some(NOW)),
            ("::/1", true, None),
            ("8000::/1", true, None),
        ]);
        let text = |entry: &Arc<Entry>| entry.address.text().to_owned();
        let prefixes: Vec<_> = found
            .prefixes
            .iter()
            .map(|merged| {
                (merged.prefix.to_string(), merged.entries.iter().map(text).collect::<Vec<_>>())
            })
            .collect();
        let v4 = ["10.0.0.0/9", "10.1.0.0/16", "10.1.2.0/24", "10.2.0.0/16", "10.128.0.0/9"];
        assert_eq!(
            prefixes,
            [
                ("10.0.0.0/8".to_owned(), v4.map(str::to_owned).to_vec()),
                ("::/0".to_owned(), vec!["::/1".to_owned(), "8000::/1".to_owned()]),
            ]
        );
        let redundant: Vec<_> =
            found.redundant.iter().map(|(entry, wider)| (text(entry), text(wider))).collect();
        let pair = |one: &str, other: &str| (one.to_owned(), other.to_owned());
        assert_eq!(
            redundant,
            [
                pair("10.1.0.0/16", "10.0.0.0/9"),
                pair("10.1.2.0/24", "10.1.0.0/16"),
                pair("10.2.0.0/16", "10.0.0.0/9"),
            ]
        );
    }
}
