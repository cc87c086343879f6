//! Traffic that never stops: every millisecond a datagram from a source that
//! must get through, behind datagrams from sources that must not.
//!
//! A datagram is sent only when the one before has arrived, so nothing is lost
//! in a queue; and the wire keeps the order, so a datagram that must not get
//! through has done so, or never will, when the next good one arrives.
//!
//! It has real-time priority: a gap is what packets wait for in the kernel, not
//! how long a process waits for its turn on a busy machine.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use nix::sched::{CpuSet, sched_setaffinity};
use nix::unistd::Pid;
use socket2::{Domain, Socket, Type};

use crate::frame::Packet;
use crate::frame::segment::Segment;
use crate::packet_socket::{PacketSocket, receive};
use crate::world::{Family, HOST, OUTSIDE_INTERFACE, Place, World};

/// Where the datagrams go.
pub const PULSE_PORT: u16 = 4545;

const BEAT: Duration = Duration::from_millis(1);
const LOST: Duration = Duration::from_secs(3);

/// What became of the datagrams.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// Rounds.
    pub rounds: u64,
    /// Datagrams that should have got through and did not.
    pub missing: u64,
    /// Datagrams that should not have got through and did.
    pub leaked: u64,
    /// The longest time between two good datagrams.
    pub longest_gap: Duration,
}

/// Running traffic.
#[derive(Debug)]
pub struct Pulse {
    stop: Arc<AtomicBool>,
    rounds: Arc<AtomicU64>,
    thread: Option<JoinHandle<Report>>,
}

impl Pulse {
    /// Starts it, in both families by turns.
    pub fn start(world: &World, good: Place, bad: &[Place]) -> Self {
        let sender =
            world.outside.run(|| PacketSocket::open(OUTSIDE_INTERFACE)).expect("sockets open");
        let sockets = world.host.run(|| Family::BOTH.map(socket));
        let bad = bad.to_vec();
        let stop = Arc::new(AtomicBool::new(false));
        let rounds = Arc::new(AtomicU64::new(0));
        let beat = Beat { sender, sockets, good, bad, report: Report::default() };
        let thread = std::thread::spawn({
            let (stop, rounds) = (Arc::clone(&stop), Arc::clone(&rounds));
            move || beat.run(&stop, &rounds)
        });
        Self { stop, rounds, thread: Some(thread) }
    }

    /// How many rounds are over.
    pub fn rounds(&self) -> u64 {
        self.rounds.load(Ordering::Relaxed)
    }

    /// Ends it.
    pub fn finish(mut self) -> Report {
        self.stop.store(true, Ordering::Relaxed);
        let thread = self.thread.take().expect("finished once");
        thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
    }
}

impl Drop for Pulse {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
    }
}

struct Beat {
    sender: PacketSocket,
    sockets: [Socket; 2],
    good: Place,
    bad: Vec<Place>,
    report: Report,
}

impl Beat {
    fn run(mut self, stop: &AtomicBool, rounds: &AtomicU64) -> Report {
        let mut last = CpuSet::new();
        last.set(1).or_else(|_| last.set(0)).expect("a CPU can be named");
        // On a machine with one CPU the order is kept anyway.
        let _ = sched_setaffinity(Pid::from_raw(0), &last);
        take_precedence();
        let mut previous = Instant::now();
        while !stop.load(Ordering::Relaxed) {
            let start = Instant::now();
            let family = Family::BOTH[usize::from(self.report.rounds % 2 == 1)];
            if self.round(family) {
                self.report.longest_gap = self.report.longest_gap.max(previous.elapsed());
                previous = Instant::now();
            }
            self.report.rounds += 1;
            rounds.store(self.report.rounds, Ordering::Relaxed);
            std::thread::sleep(BEAT.saturating_sub(start.elapsed()));
        }
        self.report
    }

    /// Whether the good datagram arrived.
    fn round(&mut self, family: Family) -> bool {
        let number = self.report.rounds.to_be_bytes();
        for place in &self.bad {
            self.send(place.address(family), family, &[b"bad ", &number[..]].concat());
        }
        let good = [b"good", &number[..]].concat();
        self.send(self.good.address(family), family, &good);
        let socket = &self.sockets[usize::from(family.is_v6())];
        let end = Instant::now() + LOST;
        while let Some(left) = end.checked_duration_since(Instant::now()) {
            match receive(socket, left).expect("the socket works") {
                Some(bytes) if bytes == good => return true,
                Some(bytes) if bytes.starts_with(b"bad ") => self.report.leaked += 1,
                // A good one of an earlier round that was given up.
                Some(_) => {}
                None => break,
            }
        }
        self.report.missing += 1;
        false
    }

    fn send(&self, source: IpAddr, family: Family, text: &[u8]) {
        let segment = Segment::udp(PULSE_PORT, PULSE_PORT, text);
        let frame = Packet::new(source, HOST.address(family), segment).frame();
        self.sender.send(&frame).expect("the wire takes a frame");
    }
}

/// Gives the calling thread the lowest real-time priority.
fn take_precedence() {
    let lowest = libc::sched_param { sched_priority: 1 };
    // SAFETY: reads the structure, and sets the calling thread's (0) priority.
    let refused = unsafe { libc::sched_setscheduler(0, libc::SCHED_FIFO, &raw const lowest) };
    assert_eq!(refused, 0, "root may do so: {}", std::io::Error::last_os_error());
}

fn socket(family: Family) -> Socket {
    let address = SocketAddr::new(HOST.address(family), PULSE_PORT);
    let socket = Socket::new(Domain::for_address(address), Type::DGRAM, None).expect("a socket");
    socket.bind(&address.into()).expect("the port is free");
    socket
}
