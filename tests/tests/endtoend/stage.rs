//! A world with a configured daemon, and questions that are asked of it.

use std::net::{IpAddr, SocketAddr};
use std::process::Output;
use std::sync::atomic::{AtomicU32, Ordering};

use filter_tests::daemon::{Configuration, Daemon, Installation};
use filter_tests::frame::Packet;
use filter_tests::frame::segment::Segment;
use filter_tests::receiver::Receiver;
use filter_tests::scenario::{EPHEMERAL, PORT};
use filter_tests::wire::{ROUND_PORT, Wire};
use filter_tests::world::{FAIL_SAFE, Family, HOST, HOST_INTERFACE, Place, World};
use socket2::{Domain, Socket, Type};

/// The world and the installation on its host.
pub(crate) struct Stage {
    pub(crate) world: World,
    pub(crate) installation: Installation,
}

impl Stage {
    pub(crate) fn new() -> Self {
        Self::with(World::new(), "native")
    }

    /// A world, and the mode to attach in.
    pub(crate) fn with(world: World, mode: &str) -> Self {
        Self { world, installation: Installation::new(configuration(HOST_INTERFACE, mode)) }
    }

    /// Writes a file beside the daemon's configuration; answers its path.
    pub(crate) fn file(&self, name: &str, text: &str) -> String {
        let path = self.installation.path(name);
        std::fs::write(&path, text).expect("the directory is ours");
        path.to_str().expect("a path of ASCII").to_owned()
    }

    pub(crate) fn start(&self) -> Daemon<'_> {
        self.installation.start(&self.world.host)
    }

    /// Runs `filterctl` on the host.
    pub(crate) fn run(&self, arguments: &[&str]) -> Output {
        self.installation.filterctl(&self.world.host, arguments)
    }

    /// Runs a command that must succeed; answers what it printed.
    pub(crate) fn done(&self, arguments: &[&str]) -> String {
        let output = self.run(arguments);
        assert!(output.status.success(), "{arguments:?}: {output:?}");
        String::from_utf8(output.stdout).expect("text")
    }

    /// Runs a command that must fail; answers what it complained about.
    pub(crate) fn refused(&self, arguments: &[&str]) -> String {
        let output = self.run(arguments);
        assert!(!output.status.success(), "{arguments:?}: {output:?}");
        String::from_utf8(output.stderr).expect("text")
    }

    /// Runs a command that must fail with an exit code.
    pub(crate) fn fails_with(&self, code: i32, arguments: &[&str]) -> String {
        let output = self.run(arguments);
        assert_eq!(output.status.code(), Some(code), "{arguments:?}: {output:?}");
        String::from_utf8(output.stderr).expect("text")
    }
}

/// Filters on an interface, and lets the wire's own datagrams through.
pub(crate) fn configuration(interface: &str, mode: &str) -> Configuration {
    Configuration::on(interface, mode)
        .fail_safe(FAIL_SAFE.v4(), Some(ROUND_PORT))
        .fail_safe(FAIL_SAFE.v6(), Some(ROUND_PORT))
}

/// Whether a datagram of a source gets to the protected port.
pub(crate) fn gets_in(wire: &Wire<'_>, source: IpAddr) -> bool {
    static NUMBER: AtomicU32 = AtomicU32::new(0);
    let number = NUMBER.fetch_add(1, Ordering::Relaxed);
    let mark = format!("is it in {number:08}").into_bytes();
    let family = if source.is_ipv4() { Family::V4 } else { Family::V6 };
    let segment = Segment::udp(EPHEMERAL, PORT, &mark);
    let frame = Packet::new(source, HOST.address(family), segment).frame();
    wire.delivers_frames(&[&frame], Receiver::Udp(PORT), &mark).expect("the wire works")
}

/// The same for a place, in both families, which must agree.
pub(crate) fn place_gets_in(wire: &Wire<'_>, place: Place) -> bool {
    let [v4, v6] = Family::BOTH.map(|family| gets_in(wire, place.address(family)));
    assert_eq!(v4, v6, "the families disagree about .{}", place.0);
    v4
}

/// A stream socket, bound.
pub(crate) fn stream(local: SocketAddr) -> Socket {
    let socket = Socket::new(Domain::for_address(local), Type::STREAM, None).expect("a socket");
    socket.set_reuse_address(true).expect("an option");
    socket.bind(&local.into()).expect("the address is ours");
    socket
}

/// A listening socket.
pub(crate) fn listener(local: SocketAddr) -> Socket {
    let socket = stream(local);
    socket.listen(16).expect("it listens");
    socket
}

/// Begins to connect and comes back at once.
pub(crate) fn begin_to_connect(local: SocketAddr, remote: SocketAddr) -> Socket {
    let socket = stream(local);
    socket.set_nonblocking(true).expect("an option");
    match socket.connect(&remote.into()) {
        Err(error) if error.raw_os_error() == Some(libc::EINPROGRESS) => {}
        other => panic!("connecting to {remote} ended with {other:?}"),
    }
    socket
}

/// Whether a socket that began to connect has arrived.
pub(crate) fn is_connected(socket: &Socket) -> bool {
    socket.peer_addr().is_ok()
}
