//! Sampled refusals: from the ring buffer to whoever listens.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use filter_common::address::{Address, octets};
use filter_common::event::Event;
use filter_common::reason::Reason;
use filter_common::verdict::Verdict;
use nix::net::if_::if_indextoname;
use nix::time::ClockId;

use super::clock::Clock;
use super::{Drop, Observer};
use crate::datapath::EventSource;

/// Publishes sampled refusals until the ring cannot be read.
pub(crate) async fn follow(mut source: EventSource, observer: Observer) -> std::io::Result<()> {
    loop {
        let events = source.next().await?;
        let now = Clock::read(ClockId::CLOCK_BOOTTIME)?;
        for event in &events {
            if let Some(drop) = describe(event, &now) {
                observer.publish(drop);
            }
        }
    }
}

/// An event of a reason or verdict that is not known is not from our program.
fn describe(event: &Event, now: &Clock) -> Option<Drop> {
    let interface = if_indextoname(event.ifindex).ok();
    Some(Drop {
        time: now.wall_time(event.boot_ns),
        ifindex: event.ifindex,
        interface: interface.map(|name| name.to_string_lossy().into_owned()),
        app: event.app,
        reason: *Reason::ALL.get(event.reason as usize)?,
        verdict: *Verdict::ALL.get(event.verdict as usize)?,
        family: event.family,
        source: address(event.family, event.source),
        destination: address(event.family, event.destination),
        source_port: event.source_port,
        destination_port: event.destination_port,
        protocol: event.protocol,
        frame_bytes: event.frame_bytes,
    })
}

fn address(family: u8, words: Address) -> Option<IpAddr> {
    let octets = octets(words);
    let [a, b, c, d, ..] = octets;
    match family {
        4 => Some(IpAddr::V4(Ipv4Addr::new(a, b, c, d))),
        6 => Some(IpAddr::V6(Ipv6Addr::from(octets))),
        _ => None,
    }
}
