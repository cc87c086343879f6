//! AF_PACKET sockets: frames in and out, byte for byte.

use std::io;
use std::mem::MaybeUninit;
use std::time::Duration;

use crate::frame::checksum::octets;

use socket2::{Domain, Protocol, SockAddr, SockAddrStorage, Socket, Type};

/// A packet socket on one interface of the namespace that it was opened in.
#[derive(Debug)]
pub struct PacketSocket {
    socket: Socket,
}

impl PacketSocket {
    /// Opens one that sees every frame of an interface. Must run on a thread
    /// inside the interface's namespace.
    pub fn open(interface: &str) -> io::Result<Self> {
        let every = u16::try_from(libc::ETH_P_ALL).expect("fits").to_be();
        let socket =
            Socket::new(Domain::PACKET, Type::RAW, Some(Protocol::from(i32::from(every))))?;
        let index = nix::net::if_::if_nametoindex(interface)?;
        socket.bind(&address(index, every))?;
        socket.set_recv_buffer_size(8 << 20)?;
        Ok(Self { socket })
    }

    /// Sends a frame as it stands.
    pub fn send(&self, frame: &[u8]) -> io::Result<()> {
        let sent = self.socket.send(frame)?;
        assert_eq!(sent, frame.len(), "a packet socket sends all or nothing");
        Ok(())
    }

    /// The next frame, or nothing when none comes in time.
    pub fn receive(&self, patience: Duration) -> io::Result<Option<Vec<u8>>> {
        receive(&self.socket, patience)
    }

    /// Throws away what has come so far.
    pub fn drain(&self) -> io::Result<()> {
        while self.receive(Duration::ZERO)?.is_some() {}
        Ok(())
    }
}

/// The next datagram of any socket, or nothing when none comes in time.
pub fn receive(socket: &Socket, patience: Duration) -> io::Result<Option<Vec<u8>>> {
    Ok(receive_from(socket, patience)?.map(|(_, bytes)| bytes))
}

/// The same with the octets of the sender's address, if it has one.
pub fn receive_from(socket: &Socket, patience: Duration) -> io::Result<Option<(Vec<u8>, Vec<u8>)>> {
    // A time-out of zero would mean none at all.
    socket.set_read_timeout(Some(patience.max(Duration::from_micros(1))))?;
    let mut buffer = vec![MaybeUninit::<u8>::uninit(); 70_000];
    let flags = if patience.is_zero() { libc::MSG_DONTWAIT } else { 0 };
    match socket.recv_from_with_flags(&mut buffer, flags) {
        Ok((length, sender)) => {
            // SAFETY: the kernel has written the first `length` bytes.
            let bytes = unsafe { buffer[..length].assume_init_ref() };
            let sender = sender.as_socket().map(|sender| octets(sender.ip()));
            Ok(Some((sender.unwrap_or_default(), bytes.to_vec())))
        }
        Err(error) if error.kind() == io::ErrorKind::WouldBlock => Ok(None),
        Err(error) => Err(error),
    }
}

fn address(interface: u32, protocol_be: u16) -> SockAddr {
    let mut storage = SockAddrStorage::zeroed();
    // SAFETY: sockaddr_ll is a socket address of the family that it names and
    // is smaller than the storage.
    let place = unsafe { storage.view_as::<libc::sockaddr_ll>() };
    place.sll_family = u16::try_from(libc::AF_PACKET).expect("fits");
    place.sll_protocol = protocol_be;
    place.sll_ifindex = i32::try_from(interface).expect("indexes are positive");
    let length = u32::try_from(size_of::<libc::sockaddr_ll>()).expect("fits");
    // SAFETY: the storage holds a whole sockaddr_ll, whose size is `length`.
    unsafe { SockAddr::new(storage, length) }
}
