//! Lists of sources to keep out are recognised, and taken by force alone.

use super::*;

const EXIT_ADDRESSES: &str = "ExitNode 0011BD2485AD45D984EC4159C88FC066E5E3300E
Published 2025-07-24 06:16:44
LastStatus 2025-07-24 23:00:00
ExitAddress 192.0.2.1 2025-07-24 23:21:38
ExitAddress 2001:db8::1 2025-07-24 23:21:38
ExitNode 00AC9B09C4B5B1D5A5A5A5A5A5A5A5A5A5A5A5A5
Published 2025-07-24 10:00:00
LastStatus 2025-07-24 23:00:00
ExitAddress 192.0.2.1 2025-07-24 23:22:00
";

const DROP: &str = "; Spamhaus DROP List 2025/07/24 - (c) 2025 The Spamhaus Project SLU
; https://www.spamhaus.org/drop/drop.txt
; Last-Modified: Thu, 24 Jul 2025 10:00:00 GMT
192.0.2.0/24 ; SBL256894
198.51.100.0/24 ; SBL434604
";

const DROP_JSON: &str = r#"{"cidr":"192.0.2.0/24","sblid":"SBL256894","rir":"apnic"}
{"cidr":"2001:db8::\/32","sblid":"SBL301771","rir":"ripencc"}
{"type":"metadata","timestamp":1753351442,"size":103249,"records":2,"copyright":"(c) 2025"}
"#;

const DSHIELD: &str = "#
#   DShield.org Recommended Block List
#    updated: Thu Jul 24 22:00:15 2025 UTC
#
Start\tEnd\tNetmask\tAttacks\tName\tCountry\temail
192.0.2.0\t192.0.2.255\t24\t9424\tNAME-AS #1 ; x\tRU\tabuse@example.net
198.51.100.0\t198.51.100.255\t24\t6276\tOther\tUS\t
";

const LEVEL1: &str = "#
# firehol_level1
#
# ipv4 hash:net ipset
#
# A firewall blacklist composed from IP lists
#
# Maintainer      : FireHOL
# Maintainer URL  : http://iplists.firehol.org/
# Category        : attacks
# Entries         : 2 subnets, 16777472 unique IPs
#
192.0.2.0/24
10.0.0.0/8
198.51.100.7
";

const PLAIN: &str = "192.0.2.1\n2001:db8::7\n";

/// A file that is refused as a list of this kind, and taken by force with so
/// many entries.
#[track_caller]
fn assert_refused(name: &str, text: &str, word: &str, format: Format, entries: usize) {
    let Err(FeedError::BlockList(list)) = read_named(name, text, false) else {
        panic!("{name} is taken")
    };
    let told = list.to_string();
    assert!(told.contains(word) && told.contains("keep out"), "no {word:?} in {told}");
    let feed = read_named(name, text, true).unwrap_or_else(|error| panic!("{name}: {error}"));
    assert_eq!((feed.format, feed.entries.len()), (format, entries), "{name}");
}

#[test]
fn by_what_they_hold() {
    assert_refused("list", EXIT_ADDRESSES, "Tor", Format::Tor, 2);
    assert_refused("list", DROP, "Spamhaus", Format::Text, 2);
    assert_refused("list", DROP_JSON, "Spamhaus", Format::Spamhaus, 2);
    assert_refused("list", DSHIELD, "DShield", Format::Dshield, 2);
    assert_refused("list", LEVEL1, "FireHOL", Format::Netset, 3);
    let without_header: String = DROP.lines().skip(3).map(|row| format!("{row}\n")).collect();
    assert_refused("list", &without_header, "SBL256894", Format::Text, 2);
    let rows: String = DSHIELD.lines().skip(5).map(|row| format!("{row}\n")).collect();
    assert_refused("list", &rows, "DShield", Format::Dshield, 2);
    for (title, list) in
        [("spamhaus_edrop", "Spamhaus"), ("dshield_7d", "DShield"), ("et_tor", "Tor")]
    {
        let text = LEVEL1.replace("firehol_level1", title);
        assert_refused("list", &text, list, Format::Netset, 3);
    }
    for category in ["reputation", "malware, botnet", "Unroutable"] {
        let text = LEVEL1.replace("attacks", category);
        assert_refused("list", &text, category, Format::Netset, 3);
    }
    assert_refused(
        "list",
        &format!("# Feodo Tracker IP Blocklist\n{PLAIN}"),
        "block list",
        Format::Text,
        2,
    );
}

#[test]
fn by_their_names() {
    for (name, word) in [
        ("torbulkexitlist", "Tor"),
        ("TorBulkExitList.txt", "Tor"),
        ("tor-exit-nodes.lst", "Tor"),
        ("tor_exits.ipset", "Tor"),
        ("spamhaus_drop.netset", "Spamhaus"),
        ("drop.txt", "Spamhaus"),
        ("drop_v6.json", "Spamhaus"),
        ("dshield.netset", "DShield"),
        ("firehol_level2.netset", "FireHOL"),
        ("fullbogons-ipv4.txt", "bogons"),
        ("ipblocklist_recommended.txt", "block list"),
    ] {
        assert_refused(name, PLAIN, word, Format::Text, 2);
    }
    let gates = format!("# cameras at Tor 3\n{PLAIN}");
    assert_eq!(read_named("list", &gates, false).expect("a gate").entries.len(), 2);
    assert_refused("list", &format!("// Tor exit nodes\n{PLAIN}"), "Tor", Format::Text, 2);
    for name in ["list.txt", "monitor.txt", "drop-ins.txt", "raindrop.csv", "store", "ips-v4"] {
        assert_eq!(read_named(name, PLAIN, false).expect(name).entries.len(), 2);
    }
}

#[test]
fn a_named_form_does_not_hide_them() {
    let source = Source { name: None, bytes: DROP.as_bytes() };
    let reading = Reading { format: Some(Format::Text), ..Reading::default() };
    assert!(matches!(read(&source, &reading), Err(FeedError::BlockList(_))));
    let by_name = Source { name: Some("torbulkexitlist"), bytes: PLAIN.as_bytes() };
    let reading = Reading { format: Some(Format::Tor), force: true, ..Reading::default() };
    assert_eq!(read(&by_name, &reading).expect("forced").entries.len(), 2);
}

#[test]
fn details_of_forced_lists_are_kept() {
    let feed = read_named("list", DROP_JSON, true).expect("forced");
    assert_eq!(addresses(&feed), ["192.0.2.0/24", "2001:db8::/32"]);
    assert_eq!(feed.entries[1].comment.as_deref(), Some("SBL301771"));
    let feed = read_named("list", DSHIELD, true).expect("forced");
    assert_eq!(addresses(&feed), ["192.0.2.0/24", "198.51.100.0/24"]);
    for text in ["ExitNode\nbad row here\n", "Start\tEnd\tNetmask\n192.0.2.0\n"] {
        assert_eq!(faults_of(read_named("list", text, true))[0].line, 2, "{text}");
    }
    let (about, rows) =
        DROP_JSON.trim_end().rsplit_once('\n').map(|(rows, about)| (about, rows)).expect("lines");
    assert_refused("list", &format!("{about}\n{rows}"), "Spamhaus", Format::Spamhaus, 2);
    let cut = DROP_JSON.replace("\"rir\":\"ripencc\"}", "\"rir\":");
    assert_eq!(faults_of(read_named("list", &cut, true))[0].line, 2);
}
