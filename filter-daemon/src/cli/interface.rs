//! `filterctl interface`: network interfaces and the filter on them.
//!
//! The daemon tells the id of a program that holds an interface; its name is
//! looked up here, by the operator's own rights.

use clap::Subcommand;

use super::answers::Interface;
use super::failure::Failure;
use super::invocation::Invocation;
use super::output::{self, Columns};
use crate::datapath;

/// What the daemon says before the id of a program that is in the way.
const HOLDER: &str = "program id ";

/// What can be done with interfaces.
#[derive(Debug, Subcommand)]
pub(super) enum Task {
    /// List the interfaces of the configuration, and the filter on them
    #[command(visible_alias = "ls")]
    List,
}

impl Task {
    /// Its name.
    pub(super) fn title(&self) -> &'static str {
        match self {
            Self::List => "list",
        }
    }
}

/// Does it.
pub(super) async fn run(invocation: &Invocation, task: &Task) -> Result<(), Failure> {
    match task {
        Task::List => list(invocation).await,
    }
}

async fn list(invocation: &Invocation) -> Result<(), Failure> {
    let mut interfaces: Vec<Interface> =
        invocation.client.read("/api/filter/v1/interfaces").await?;
    name_holders(&mut interfaces);
    if invocation.json {
        return output::json(&interfaces);
    }
    print(&interfaces)
}

/// Prints them as a table.
pub(super) fn print(interfaces: &[Interface]) -> Result<(), Failure> {
    let mut table = Columns::new(["Interface", "Index", "State", "Asked", "Got", "Details"]);
    for interface in interfaces {
        table.row([
            &interface.name,
            &interface.index.map_or_else(String::new, |index| index.to_string()),
            &interface.state,
            &interface.mode_asked,
            interface.mode_got.as_deref().unwrap_or_default(),
            &details(interface),
        ]);
    }
    table.print()
}

/// Looks up the names of the programs that hold interfaces instead of ours.
pub(super) fn name_holders(interfaces: &mut [Interface]) {
    for interface in interfaces {
        let id = interface.detail.as_deref().and_then(holder_id);
        interface.holder = id.and_then(datapath::program_name);
    }
}

/// Why there is no filter on an interface, with the name of what holds it.
pub(super) fn details(interface: &Interface) -> String {
    let detail = interface.detail.as_deref().unwrap_or_default();
    match (holder_id(detail), &interface.holder) {
        (Some(id), Some(holder)) => {
            let known = format!("{HOLDER}{id}");
            detail.replacen(&known, &format!("{known}, {holder:?}"), 1)
        }
        (None, _) | (_, None) => detail.to_owned(),
    }
}

/// The number in `… program id 42 …`.
fn holder_id(detail: &str) -> Option<u32> {
    let (_, rest) = detail.split_once(HOLDER)?;
    rest.split(|c: char| !c.is_ascii_digit()).next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_holder_is_named_behind_its_id() {
        let mut interface = Interface {
            name: "eth0".to_owned(),
            index: Some(2),
            mode_asked: "auto".to_owned(),
            mode_got: None,
            state: "refused".to_owned(),
            detail: Some("another XDP program is attached (program id 42): detach it".to_owned()),
            holder: None,
        };
        assert_eq!(Some(details(&interface)), interface.detail);
        interface.holder = Some("xdp_dispatcher".to_owned());
        assert_eq!(
            details(&interface),
            "another XDP program is attached (program id 42, \"xdp_dispatcher\"): detach it",
        );
    }

    #[test]
    fn a_detail_without_a_holder_is_left_alone() {
        for detail in ["the program id is unknown", "no memory", ""] {
            assert_eq!(holder_id(detail), None, "{detail}");
        }
    }
}
