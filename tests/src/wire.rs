//! Frames over a real wire, into real sockets of the host.
//!
//! Owns the question "did it arrive", answered without waiting: behind every
//! frame go two rounds of datagrams from the fail-safe source, and the wire
//! keeps the order, so that when they have arrived the frame has too, or never
//! will. The sending thread stays on one CPU, because the wire keeps the order
//! of one CPU only.

use std::io;
use std::net::{IpAddr, SocketAddr};

use nix::sched::{CpuSet, sched_setaffinity};
use nix::unistd::Pid;
use socket2::{Domain, Socket, Type};

use crate::deadline::wait_for;
use crate::frame::segment::{PROBE, Segment};
use crate::frame::{IPV6, Packet};
use crate::packet_socket::{PacketSocket, receive};
use crate::receiver::Receiver;
use crate::scenario::Scenario;
use crate::world::{FAIL_SAFE, Family, HOST_SECOND, OUTSIDE_INTERFACE, World};

/// Where the datagrams go that close a round; the fail-safe source may send
/// there whatever the lists say.
pub const ROUND_PORT: u16 = 22;

/// A world's wire, ready to send.
#[derive(Debug)]
pub struct Wire<'a> {
    world: &'a World,
    sender: PacketSocket,
    rounds: Vec<(Family, Socket)>,
}

impl<'a> Wire<'a> {
    /// Takes the calling thread to one CPU and opens what every frame needs.
    pub fn new(world: &'a World) -> io::Result<Self> {
        let mut first = CpuSet::new();
        first.set(0)?;
        sched_setaffinity(Pid::from_raw(0), &first)?;
        let sender = world.outside.run(|| PacketSocket::open(OUTSIDE_INTERFACE))?;
        let rounds = world.host.run(|| {
            Family::BOTH
                .into_iter()
                .map(|family| Ok((family, closing_socket(family)?)))
                .collect::<io::Result<Vec<_>>>()
        })?;
        Ok(Self { world, sender, rounds })
    }

    /// Sends a scenario's frames; whether what they carry arrived.
    pub fn delivers(&self, scenario: &Scenario) -> io::Result<bool> {
        let frames = scenario.companions.iter().chain([&scenario.frame]);
        let frames: Vec<&[u8]> = frames.map(Vec::as_slice).collect();
        self.delivers_frames(&frames, scenario.reaches.receiver, &mark(scenario))
    }

    /// Sends frames; whether a receiver got something that holds the mark.
    pub fn delivers_frames(
        &self,
        frames: &[&[u8]],
        receiver: Receiver,
        mark: &[u8],
    ) -> io::Result<bool> {
        let ears = self.world.host.run(|| receiver.open())?;
        for frame in frames {
            self.sender.send(frame)?;
        }
        self.settle()?;
        ears.heard(mark)
    }

    /// Comes back when everything that was sent before has been dealt with.
    /// The second round is taken up only when the first has left the host's
    /// queue, and everything in front of it.
    pub fn settle(&self) -> io::Result<()> {
        for round in 0..2_u8 {
            for (family, socket) in &self.rounds {
                let source: IpAddr = FAIL_SAFE.address(*family);
                let text = [b"round ", &[b'0' + round][..]].concat();
                let segment = Segment::udp(ROUND_PORT, ROUND_PORT, &text);
                self.sender
                    .send(&Packet::new(source, HOST_SECOND.address(*family), segment).frame())?;
                wait_for(&format!("round {round} of {}", family.name()), || {
                    let got = receive(socket, std::time::Duration::ZERO).ok()??;
                    (got == text).then_some(())
                });
            }
        }
        Ok(())
    }
}

/// Bound to an address of its own, so that no receiver takes its datagrams.
fn closing_socket(family: Family) -> io::Result<Socket> {
    let address = SocketAddr::new(HOST_SECOND.address(family), ROUND_PORT);
    let socket = Socket::new(Domain::for_address(address), Type::DGRAM, None)?;
    socket.set_reuse_address(true)?;
    socket.bind(&address.into())?;
    Ok(socket)
}

/// What is looked for in a receiver: the probe; else what a raw socket gets of
/// an untagged IPv6 packet; else the frame's end.
fn mark(scenario: &Scenario) -> Vec<u8> {
    let frames = scenario.companions.iter().chain([&scenario.frame]);
    let mut bytes: Vec<u8> = frames.flatten().copied().collect();
    let is_split = !scenario.companions.is_empty();
    if is_split || bytes.windows(PROBE.len()).any(|window| window == PROBE) {
        return PROBE.to_vec();
    }
    if bytes[12..14] == IPV6.to_be_bytes() && bytes.len() >= 38 {
        return [&bytes[22..38], bytes.get(54..).unwrap_or_default()].concat();
    }
    bytes.split_off(bytes.len().saturating_sub(8))
}
