//! What is read of each form.

use super::*;

pub(super) const AWS: &str = r#"{
  "syncToken": "1753388594",
  "createDate": "2025-07-24-20-23-14",
  "prefixes": [
    {
      "ip_prefix": "198.51.100.0/25",
      "region": "eu-west-1",
      "service": "AMAZON",
      "network_border_group": "eu-west-1"
    },
    {
      "ip_prefix": "203.0.113.0/24",
      "region": "us-east-1",
      "service": "AMAZON",
      "network_border_group": "us-east-1"
    },
    {
      "ip_prefix": "203.0.113.0/24",
      "region": "us-east-1",
      "service": "S3",
      "network_border_group": "us-east-1"
    }
  ],
  "ipv6_prefixes": [
    {
      "ipv6_prefix": "2001:db8:1::/48",
      "region": "us-east-1",
      "service": "S3",
      "network_border_group": "us-east-1"
    }
  ]
}"#;

pub(super) const GCP: &str = r#"{
  "syncToken": "1753409788780",
  "creationTime": "2025-07-24T19:16:28.780563",
  "prefixes": [{
    "ipv4Prefix": "198.51.100.0/24",
    "service": "Google Cloud",
    "scope": "africa-south1"
  }, {
    "ipv6Prefix": "2001:db8:8000::/44",
    "service": "Google Cloud",
    "scope": "asia-east1"
  }]
}"#;

pub(super) const AZURE: &str = r#"{
  "changeNumber": 372,
  "cloud": "Public",
  "values": [
    {
      "name": "Storage.WestEurope",
      "id": "Storage.WestEurope",
      "properties": {
        "changeNumber": 61,
        "region": "westeurope",
        "regionId": 18,
        "platform": "Azure",
        "systemService": "AzureStorage",
        "addressPrefixes": ["198.51.100.0/26", "2001:db8:20::/48"],
        "networkFeatures": ["API", "NSG"]
      }
    },
    {
      "name": "AzureCloud",
      "id": "AzureCloud",
      "properties": {
        "region": "",
        "systemService": "",
        "addressPrefixes": ["198.51.100.0/26", "203.0.113.7/32"]
      }
    }
  ]
}"#;

pub(super) const GITHUB: &str = r#"{"verifiable_password_authentication":false,
"ssh_key_fingerprints":{"SHA256_RSA":"uNiVztksCsDhcc0u9e8BujQXVUpKZIDTMczCvj3tD2s"},
"ssh_keys":["ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIOMqqnkVzrm0SdG6UOoqKLsabgH5C9okWi0dh2l9GKJl"],
"hooks":["192.0.2.0/24","2001:db8::/32"],
"actions":["198.51.100.0/25"],
"brand_new":["203.0.113.1/32"],
"codespaces":[],
"domains":{"website":["*.example.com"],"artifact_attestations":{"trust_domain":"","services":["example.com"]}}}"#;

pub(super) const ORACLE: &str = r#"{
  "last_updated_timestamp": "2025-07-24T18:12:33.271215",
  "regions": [
    {"region": "uk-london-1", "cidrs": [
      {"cidr": "198.51.100.0/24", "tags": ["OCI"]},
      {"cidr": "203.0.113.0/25", "tags": ["OSN", "OBJECT_STORAGE"]}
    ]},
    {"region": "ap-chuncheon-1", "cidrs": [{"cidr": "192.0.2.0/24", "tags": ["OCI"]}]}
  ]
}"#;

pub(super) const ATLAS: &str = r#"{
  "inbound": {"aws": {"us-east-1": ["192.0.2.1/32"]}, "azure": {}, "gcp": {"eu": []}},
  "outbound": {"aws": {"us-east-1": ["192.0.2.9/32", "192.0.2.10/32"], "eu-west-1": ["192.0.2.11/32"]}},
  "gateways": [{"name": "edge", "ips": {"aws": ["198.51.100.7"]}}]
}"#;

pub(super) const GEOFEED: &str = "# This file is a self-published geofeed (RFC 8805)
# ip_prefix, alpha2code, region, city, postal_code
2001:db8:3c00::/40,US,US-TX,Richardson,
198.51.100.0/24,NL,NL-NH,Amsterdam,1105 AT
203.0.113.0/25,US,US-DC,\"Washington, DC\",
203.0.113.128/25,,,,
192.0.2.0/24
";

pub(super) const FULL: &str = r#"{"entries": [
  {"address": "192.0.2.1", "comment": "office", "enabled": false},
  {"address": "2001:DB8::/32", "expires": "2027-01-31T19:00:00+01:00"},
  {"address": "192.0.2.1/32", "enabled": false}
]}"#;

const SINGLE: [&str; 3] = ["13.232.212.70", "18.140.123.126", "3.6.231.140"];

#[test]
fn download_files_of_app_services() {
    for text in [
        "[\r\n  \"13.232.212.70\",\r\n  \"18.140.123.126\",\r\n  \"3.6.231.140\"\r\n]\r\n",
        r#"["13.232.212.70","18.140.123.126","3.6.231.140"]"#,
    ] {
        assert_reads(text, Format::Json, &SINGLE);
    }
    for end in ["\n", "\r\n"] {
        let rows = SINGLE.join(end);
        for text in [rows.clone(), format!("{rows}{end}"), format!("\u{feff}{rows}{end}{end}")] {
            assert_reads(&text, Format::Text, &SINGLE);
            assert_eq!(addresses(&read_as(Format::Csv, &text).expect("a CSV list")), SINGLE);
        }
    }
    let quoted = "IP Address\n\"13.232.212.70\"\n\"18.140.123.126\",\n3.6.231.140\n";
    assert_reads(quoted, Format::Csv, &SINGLE);
}

#[test]
fn feeds_of_clouds() {
    let aws = ["198.51.100.0/25", "203.0.113.0/24", "2001:db8:1::/48"];
    assert_eq!(assert_reads(AWS, Format::Aws, &aws).duplicates, 1);
    assert_reads(r#"{"createDate": "", "prefixes": []}"#, Format::Aws, &[]);
    assert_reads(GCP, Format::Gcp, &["198.51.100.0/24", "2001:db8:8000::/44"]);
    let crawler = r#"{"creationTime":"2025-07-24T22:00:12","prefixes":[{"ipv4Prefix":"192.0.2.0/27","new":[1]}]}"#;
    assert_reads(crawler, Format::Google, &["192.0.2.0/27"]);
    let azure = ["198.51.100.0/26", "2001:db8:20::/48", "203.0.113.7/32"];
    assert_eq!(assert_reads(AZURE, Format::Azure, &azure).duplicates, 1);
    let oracle = ["198.51.100.0/24", "203.0.113.0/25", "192.0.2.0/24"];
    assert_reads(ORACLE, Format::Oracle, &oracle);
}

#[test]
fn feeds_of_networks() {
    let cloudflare = r#"{"result":{"ipv4_cidrs":["192.0.2.0/24"],"ipv6_cidrs":["2001:db8::/32"],
        "jdcloud_cidrs":["198.51.100.0/24"],"etag":"38f79d050aa027e3be3865e495dcc9bc"},
        "success":true,"errors":[],"messages":[]}"#;
    let all = ["192.0.2.0/24", "2001:db8::/32", "198.51.100.0/24"];
    assert_reads(cloudflare, Format::Cloudflare, &all);
    let lines = read_as(Format::Cloudflare, "192.0.2.0/24\n198.51.100.0/24").expect("text");
    assert_eq!(addresses(&lines), ["192.0.2.0/24", "198.51.100.0/24"]);
    let fastly = r#"{"addresses":["192.0.2.0/24"],"ipv6_addresses":["2001:db8::/32"]}"#;
    assert_reads(fastly, Format::Fastly, &["192.0.2.0/24", "2001:db8::/32"]);
    let github = ["192.0.2.0/24", "2001:db8::/32", "198.51.100.0/25", "203.0.113.1/32"];
    assert_reads(GITHUB, Format::Github, &github);
    let atlas = ["192.0.2.1/32", "192.0.2.9/32", "192.0.2.10/32", "192.0.2.11/32", "198.51.100.7"];
    assert_reads(ATLAS, Format::Atlas, &atlas);
    let project = r#"{"groupId":"32b6e34b3d91647abb20e7b8","services":{"clusters":[
        {"clusterName":"main","inbound":["192.0.2.5"],"outbound":["192.0.2.6"]}]}}"#;
    assert_reads(project, Format::Atlas, &["192.0.2.5", "192.0.2.6"]);
    let geofeed = [
        "2001:db8:3c00::/40",
        "198.51.100.0/24",
        "203.0.113.0/25",
        "203.0.113.128/25",
        "192.0.2.0/24",
    ];
    assert_reads(GEOFEED, Format::Geofeed, &geofeed);
    let headed = "ip_prefix,alpha2code,region,city,postal_code\n192.0.2.0/24,DE,DE-HE,Frankfurt,\n";
    assert_reads(headed, Format::Geofeed, &["192.0.2.0/24"]);
}

#[test]
fn plain_text_as_it_comes() {
    let text = "\u{feff}# ours\r\n192.0.2.0/24\t\r\n\r\n  198.51.100.7 # office, 2nd floor\n\
        203.0.113.8-203.0.113.11\t// lab\n; old: 10.0.0.0/8\n2001:DB8::1 ; SBLnot\n\
        203.0.113.9 - 203.0.113.10\n//192.0.2.77\n198.51.100.7/32";
    let feed = assert_reads(
        text,
        Format::Text,
        &[
            "192.0.2.0/24",
            "198.51.100.7",
            "203.0.113.8/30",
            "2001:DB8::1",
            "203.0.113.9/32",
            "203.0.113.10/32",
        ],
    );
    assert_eq!(feed.duplicates, 1);
    let comments: Vec<_> = feed.entries.iter().map(|entry| entry.comment.as_deref()).collect();
    let office = Some("office, 2nd floor");
    assert_eq!(comments, [None, office, Some("lab"), Some("SBLnot"), None, None]);
    for text in ["", "\n# nothing\n", "[]", " [ ] ", "\u{feff}"] {
        assert!(read_text(text).expect(text).entries.is_empty(), "{text:?}");
    }
    let netset = "#\n# country_zz\n#\n# ipv4 hash:net ipset\n#\n# Maintainer      : Example\n\
        # Category        : geolocation\n# Entries         : 2 subnets, 257 unique IPs\n#\n\
        # Generated by FireHOL's update-ipsets.sh\n192.0.2.0/24\n198.51.100.7\n";
    assert_reads(netset, Format::Netset, &["192.0.2.0/24", "198.51.100.7"]);
}

#[test]
fn our_own_form_keeps_everything() {
    let feed = assert_reads(FULL, Format::Full, &["192.0.2.1", "2001:DB8::/32"]);
    assert_eq!(feed.duplicates, 1);
    let [office, lab] = &feed.entries[..] else { panic!("{feed:?}") };
    assert_eq!((office.enabled, office.comment.as_deref()), (false, Some("office")));
    assert_eq!((office.expires, lab.enabled, &lab.comment), (None, true, &None));
    assert_eq!(lab.expires.expect("a time").to_string(), "2027-01-31T18:00:00Z");
}

#[test]
fn names_of_forms_are_told_apart() {
    let mut names = Format::ALL.map(Format::name).to_vec();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), Format::ALL.len());
}

/// Many prefixes in each of the longest forms: what grows faster than the
/// file would take minutes here.
#[test]
fn long_lists_are_read() {
    const MANY: u32 = 200_000;
    let address = |number: u32| std::net::Ipv4Addr::from(0x1000_0000 + number * 7);
    let rows: Vec<String> = (0..MANY).map(|number| address(number).to_string()).collect();
    let array = serde_json::to_string(&rows).expect("JSON");
    for text in [rows.join("\n"), array] {
        assert_eq!(read_text(&text).expect("a list").entries.len(), MANY as usize);
    }
    // As many faults as lines.
    let Err(FeedError::Faults(faults)) = read_text(&"x\n".repeat(MANY as usize)) else {
        panic!("these are no addresses")
    };
    assert_eq!((faults.count(), faults.told[999].line), (MANY as usize, 1000));
}
