//! `filterctl detach` and `attach`: the filter off every interface, and back.
//!
//! `detach` is the way out when all else fails: it works without a daemon.

mod link_state;
mod pinned_links;

use std::time::Duration;

use hyper::Method;
use serde_json::json;

use super::answers::{Interface, Status};
use super::change::Saved;
use super::client::in_time;
use super::failure::{Failure, Kind};
use super::interface;
use super::invocation::Invocation;
use super::{output, status};
use pinned_links::PinnedLink;

/// Whoever takes the filter off does not wait for a daemon that hangs.
const PATIENCE: Duration = Duration::from_secs(20);

/// Takes the filter off.
pub(super) async fn detach(invocation: &Invocation) -> Result<(), Failure> {
    invocation
        .confirm("Take the filter off every interface? Every source then reaches every port.")?;
    match ask_daemon(invocation).await {
        Ok(saved) => {
            let status: Status = saved.parse()?;
            let (open, held) = tell_apart(&status.interfaces).await;
            print_open(invocation, &open, "`filterctl attach` puts the filter back.")?;
            saved.in_force()?;
            match held.is_empty() {
                true => Ok(()),
                false => Err(Failure::new(format!("still filtered: {}", held.join("; ")))
                    .with_advice("That program is not this filterd's, which has taken its own off: `ip -d link` shows it.")),
            }
        }
        Err(failure) if failure.kind() == Kind::Unreachable && !failure.has_code("NoAccess") => {
            invocation.warn(&format!("{}; removing the pinned links instead", failure.why()));
            detach_alone(invocation).await
        }
        Err(failure) => Err(failure.with_advice(
            "Without the daemon: `systemctl stop filterd`, then `filterctl detach` again.",
        )),
    }
}

/// Puts the filter back.
pub(super) async fn attach(invocation: &Invocation) -> Result<(), Failure> {
    let saved = invocation.change(Method::POST, "/api/filter/v1/attach", None::<&()>).await?;
    let mut status: Status = saved.parse()?;
    interface::name_holders(&mut status.interfaces);
    if invocation.json {
        output::json(&status)?;
    } else {
        output::line(&format!("Filter: {}", status::describe_filter(&status.filter)))?;
        interface::print(&status.interfaces)?;
    }
    let refused = |interface: &&Interface| interface.state == "refused";
    if let Some(interface) = status.interfaces.iter().find(refused) {
        let why = format!("{}: {}", interface.name, interface::details(interface));
        return Err(Failure::not_in_force(why));
    }
    saved.in_force()
}

/// The interfaces that the daemon took the filter off, by name: those that are
/// open now, and those that something else still sits on.
async fn tell_apart(interfaces: &[Interface]) -> (Vec<&str>, Vec<String>) {
    let (mut open, mut held) = (Vec::new(), Vec::new());
    for interface in interfaces.iter().filter(|interface| interface.state == "detached") {
        let is_open = match interface.index {
            Some(index) => link_state::wait_until_open(index).await,
            None => Ok(()),
        };
        match is_open {
            Ok(()) => open.push(interface.name.as_str()),
            Err(why) => held.push(format!("{}: {why}", interface.name)),
        }
    }
    (open, held)
}

async fn ask_daemon(invocation: &Invocation) -> Result<Saved, Failure> {
    in_time(PATIENCE, invocation.change(Method::POST, "/api/filter/v1/detach", None::<&()>)).await
}

/// Removes what the daemon has pinned, and looks whether that took the filter
/// off: a daemon that still runs holds its links itself.
async fn detach_alone(invocation: &Invocation) -> Result<(), Failure> {
    let links = pinned_links::list(&invocation.pins).map_err(Failure::new)?;
    if links.is_empty() {
        return nothing_pinned(invocation).await;
    }
    let mut faults = Vec::new();
    let mut open = Vec::new();
    for link in &links {
        match take_off(link).await {
            Ok(()) => open.push(link.name()),
            Err(why) => faults.push(format!("{}: {why}", link.name())),
        }
    }
    if invocation.json || !open.is_empty() {
        print_open(invocation, &open, "Starting filterd puts the filter back.")?;
    }
    match faults.is_empty() {
        true => Ok(()),
        false => {
            let why = format!("still filtered: {}", faults.join("; "));
            Err(Failure::new(why).with_advice(
                "A filterd that still runs holds its links itself, and pins them again: \
                 stop it (`systemctl stop filterd`), then `filterctl detach` again.",
            ))
        }
    }
}

async fn nothing_pinned(invocation: &Invocation) -> Result<(), Failure> {
    let folder = pinned_links::folder(&invocation.pins);
    let folder = folder.display();
    let filtered = link_state::filtered().await.map_err(Failure::new)?;
    if !filtered.is_empty() {
        let why = format!(
            "no link is pinned in {folder}, but a program is attached to {}",
            filtered.join(", "),
        );
        return Err(Failure::new(why).with_advice(
            "If it is filterd's, its links are pinned elsewhere: name its configuration with --config. \
             `ip -d link` shows the program.",
        ));
    }
    match invocation.json {
        true => output::json(&json!({ "detached": [] })),
        false => {
            output::line(&format!("No link is pinned in {folder}: there is nothing to take off"))
        }
    }
}

async fn take_off(link: &PinnedLink) -> Result<(), String> {
    link.remove()?;
    match link.interface() {
        // An interface that is gone has no traffic to filter.
        None => Ok(()),
        Some(index) => link_state::wait_until_open(index).await,
    }
}

fn print_open(invocation: &Invocation, names: &[&str], way_back: &str) -> Result<(), Failure> {
    if invocation.json {
        return output::json(&json!({ "detached": names }));
    }
    match names.is_empty() {
        true => output::line("The filter is OFF; it was on no interface.")?,
        false => output::line(&format!(
            "The filter is OFF. TRAFFIC IS NOW OPEN on {}: every source reaches every port.",
            names.join(", "),
        ))?,
    }
    output::line(way_back)
}
