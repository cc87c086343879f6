//! From the text to the built configuration. Pure.

mod admin;
mod listener;
mod outbound;

use std::ops::RangeInclusive;
use std::path::PathBuf;

use filter_common::generation::{MAX_APPS, MAX_FAIL_SAFE};
use filter_common::trie::TRIE_CAPACITY;
use toml::de::DeTable;

use super::document::{Faults, Located, Section};
use super::{Config, FailSafe, Fault, InterfaceRule, Limits, OnExit, Paths};
use crate::access_list::Prefix;
use crate::datapath::AttachMode;

/// The most apps: index 0 of the kernel's table means "no app".
pub const MOST_APPS: usize = MAX_APPS - 1;

const MOST_ENTRIES: usize = TRIE_CAPACITY as usize;
const MOST_VERSIONS: usize = 1_000_000;
const CONNECTIONS: RangeInclusive<usize> = 2..=4096;
const PROXY_CONNECTIONS: RangeInclusive<usize> = 16..=1_000_000;

/// The longest interface name of Linux (IFNAMSIZ without its NUL).
const LONGEST_INTERFACE_NAME_BYTES: usize = 15;
const LONGEST_PATTERN_BYTES: usize = 64;

/// The longest path of a Unix socket (sockaddr_un without its NUL), less what
/// its name before the rename is longer by.
const LONGEST_SOCKET_PATH_BYTES: usize = 107 - crate::api::SOCKET_SUFFIX.len();

const NO_INTERFACE: &str = "at least one is needed: write [[interface]] and name = \"eth0\"";

/// Checks a text and builds what it says.
pub(super) fn check(text: &str) -> Result<Config, Vec<Fault>> {
    let mut faults = Faults::new(text);
    let (document, errors) = DeTable::parse_recoverable(text);
    for error in errors {
        let offset = error.span().map_or(0, |span| span.start);
        faults.note(offset, "", format!("is not TOML: {}", error.message().replace('\n', ", ")));
    }
    if !faults.is_empty() {
        // What was recovered from a broken text would only add faults that
        // are none.
        return Err(faults.into_sorted());
    }
    let config = build(&Section::root(document.get_ref()), &mut faults);
    if faults.is_empty() { Ok(config) } else { Err(faults.into_sorted()) }
}

/// The paths and the control group that a text says, whatever else is wrong
/// with it.
pub(super) fn paths_alone(text: &str) -> (Paths, Option<String>) {
    let mut faults = Faults::new(text);
    let (document, _) = DeTable::parse_recoverable(text);
    let root = Section::root(document.get_ref());
    (paths(&root, &mut faults), control_group(&root, &mut faults))
}

fn build(root: &Section<'_, '_>, faults: &mut Faults<'_>) -> Config {
    let known = [
        "on_exit",
        "paths",
        "control",
        "admin",
        "interface",
        "fail_safe",
        "listener",
        "outbound",
        "limits",
    ];
    root.refuse_unknown(&known, faults);
    Config {
        on_exit: on_exit(root, faults),
        paths: paths(root, faults),
        control_group: control_group(root, faults),
        admin: admin::admin(root, faults),
        interfaces: interfaces(root, faults),
        fail_safe: fail_safe(root, faults),
        listeners: listener::check(root, faults),
        outbound: outbound::check(root, faults),
        limits: limits(root, faults),
    }
}

fn on_exit(root: &Section<'_, '_>, faults: &mut Faults<'_>) -> OnExit {
    let Some(word) = root.string("on_exit", faults) else { return OnExit::default() };
    match word.value.as_str() {
        "keep" => OnExit::Keep,
        "open" => OnExit::Open,
        other => {
            let text = format!(
                "{other:?} is not known: use \"keep\" (the filter stays) or \"open\" (traffic is open)"
            );
            faults.refuse(&word, text);
            OnExit::default()
        }
    }
}

fn paths(root: &Section<'_, '_>, faults: &mut Faults<'_>) -> Paths {
    let mut paths = Paths::default();
    let Some(section) = root.section("paths", faults) else { return paths };
    section.refuse_unknown(&["state", "control_socket", "pins"], faults);
    absolute(&section, "state", &mut paths.state, faults);
    absolute(&section, "pins", &mut paths.pins, faults);
    let socket = absolute(&section, "control_socket", &mut paths.control_socket, faults);
    if let Some(socket) = socket
        && socket.value.len() > LONGEST_SOCKET_PATH_BYTES
    {
        let text = format!(
            "is longer than {LONGEST_SOCKET_PATH_BYTES} bytes, the most for a socket: shorten it"
        );
        faults.refuse(&socket, text);
    }
    paths
}

fn absolute(
    section: &Section<'_, '_>,
    key: &str,
    path: &mut PathBuf,
    faults: &mut Faults<'_>,
) -> Option<Located<String>> {
    let given = section.string(key, faults)?;
    let example = std::mem::replace(path, PathBuf::from(&given.value));
    if !path.is_absolute() || path.file_name().is_none() || given.value.contains('\0') {
        let example = example.display();
        faults.refuse(
            &given,
            format!(
                "{:?} is not an absolute path below /: write one such as {example}",
                given.value
            ),
        );
    }
    Some(given)
}

fn control_group(root: &Section<'_, '_>, faults: &mut Faults<'_>) -> Option<String> {
    let section = root.section("control", faults)?;
    section.refuse_unknown(&["group"], faults);
    let group = section.string("group", faults)?;
    if group.value.is_empty() || group.value.contains([':', '\0', '\n', '/']) {
        faults.refuse(&group, format!("{:?} is not the name of a group", group.value));
    }
    Some(group.value)
}

fn interfaces(root: &Section<'_, '_>, faults: &mut Faults<'_>) -> Vec<InterfaceRule> {
    let sections = root.sections("interface", faults);
    if sections.is_empty() {
        root.refuse_missing("interface", NO_INTERFACE, faults);
    }
    let mut rules: Vec<InterfaceRule> = Vec::new();
    for section in sections {
        section.refuse_unknown(&["name", "mode"], faults);
        let mode = attach_mode(&section, faults);
        let Some(name) = section.string("name", faults) else {
            section.refuse_missing(
                "name",
                "is missing: name an interface or a glob such as \"eth*\"",
                faults,
            );
            continue;
        };
        refuse_bad_pattern(&name, faults);
        if rules.iter().any(|rule| rule.pattern == name.value) {
            faults
                .refuse(&name, format!("{:?} is given twice: leave one of them away", name.value));
        }
        rules.push(InterfaceRule { pattern: name.value, mode });
    }
    rules
}

fn attach_mode(section: &Section<'_, '_>, faults: &mut Faults<'_>) -> AttachMode {
    let Some(word) = section.string("mode", faults) else { return AttachMode::Auto };
    AttachMode::parse(&word.value).unwrap_or_else(|| {
        let text =
            format!("{:?} is not known: use \"auto\", \"native\" or \"generic\"", word.value);
        faults.refuse(&word, text);
        AttachMode::Auto
    })
}

fn refuse_bad_pattern(name: &Located<String>, faults: &mut Faults<'_>) {
    let text = name.value.as_str();
    let is_glob = text.contains(['*', '?', '[', '{', '!', '\\']);
    let longest = if is_glob { LONGEST_PATTERN_BYTES } else { LONGEST_INTERFACE_NAME_BYTES };
    if text == "lo" {
        faults.refuse(name, "the loopback interface is never filtered: name the interface that strangers come in by");
    } else if text.is_empty() || text.len() > longest {
        faults
            .refuse(name, format!("{text:?} is not an interface name: 1 to {longest} characters"));
    } else if text.chars().any(|c| c.is_whitespace() || c.is_control() || c == '/') {
        faults.refuse(name, format!("{text:?} is not an interface name: it holds a space, a slash or a control character"));
    } else if !is_balanced(text) {
        faults.refuse(name, format!("{text:?} opens a bracket that it does not close"));
    }
}

fn is_balanced(pattern: &str) -> bool {
    [('[', ']'), ('{', '}')]
        .into_iter()
        .all(|(open, close)| pattern.matches(open).count() == pattern.matches(close).count())
}

fn fail_safe(root: &Section<'_, '_>, faults: &mut Faults<'_>) -> Vec<FailSafe> {
    let sections = root.sections("fail_safe", faults);
    if let Some(section) = sections.get(MAX_FAIL_SAFE) {
        let text = format!(
            "{} are given, and there is room for {MAX_FAIL_SAFE}: join addresses to a CIDR",
            sections.len()
        );
        section.refuse_missing("address", &text, faults);
    }
    let mut sources: Vec<FailSafe> = Vec::new();
    for section in &sections {
        section.refuse_unknown(&["address", "port"], faults);
        let port = section.number("port", 1..=u16::MAX, faults).map(|port| port.value);
        let Some(address) = section.string("address", faults) else {
            section.refuse_missing("address", "is missing: give an address or CIDR", faults);
            continue;
        };
        let prefix = match address.value.parse::<Prefix>() {
            Ok(prefix) => prefix,
            Err(error) => {
                faults.refuse(&address, error.to_string());
                continue;
            }
        };
        let source = FailSafe { prefix, port };
        if prefix.network().prefix_len() == 0 && port.is_none() {
            faults.refuse(&address, format!("{prefix} without a port would let every source in: name a port, or the sources that must never be cut off"));
        }
        if sources.contains(&source) {
            faults.refuse(&address, format!("{prefix} is given twice: leave one of them away"));
        }
        sources.push(source);
    }
    sources
}

fn limits(root: &Section<'_, '_>, faults: &mut Faults<'_>) -> Limits {
    let mut limits = Limits::default();
    let Some(section) = root.section("limits", faults) else { return limits };
    let known = [
        "entries",
        "apps",
        "control_connections",
        "admin_connections",
        "accelerate_from",
        "versions",
        "proxy_connections",
    ];
    section.refuse_unknown(&known, faults);
    for (key, range, limit) in [
        ("entries", 1..=MOST_ENTRIES, &mut limits.entries),
        ("apps", 1..=MOST_APPS, &mut limits.apps),
        ("control_connections", CONNECTIONS, &mut limits.control_connections),
        ("admin_connections", CONNECTIONS, &mut limits.admin_connections),
        ("accelerate_from", 1..=MOST_ENTRIES, &mut limits.accelerate_from),
        ("versions", 1..=MOST_VERSIONS, &mut limits.versions),
        ("proxy_connections", PROXY_CONNECTIONS, &mut limits.proxy_connections),
    ] {
        if let Some(number) = section.number(key, range, faults) {
            *limit = number.value;
        }
    }
    limits
}

#[cfg(test)]
mod tests;
