//! One try to get through: real sockets, bound to the source under test.

use std::io::{self, Read as _, Write as _};
use std::net::{IpAddr, SocketAddr, TcpStream, UdpSocket};
use std::time::Duration;

use anyhow::{Context as _, Result};
use socket2::{Domain, Socket, Type};

use super::namespace::Namespace;
use super::ping::ping;

/// How long an answer may take before the packet counts as lost. Answers on
/// these wires take well below a millisecond.
const PATIENCE: Duration = Duration::from_secs(2);

/// How often a datagram is sent before its sender gives up.
const UDP_TRIES: u32 = 4;

/// A UDP datagram that travels in many fragments.
const LARGE_BYTES: usize = 60_000;

/// What is tried.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Protocol {
    /// A connection, and a word there and back.
    Tcp,
    /// A datagram there and back.
    Udp,
    /// A datagram in fragments, there and back.
    LargeUdp,
    /// An ICMP echo.
    Ping,
}

/// From where to where.
#[derive(Clone, Copy, Debug)]
pub(super) struct Attempt {
    /// The source address.
    pub(super) source: IpAddr,
    /// The destination address.
    pub(super) target: IpAddr,
    /// The destination port, where there are ports.
    pub(super) port: u16,
    /// What is tried.
    pub(super) protocol: Protocol,
}

impl Protocol {
    /// As the report names it.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Tcp => "TCP",
            Self::Udp => "UDP",
            Self::LargeUdp => "UDP, 60 kB in fragments",
            Self::Ping => "ping",
        }
    }
}

impl Attempt {
    /// Whether it got through and an answer came back.
    pub(super) fn succeeds(&self, namespace: &Namespace) -> Result<bool> {
        match self.protocol {
            Protocol::Tcp => namespace.run(|| answered(self.tcp())),
            Protocol::Udp => namespace.run(|| answered(self.udp(b"who is there?"))),
            Protocol::LargeUdp => namespace.run(|| answered(self.udp(&[7; LARGE_BYTES]))),
            Protocol::Ping => ping(namespace, self.source, self.target, PATIENCE),
        }
        .with_context(|| format!("cannot try {self:?}"))
    }

    fn tcp(&self) -> io::Result<bool> {
        let socket = self.socket(Type::STREAM)?;
        socket.connect_timeout(&self.goal().into(), PATIENCE)?;
        let mut stream = TcpStream::from(socket);
        stream.set_read_timeout(Some(PATIENCE))?;
        stream.write_all(b"who is there?")?;
        let mut answer = [0; 13];
        stream.read_exact(&mut answer)?;
        Ok(&answer == b"who is there?")
    }

    /// Asks again while there is time: a full socket buffer is nobody's
    /// verdict.
    fn udp(&self, word: &[u8]) -> io::Result<bool> {
        let socket = UdpSocket::from(self.socket(Type::DGRAM)?);
        socket.connect(self.goal())?;
        socket.set_read_timeout(Some(PATIENCE / UDP_TRIES))?;
        let mut answer = vec![0; LARGE_BYTES];
        for _ in 0..UDP_TRIES {
            socket.send(word)?;
            match socket.recv(&mut answer) {
                Err(error) if is_silence(&error) => {}
                received => return Ok(answer[..received?] == *word),
            }
        }
        Ok(false)
    }

    fn goal(&self) -> SocketAddr {
        (self.target, self.port).into()
    }

    fn socket(&self, kind: Type) -> io::Result<Socket> {
        let source = SocketAddr::from((self.source, 0));
        let socket = Socket::new(Domain::for_address(source), kind, None)?;
        socket.bind(&source.into())?;
        Ok(socket)
    }
}

/// No answer in time is an answer; anything else that fails is a fault of the
/// demo itself.
fn answered(outcome: io::Result<bool>) -> Result<bool> {
    match outcome {
        Err(error) if is_silence(&error) => Ok(false),
        outcome => Ok(outcome?),
    }
}

fn is_silence(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::TimedOut | io::ErrorKind::WouldBlock)
}
