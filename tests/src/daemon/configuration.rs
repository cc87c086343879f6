//! The configuration file of a daemon under test.

use std::fmt::Write;
use std::path::Path;

/// What a test says in filterd.toml, besides the paths.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Configuration {
    /// Names or globs of interfaces, with the mode to attach in.
    pub interfaces: Vec<(String, String)>,
    /// Fail-safe sources, with a port or without.
    pub fail_safe: Vec<(String, Option<u16>)>,
    /// "keep" or "open".
    pub on_exit: Option<&'static str>,
    /// The group that may use the control socket.
    pub group: Option<String>,
    /// Where the Admin API listens.
    pub admin_listen: Vec<String>,
    /// Other lines of `[admin]`.
    pub admin_lines: Vec<String>,
    /// Connections to the control socket.
    pub control_connections: Option<u32>,
    /// Other lines, behind all the rest.
    pub lines: Vec<String>,
    /// From how many entries on a list gets a table in front of its tries.
    pub accelerate_from: Option<u32>,
    /// Versions of a list that are kept.
    pub versions: Option<u32>,
}

impl Configuration {
    /// Filters on one interface.
    pub fn on(interface: &str, mode: &str) -> Self {
        Self { interfaces: vec![(interface.to_owned(), mode.to_owned())], ..Self::default() }
    }

    /// With a fail-safe source.
    pub fn fail_safe(mut self, source: impl ToString, port: Option<u16>) -> Self {
        self.fail_safe.push((source.to_string(), port));
        self
    }

    /// Judges by tries alone, however long a list is.
    pub fn by_tries_alone(self) -> Self {
        Self { accelerate_from: Some(filter_common::trie::TRIE_CAPACITY), ..self }
    }

    /// The file.
    pub fn text(&self, state: &Path, socket: &Path, pins: &Path) -> String {
        let mut text = String::new();
        if let Some(on_exit) = self.on_exit {
            line(&mut text, format_args!("on_exit = {on_exit:?}"));
        }
        line(&mut text, format_args!("[paths]"));
        line(&mut text, format_args!("state = {state:?}"));
        line(&mut text, format_args!("control_socket = {socket:?}"));
        line(&mut text, format_args!("pins = {pins:?}"));
        if let Some(group) = &self.group {
            line(&mut text, format_args!("[control]\ngroup = {group:?}"));
        }
        if !self.admin_listen.is_empty() {
            line(&mut text, format_args!("[admin]\nlisten = {:?}", self.admin_listen));
        }
        for admin in &self.admin_lines {
            line(&mut text, format_args!("{admin}"));
        }
        let limits = [
            ("control_connections", self.control_connections),
            ("accelerate_from", self.accelerate_from),
            ("versions", self.versions),
        ];
        if limits.iter().any(|(_, value)| value.is_some()) {
            line(&mut text, format_args!("[limits]"));
        }
        for (key, value) in limits {
            if let Some(value) = value {
                line(&mut text, format_args!("{key} = {value}"));
            }
        }
        for (name, mode) in &self.interfaces {
            line(&mut text, format_args!("[[interface]]\nname = {name:?}\nmode = {mode:?}"));
        }
        for (address, port) in &self.fail_safe {
            line(&mut text, format_args!("[[fail_safe]]\naddress = {address:?}"));
            if let Some(port) = port {
                line(&mut text, format_args!("port = {port}"));
            }
        }
        for other in &self.lines {
            line(&mut text, format_args!("{other}"));
        }
        text
    }
}

fn line(text: &mut String, arguments: std::fmt::Arguments<'_>) {
    writeln!(text, "{arguments}").expect("a string takes everything");
}
