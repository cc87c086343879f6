//! The variable in which an SSH server tells its session's two ends.

use std::net::{IpAddr, SocketAddr};

use crate::command::Session;

/// `client-ip client-port server-ip server-port`.
pub(super) const VARIABLE: &str = "SSH_CONNECTION";

/// Reads the variable's text.
pub(super) fn parse(text: &str) -> Option<Session> {
    let mut words = text.split_ascii_whitespace();
    let peer = socket_address(words.next()?, words.next()?)?;
    let local = socket_address(words.next()?, words.next()?)?;
    words.next().is_none().then_some(Session { peer, local })
}

fn socket_address(address: &str, port: &str) -> Option<SocketAddr> {
    // A link-local address carries its interface, which no packet does.
    let (address, _interface) = address.split_once('%').unwrap_or((address, ""));
    let address: IpAddr = address.parse().ok()?;
    Some(SocketAddr::new(address.to_canonical(), port.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_families_are_read() {
        for (text, peer, local) in [
            ("203.0.113.7 50000 192.0.2.1 22", "203.0.113.7:50000", "192.0.2.1:22"),
            ("2001:db8::7 1 2001:db8::1 2222", "[2001:db8::7]:1", "[2001:db8::1]:2222"),
            ("fe80::7%eth0 1 fe80::1%eth0 22", "[fe80::7]:1", "[fe80::1]:22"),
            ("::ffff:192.0.2.7 1 ::ffff:192.0.2.1 22", "192.0.2.7:1", "192.0.2.1:22"),
        ] {
            let session = parse(text).expect(text);
            assert_eq!(
                (session.peer.to_string(), session.local.to_string()),
                (peer.into(), local.into())
            );
        }
    }

    #[test]
    fn what_is_no_connection_is_none() {
        for text in [
            "",
            "UNKNOWN 65535 UNKNOWN 65535",
            "192.0.2.7 1 192.0.2.1",
            "192.0.2.7 1 192.0.2.1 22 x",
            "192.0.2.7 70000 192.0.2.1 22",
        ] {
            assert_eq!(parse(text), None, "{text}");
        }
    }
}
