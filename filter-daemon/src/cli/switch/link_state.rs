//! Whether an XDP program is still on an interface, as the kernel says.

use std::time::Duration;

use futures_util::TryStreamExt as _;
use netlink_packet_route::link::{LinkAttribute, LinkXdp, XdpAttached};
use rtnetlink::Handle;

/// The kernel lets go of a link a moment after its last holder.
const PATIENCE: Duration = Duration::from_secs(3);
const STEP: Duration = Duration::from_millis(20);

/// Waits until no program is on an interface.
pub(super) async fn wait_until_open(index: u32) -> Result<(), String> {
    let (connection, handle, _) = rtnetlink::new_connection()
        .map_err(|error| format!("cannot ask the kernel whether it is off: {error}"))?;
    let connection = tokio::spawn(connection);
    let open = async {
        while is_filtered(&handle, index).await? {
            tokio::time::sleep(STEP).await;
        }
        Ok(())
    };
    let outcome = tokio::time::timeout(PATIENCE, open).await;
    connection.abort();
    outcome.unwrap_or_else(|_| Err("a program is still attached".to_owned()))
}

/// The interfaces that a program is on, by name.
pub(super) async fn filtered() -> Result<Vec<String>, String> {
    let cannot = |error: &dyn std::fmt::Display| {
        format!("cannot ask the kernel for its interfaces: {error}")
    };
    let (connection, handle, _) = rtnetlink::new_connection().map_err(|error| cannot(&error))?;
    let connection = tokio::spawn(connection);
    let interfaces = nix::net::if_::if_nameindex().map_err(|error| cannot(&error))?;
    let mut filtered = Vec::new();
    for interface in &interfaces {
        if is_filtered(&handle, interface.index()).await? {
            filtered.push(interface.name().to_string_lossy().into_owned());
        }
    }
    connection.abort();
    Ok(filtered)
}

async fn is_filtered(handle: &Handle, index: u32) -> Result<bool, String> {
    let mut links = handle.link().get().match_index(index).execute();
    let link = match links.try_next().await {
        Ok(link) => link,
        // ENODEV: an interface that is gone has no traffic to filter.
        Err(rtnetlink::Error::NetlinkError(error)) if error.raw_code() == -libc::ENODEV => None,
        Err(error) => return Err(format!("cannot ask the kernel whether it is off: {error}")),
    };
    Ok(link.is_some_and(|link| {
        link.attributes.iter().any(|attribute| {
            let LinkAttribute::Xdp(parts) = attribute else { return false };
            parts.iter().any(is_program)
        })
    }))
}

fn is_program(part: &LinkXdp) -> bool {
    matches!(part, LinkXdp::Attached(how) if *how != XdpAttached::None)
}
