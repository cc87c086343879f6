//! What holds of any list that is written, and of any input that is read.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ipnet::IpNet;
use proptest::prelude::*;

use super::*;
use crate::access_list::Prefix;

fn prefixes() -> impl Strategy<Value = Prefix> {
    let v4 = (any::<u32>(), 0..=32_u8).prop_map(|(bits, length)| {
        IpNet::new(IpAddr::V4(Ipv4Addr::from(bits)), length).expect("a length of the family")
    });
    let v6 = (any::<u128>(), 0..=128_u8).prop_map(|(bits, length)| {
        IpNet::new(IpAddr::V6(Ipv6Addr::from(bits)), length).expect("a length of the family")
    });
    prop_oneof![v4, v6].prop_map(Prefix::new)
}

fn entries() -> impl Strategy<Value = Vec<Listed>> {
    let seconds = -1_000_000_000..10_000_000_000_i64;
    let expiry = prop::option::of(seconds.prop_map(|seconds| {
        Timestamp::from_second(seconds).expect("seconds within the years that jiff knows")
    }));
    let entry = (prefixes(), ".{0,20}", any::<bool>(), expiry).prop_map(
        |(prefix, comment, enabled, expires)| Listed {
            address: Address::from(prefix),
            comment: (!comment.is_empty()).then(|| comment.into()),
            enabled,
            expires,
        },
    );
    prop::collection::vec(entry, 0..40).prop_map(|mut entries| {
        let mut seen = std::collections::HashSet::new();
        entries.retain(|entry| seen.insert(entry.address.prefix()));
        entries
    })
}

/// Everything of some kind that could be a file, and texts that look like one.
fn files() -> impl Strategy<Value = String> {
    let pieces = [
        "192.0.2.1",
        "10.0.0.0/8",
        "::1",
        "10.0.0.1/8",
        "-",
        ",",
        ";",
        "#",
        "//",
        "\t",
        " ",
        "\n",
        "\r\n",
        "\"",
        "{",
        "}",
        "[",
        "]",
        ":",
        "\"prefixes\"",
        "\"ip_prefix\"",
        "\"ipv4Prefix\"",
        "\"values\"",
        "\"result\"",
        "\"ipv4_cidrs\"",
        "\"regions\"",
        "\"cidrs\"",
        "\"cidr\"",
        "\"hooks\"",
        "\"entries\"",
        "\"address\"",
        "\"inbound\"",
        "\"properties\"",
        "ExitAddress",
        "Start\tEnd\tNetmask",
        "é",
        "null",
        "7",
        "\\",
        "\u{feff}",
    ];
    let assembled = prop::collection::vec(prop::sample::select(pieces.to_vec()), 0..30);
    prop_oneof![".{0,200}", assembled.prop_map(|pieces| pieces.concat())]
}

proptest! {
    #[test]
    fn a_full_export_reads_back_as_it_was(entries in entries()) {
        let times: Vec<_> =
            entries.iter().map(|entry| entry.expires.map(|time| time.to_string())).collect();
        let out: Vec<Export<'_>> = entries.iter().zip(&times).map(|(entry, expires)| Export {
            address: entry.address.text(),
            comment: entry.comment.as_deref().unwrap_or_default(),
            enabled: entry.enabled,
            expires: expires.as_deref(),
        }).collect();
        let feed = read_text(&full(&out)).expect("what was written");
        prop_assert_eq!((feed.format, &feed.entries), (Format::Full, &entries));
        // Comments lose their white space in lines of text, and nothing else.
        let feed = read_as(Format::Text, &text(&out)).expect("what was written");
        let shown = |listed: &[Listed]| listed.iter().map(|entry| entry.address.clone()).collect::<Vec<_>>();
        prop_assert_eq!(shown(&feed.entries), shown(&entries));
    }

    #[test]
    fn flat_exports_read_back_sorted(entries in entries()) {
        let mut expected: Vec<&str> = entries.iter().map(|entry| entry.address.text()).collect();
        let (json, csv) = (flat_json(&expected), flat_csv(&expected));
        expected.sort_unstable();
        let feed = read_as(Format::Json, &json).expect("what was written");
        prop_assert_eq!(addresses(&feed), expected.clone());
        let feed = read_as(Format::Csv, &csv).expect("what was written");
        prop_assert_eq!(addresses(&feed), expected);
    }

    #[test]
    fn no_input_panics_in_any_form(text in files()) {
        let lines = text.bytes().filter(|byte| *byte == b'\n').count() + 1;
        for format in Format::ALL.map(Some).into_iter().chain([None]) {
            let reading = Reading { format, force: true, ..Reading::default() };
            let source = Source { name: None, bytes: text.as_bytes() };
            if let Err(FeedError::Faults(faults)) = read(&source, &reading) {
                prop_assert!(faults.told.iter().all(|fault| (1..=lines).contains(&fault.line)));
            }
        }
    }

    #[test]
    fn a_range_covers_its_addresses_and_no_other(first in any::<u32>(), size in 0..100_000_u32) {
        let last = first.saturating_add(size);
        let text = format!("{}-{}", Ipv4Addr::from(first), Ipv4Addr::from(last));
        let feed = read_text(&text).expect("a range");
        let mut next = u64::from(first);
        for entry in &feed.entries {
            let IpNet::V4(network) = entry.address.prefix().network() else { panic!("{text}") };
            prop_assert_eq!(u64::from(u32::from(network.network())), next);
            next = u64::from(u32::from(network.broadcast())) + 1;
        }
        prop_assert_eq!(next, u64::from(last) + 1);
    }
}
