//! The kernel's table of TCP sockets, /proc/net/tcp and tcp6.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use crate::command::Session;

const ESTABLISHED: &str = "01";

/// The two ends of an established connection, by its socket's inode.
pub(super) fn established(table: &str, inode: u64) -> Option<Session> {
    table.lines().skip(1).find_map(|line| {
        let mut columns = line.split_ascii_whitespace().skip(1);
        let local = columns.next()?;
        let peer = columns.next()?;
        if columns.next()? != ESTABLISHED || columns.nth(5)?.parse() != Ok(inode) {
            return None;
        }
        Some(Session { peer: socket_address(peer)?, local: socket_address(local)? })
    })
}

/// An address as words in the machine's byte order, then a port.
fn socket_address(text: &str) -> Option<SocketAddr> {
    let (address, port) = text.split_once(':')?;
    let words: Vec<[u8; 4]> = (0..address.len())
        .step_by(8)
        .map(|start| {
            let word = address.get(start..start + 8)?;
            Some(u32::from_str_radix(word, 16).ok()?.to_ne_bytes())
        })
        .collect::<Option<_>>()?;
    let address = match words.as_slice() {
        [word] => IpAddr::V4(Ipv4Addr::from(*word)),
        [_, _, _, _] => {
            let octets: [u8; 16] = words.concat().try_into().ok()?;
            IpAddr::V6(Ipv6Addr::from(octets)).to_canonical()
        }
        _ => return None,
    };
    Some(SocketAddr::new(address, u16::from_str_radix(port, 16).ok()?))
}

#[cfg(test)]
#[cfg(target_endian = "little")]
mod tests {
    use super::*;

    const TCP6: &str = "\
  sl  local_address                         remote_address                        st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: B80D0120000000000000000001000000:0016 B80D0120000000000000000007000000:1388 01 00000000:00000000 02:00000000 00000000  1000        0 77 2 0 20 4 1 10 -1
   1: 0000000000000000FFFF00000100007F:0016 0000000000000000FFFF00000200007F:1389 01 00000000:00000000 02:00000000 00000000  1000        0 78 2 0 20 4 1 10 -1
   2: 00000000000000000000000000000000:0016 00000000000000000000000000000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 79 1 0 100 0 0 10 0
";

    #[test]
    fn connections_are_found_by_inode() {
        let ends =
            |inode| established(TCP6, inode).map(|s| (s.peer.to_string(), s.local.to_string()));
        assert_eq!(ends(77), Some(("[2001:db8::7]:5000".into(), "[2001:db8::1]:22".into())));
        assert_eq!(ends(78), Some(("127.0.0.2:5001".into(), "127.0.0.1:22".into())));
        assert_eq!(ends(79), None);
        assert_eq!(ends(80), None);
    }

    #[test]
    fn nonsense_is_none() {
        for text in ["", "0100007F", "0100007:0016", "0100007F:16666", "é100007:0016"] {
            assert_eq!(socket_address(text), None, "{text}");
        }
    }
}
