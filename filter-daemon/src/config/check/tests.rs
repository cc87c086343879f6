//! Every key, every kind of fault.

use std::path::Path;
use std::time::Duration;

use super::*;
use crate::config::{Admin, ConfigError};
use crate::tls::PairFiles;

const SMALLEST: &str = "[[interface]]\nname = \"eth0\"\n";

fn faults(text: &str) -> Vec<(usize, String, String)> {
    let faults = Config::parse(text).expect_err(text);
    faults.into_iter().map(|fault| (fault.line, fault.key, fault.text)).collect()
}

fn only_fault(text: &str) -> (usize, String, String) {
    let mut faults = faults(text);
    assert_eq!(faults.len(), 1, "{faults:?}");
    faults.remove(0)
}

#[test]
fn smallest_file_has_the_defaults() {
    let config = Config::parse(SMALLEST).expect("valid");
    assert_eq!(config.on_exit, OnExit::Keep);
    assert_eq!(config.paths, Paths::default());
    assert_eq!(config.control_group, None);
    assert_eq!(config.admin, Admin::default());
    assert_eq!(
        config.interfaces,
        [InterfaceRule { pattern: "eth0".into(), mode: AttachMode::Auto }]
    );
    assert_eq!(config.fail_safe, []);
    assert_eq!(config.listeners, []);
    assert_eq!(config.outbound, []);
    assert_eq!(
        config.limits,
        Limits {
            entries: 1_000_000,
            apps: 127,
            control_connections: 64,
            admin_connections: 256,
            accelerate_from: 1000,
            versions: 1000,
            proxy_connections: 65_536
        }
    );
}

#[test]
fn every_key_is_read() {
    let config = Config::parse(
        r#"
        on_exit = "open"
        [paths]
        state = "/srv/state"
        control_socket = "/srv/run/c.sock"
        pins = "/sys/fs/bpf/other"
        [control]
        group = "filterd-admins"
        [admin]
        listen = ["127.0.0.1:8443", "[::1]:8443"]
        certificate = "/etc/tls/cert.pem"
        key = "/etc/tls/key.pem"
        access_token_s = 5
        refresh_token_s = 10
        [[interface]]
        name = "eth*"
        mode = "native"
        [[interface]]
        name = "wan0"
        mode = "generic"
        [[fail_safe]]
        address = "203.0.113.7"
        port = 22
        [[fail_safe]]
        address = "2001:db8::/32"
        [[listener]]
        address = "::"
        [[listener]]
        address = "192.0.2.1"
        port = 8443
        [[outbound]]
        label = "aws"
        addresses = ["192.0.2.1", "2001:DB8::1"]
        [[outbound]]
        label = "on-site_2"
        addresses = ["::ffff:192.0.2.1"]
        [limits]
        entries = 1_000
        apps = 3
        control_connections = 8
        admin_connections = 9
        accelerate_from = 1
        versions = 5
        proxy_connections = 100
        "#,
    )
    .expect("valid");
    assert_eq!(config.on_exit, OnExit::Open);
    assert_eq!(config.paths.state, Path::new("/srv/state"));
    assert_eq!(config.paths.control_socket, Path::new("/srv/run/c.sock"));
    assert_eq!(config.paths.pins, Path::new("/sys/fs/bpf/other"));
    assert_eq!(config.control_group.as_deref(), Some("filterd-admins"));
    assert_eq!(
        config.admin,
        Admin {
            listen: vec![
                ([127, 0, 0, 1], 8443).into(),
                (std::net::Ipv6Addr::LOCALHOST, 8443).into()
            ],
            certificate: Some(PairFiles {
                certificate: "/etc/tls/cert.pem".into(),
                key: "/etc/tls/key.pem".into()
            }),
            access_token: Duration::from_secs(5),
            refresh_token: Duration::from_secs(10),
        }
    );
    let modes: Vec<_> = config.interfaces.iter().map(|rule| rule.mode).collect();
    assert_eq!(modes, [AttachMode::Native, AttachMode::Generic]);
    let sources: Vec<_> =
        config.fail_safe.iter().map(|source| (source.prefix.to_string(), source.port)).collect();
    assert_eq!(sources, [("203.0.113.7/32".into(), Some(22)), ("2001:db8::/32".into(), None)]);
    let listeners: Vec<_> = config.listeners.iter().map(ToString::to_string).collect();
    assert_eq!(listeners, ["[::]:443", "192.0.2.1:8443"]);
    let outbound: Vec<_> =
        config.outbound.iter().map(|found| (found.label.as_str(), &found.addresses)).collect();
    let [one, six] = ["192.0.2.1", "2001:db8::1"].map(|text| text.parse().expect(text));
    assert_eq!(outbound, [("aws", &vec![one, six]), ("on-site_2", &vec![one])]);
    assert_eq!(
        config.limits,
        Limits {
            entries: 1_000,
            apps: 3,
            control_connections: 8,
            admin_connections: 9,
            accelerate_from: 1,
            versions: 5,
            proxy_connections: 100
        }
    );
}

#[test]
fn all_faults_are_reported_at_once_in_order() {
    let found = faults(
        "on_exit = \"stay\"\ncolour = 1\n[[interface]]\nnmae = \"eth0\"\nmode = \"fast\"\n[[fail_safe]]\naddress = \"10.0.0.5/8\"\nport = 70000\n[limits]\nentries = \"many\"\n",
    );
    let places: Vec<_> = found.iter().map(|(line, key, _)| (*line, key.as_str())).collect();
    assert_eq!(
        places,
        [
            (1, "on_exit"),
            (2, "colour"),
            (3, "interface[0].name"),
            (4, "interface[0].nmae"),
            (5, "interface[0].mode"),
            (7, "fail_safe[0].address"),
            (8, "fail_safe[0].port"),
            (10, "limits.entries"),
        ]
    );
    assert!(found[1].2.contains("interface"), "the known keys are named: {}", found[1].2);
    assert!(found[3].2.contains("did you mean `name`"), "{}", found[3].2);
    assert!(found[5].2.contains("10.0.0.0/8"), "{}", found[5].2);
    assert!(found[6].2.contains("1 to 65535"), "{}", found[6].2);
}

#[test]
fn each_value_is_checked() {
    for (text, key, word) in [
        ("on_exit = 1", "on_exit", "text in quotes"),
        ("paths = 1", "paths", "[paths]"),
        ("[paths]\nstate = \"var\"", "paths.state", "absolute"),
        ("[paths]\nstate = \"/\"", "paths.state", "absolute"),
        ("[control]\ngroup = \"\"", "control.group", "group"),
        ("[[interface]]\nname = \"lo\"", "interface[1].name", "loopback"),
        ("[[interface]]\nname = \"a b\"", "interface[1].name", "space"),
        ("[[interface]]\nname = \"averylonginterface\"", "interface[1].name", "15"),
        ("[[interface]]\nname = \"eth[0\"", "interface[1].name", "bracket"),
        ("[[interface]]\nname = \"eth0\"", "interface[1].name", "twice"),
        ("[[fail_safe]]\naddress = \"0.0.0.0/0\"", "fail_safe[0].address", "every source"),
        ("[[fail_safe]]\nport = 22", "fail_safe[0].address", "missing"),
        ("[[fail_safe]]\naddress = \"::1\"\nport = 0", "fail_safe[0].port", "1 to 65535"),
        ("[[listener]]", "listener[0].address", "missing"),
        ("[[listener]]\naddress = \"localhost\"", "listener[0].address", "\"localhost\""),
        ("[[listener]]\naddress = \"::\"\nport = 0", "listener[0].port", "out of range"),
        (
            "[[listener]]\naddress = \"0.0.0.0\"\n[[listener]]\naddress = \"192.0.2.1\"",
            "listener[1].address",
            "192.0.2.1:443 and 0.0.0.0:443",
        ),
        ("[[outbound]]\naddresses = [\"::1\"]", "outbound[0].label", "missing"),
        ("[[outbound]]\nlabel = \"a b\"\naddresses = [\"::1\"]", "outbound[0].label", "letters"),
        ("[[outbound]]\nlabel = \"a\"", "outbound[0].addresses", "missing"),
        ("[[outbound]]\nlabel = \"a\"\naddresses = []", "outbound[0].addresses", "empty"),
        ("[[outbound]]\nlabel = \"a\"\naddresses = \"::1\"", "outbound[0].addresses", "list"),
        (
            "[[outbound]]\nlabel = \"a\"\naddresses = [\"::1\", 7]",
            "outbound[0].addresses[1]",
            "quotes",
        ),
        (
            "[[outbound]]\nlabel = \"a\"\naddresses = [\"10.0.0.0/8\"]",
            "outbound[0].addresses[0]",
            "CIDR",
        ),
        ("[[outbound]]\nlabel = \"a\"\naddresses = [\"x\"]", "outbound[0].addresses[0]", "\"x\""),
        (
            "[[outbound]]\nlabel = \"a\"\naddresses = [\"0.0.0.0\"]",
            "outbound[0].addresses[0]",
            "sends from",
        ),
        (
            "[[outbound]]\nlabel = \"a\"\naddresses = [\"::1\", \"::1\"]",
            "outbound[0].addresses[1]",
            "twice",
        ),
        ("[limits]\napps = 128", "limits.apps", "1 to 127"),
        ("[limits]\nentries = -1", "limits.entries", "1 to"),
        ("[limits]\ncontrol_connections = 1.5", "limits.control_connections", "whole number"),
    ] {
        // Keys of the document itself must come before any table.
        let whole = if text.starts_with('[') {
            format!("{SMALLEST}{text}\n")
        } else {
            format!("{text}\n{SMALLEST}")
        };
        let (_, found_key, found_text) = only_fault(&whole);
        assert_eq!(found_key, key, "{text}");
        assert!(found_text.contains(word), "{text}: {found_text}");
    }
}

#[test]
fn labels_of_outbound_addresses_are_told_apart() {
    let section = "[[outbound]]\nlabel = \"aws\"\naddresses = [\"192.0.2.1\"]\n";
    let (line, key, text) = only_fault(&format!("{SMALLEST}{section}{section}"));
    assert_eq!((line, key.as_str()), (7, "outbound[1].label"));
    assert!(text.contains("twice"), "{text}");
}

#[test]
fn too_many_fail_safe_sources_are_refused() {
    let sources: String = (0..=MAX_FAIL_SAFE)
        .map(|n| format!("[[fail_safe]]\naddress = \"192.0.2.{n}\"\n"))
        .collect();
    let (_, key, text) = only_fault(&format!("{SMALLEST}{sources}"));
    assert_eq!(key, format!("fail_safe[{MAX_FAIL_SAFE}].address"));
    assert!(text.contains("17") && text.contains("16"), "{text}");
}

#[test]
fn an_interface_is_needed() {
    let (line, key, text) = only_fault("");
    assert_eq!((line, key.as_str()), (1, "interface"));
    assert!(text.contains("[[interface]]"), "{text}");
}

#[test]
fn broken_toml_names_the_line() {
    let found = faults("[[interface]]\nname = \"eth0\"\nmode = = 1\n");
    assert_eq!(found[0].0, 3);
    assert!(found[0].2.contains("not TOML"), "{found:?}");
}

#[test]
fn files_are_named() {
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path().join("filterd.toml");
    let missing = Config::load(&path).expect_err("missing");
    assert!(matches!(missing, ConfigError::Missing { .. }));
    assert!(missing.to_string().contains("[[interface]]"), "{missing}");

    std::fs::write(&path, b"on_exit = \"\xff\"").expect("written");
    assert!(matches!(Config::load(&path), Err(ConfigError::NotText { .. })));

    std::fs::write(&path, "on_exit = 1\n[[interface]]\n").expect("written");
    let text = Config::load(&path).expect_err("faults").to_string();
    let start = format!("{}:1: on_exit: must be", path.display());
    assert!(text.starts_with(&start) && text.lines().count() == 2, "{text}");

    std::fs::write(&path, SMALLEST).expect("written");
    Config::load(&path).expect("valid");
}

proptest::proptest! {
    #[test]
    fn no_text_panics(text in ".{0,200}") {
        let _ = Config::parse(&text);
    }
}

#[test]
fn faults_of_the_admin_listener_name_what_to_write() {
    for (text, key, words) in [
        ("listen = \"127.0.0.1:8443\"", "admin.listen", "a list of texts"),
        ("listen = [8443]", "admin.listen[0]", "a text in quotes"),
        ("listen = [\"127.0.0.1\"]", "admin.listen[0]", "\"127.0.0.1:8443\""),
        ("listen = [\"::1\"]", "admin.listen[0]", "\"[::1]:8443\""),
        ("listen = [\"[::1]:1\", \"localhost:2\"]", "admin.listen[1]", "an address and a port"),
        ("listen = [\"[::1]:0\"]", "admin.listen[0]", "port 0"),
        ("listen = [\"[::1]:1\", \"[0::1]:1\"]", "admin.listen[1]", "given twice"),
        ("certificate = \"/a\"", "admin.certificate", "admin.key"),
        ("key = \"/a\"", "admin.key", "admin.certificate"),
        ("key = \"a\"\ncertificate = \"/a\"", "admin.key", "absolute path"),
        ("access_token_s = 0", "admin.access_token_s", "from 1 to 86400"),
        ("refresh_token_s = 15552001", "admin.refresh_token_s", "to 15552000"),
        ("listne = []", "admin.listne", "`listen`"),
    ] {
        let (_, found, told) = only_fault(&format!("{SMALLEST}[admin]\n{text}\n"));
        assert_eq!(found, key);
        assert!(told.contains(words), "{text}: {told}");
    }
}
