//! What a configuration asks of this host and the host does not have: no fault
//! of the file, and seldom meant.

use nix::net::if_::if_nameindex;
use nix::unistd::Group;

use crate::config::{Config, InterfaceRule};
use crate::datapath;

/// In words, for `filterd --check`.
pub(super) fn remarks(config: &Config) -> Vec<String> {
    let mut remarks = Vec::new();
    let interfaces = if_nameindex().map(|all| {
        all.iter().map(|one| one.name().to_string_lossy().into_owned()).collect::<Vec<_>>()
    });
    if let Ok(interfaces) = interfaces {
        let is_there =
            |rule: &InterfaceRule| interfaces.iter().any(|name| name != "lo" && rule.names(name));
        remarks.extend(config.interfaces.iter().filter(|rule| !is_there(rule)).map(|rule| {
            let pattern = &rule.pattern;
            format!("no interface of this host is named {pattern:?}: nothing is filtered by it")
        }));
    }
    if let Err(fault) = datapath::check_pins(&config.paths.pins) {
        remarks.push(format!("paths.pins: {fault}: filterd will not start"));
    }
    if let Some(group) = &config.control_group
        && matches!(Group::from_name(group), Ok(None))
    {
        remarks.push(format!(
            "control.group: this host has no group {group:?}: filterd will not start"
        ));
    }
    remarks
}
