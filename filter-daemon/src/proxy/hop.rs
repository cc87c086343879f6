//! The PROXY protocol (versions 1 and 2) in front of a connection: whose it
//! is, as a trusted hop says. Read from trusted hops alone.

use std::io;
use std::net::IpAddr;

use ppp::{HeaderResult, PartialResult as _, v1, v2};
use tokio::io::{AsyncRead, AsyncReadExt as _};

/// What stands in front of a hop's connection.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Preface {
    /// A header that names a client.
    Client(IpAddr),
    /// The hop speaks for itself: a health check.
    Local,
    /// No header: what was read belongs to the connection.
    None,
}

/// The longest version 2 header that is waited for, extensions included.
const LONGEST_BYTES: usize = 1024;

/// The longest line of version 1, its end included.
const LONGEST_LINE_BYTES: usize = 107;

/// Reads a header, if there is one; what was read behind it, or instead of it,
/// is left in the buffer.
pub(super) async fn read_preface(
    stream: &mut (impl AsyncRead + Unpin),
    buffer: &mut Vec<u8>,
) -> io::Result<Preface> {
    loop {
        if stream.read_buf(buffer).await? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        if !could_be_header(buffer) {
            return Ok(Preface::None);
        }
        match parse(buffer) {
            Some(Ok((preface, length))) => {
                buffer.drain(..length);
                return Ok(preface);
            }
            Some(Err(text)) => return Err(io::Error::new(io::ErrorKind::InvalidData, text)),
            None if buffer.len() > LONGEST_BYTES => {
                return Err(io::Error::new(io::ErrorKind::InvalidData, "the header has no end"));
            }
            None => {}
        }
    }
}

fn could_be_header(bytes: &[u8]) -> bool {
    let begins = |prefix: &[u8]| bytes.iter().zip(prefix).all(|(a, b)| a == b);
    begins(v2::PROTOCOL_PREFIX) || begins(v1::PROTOCOL_PREFIX.as_bytes())
}

/// Nothing while the header is incomplete.
fn parse(bytes: &[u8]) -> Option<Result<(Preface, usize), String>> {
    if bytes.starts_with(v1::PROTOCOL_PREFIX.as_bytes()) && !bytes.contains(&b'\n') {
        // A number that is cut is a number too: the whole line is waited for.
        let is_too_long = bytes.len() > LONGEST_LINE_BYTES;
        return is_too_long.then(|| Err("the line has no end".to_owned()));
    }
    let result = HeaderResult::parse(bytes);
    if result.is_incomplete() {
        return None;
    }
    Some(match result {
        HeaderResult::V1(Ok(header)) => {
            let length = header.header.len();
            Ok((client_v1(header.addresses), length))
        }
        HeaderResult::V2(Ok(header)) => {
            let length = header.len();
            client_v2(&header).map(|preface| (preface, length))
        }
        HeaderResult::V1(Err(error)) => Err(error.to_string()),
        HeaderResult::V2(Err(error)) => Err(error.to_string()),
    })
}

fn client_v1(addresses: v1::Addresses) -> Preface {
    match addresses {
        v1::Addresses::Tcp4(v4) => Preface::Client(v4.source_address.into()),
        v1::Addresses::Tcp6(v6) => Preface::Client(v6.source_address.into()),
        v1::Addresses::Unknown => Preface::Local,
    }
}

fn client_v2(header: &v2::Header<'_>) -> Result<Preface, String> {
    match (header.command, header.addresses) {
        (v2::Command::Local, _) => Ok(Preface::Local),
        (v2::Command::Proxy, v2::Addresses::IPv4(v4)) => {
            Ok(Preface::Client(v4.source_address.into()))
        }
        (v2::Command::Proxy, v2::Addresses::IPv6(v6)) => {
            Ok(Preface::Client(v6.source_address.into()))
        }
        (v2::Command::Proxy, v2::Addresses::Unspecified | v2::Addresses::Unix(_)) => {
            Err("the header names no IP address".to_owned())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn read(bytes: &[u8]) -> (io::Result<Preface>, Vec<u8>) {
        // One octet at a time, as bad as it can get.
        let mut buffer = Vec::with_capacity(1);
        let (mut near, mut far) = tokio::io::duplex(1);
        let bytes = bytes.to_vec();
        let writer = tokio::spawn(async move {
            use tokio::io::AsyncWriteExt as _;
            let _ = far.write_all(&bytes).await;
        });
        let preface = read_preface(&mut near, &mut buffer).await;
        drop(near);
        writer.await.expect("it does not panic");
        (preface, buffer)
    }

    #[tokio::test]
    async fn both_versions_name_the_client() {
        let v1 = b"PROXY TCP4 192.0.2.7 198.51.100.1 4321 443\r\n";
        let (preface, rest) = read(v1).await;
        assert_eq!(preface.expect("valid"), Preface::Client([192, 0, 2, 7].into()));
        assert!(rest.is_empty());
        let v2 = v2::Builder::with_addresses(
            v2::Version::Two | v2::Command::Proxy,
            v2::Protocol::Stream,
            (
                "[2001:db8::7]:4321".parse::<std::net::SocketAddr>().expect("valid"),
                "[2001:db8::1]:443".parse::<std::net::SocketAddr>().expect("valid"),
            ),
        )
        .build()
        .expect("valid");
        let (preface, _) = read(&v2).await;
        let client: IpAddr = "2001:db8::7".parse().expect("valid");
        assert_eq!(preface.expect("valid"), Preface::Client(client));
    }

    #[tokio::test]
    async fn health_checks_and_plain_connections_are_told_apart() {
        assert_eq!(read(b"PROXY UNKNOWN\r\n").await.0.expect("valid"), Preface::Local);
        let (preface, rest) = read(b"\x16\x03\x01").await;
        assert_eq!((preface.expect("valid"), rest), (Preface::None, vec![0x16]));
    }

    #[tokio::test]
    async fn a_bad_header_is_an_error() {
        for bytes in [
            &b"PROXY TCP4 192.0.2.7 198.51.100.1 4321\r\n"[..],
            b"PROXY TCP4 2001:db8::7 198.51.100.1 4321 443\r\n",
            b"PROXY TCP4 999.0.2.7 198.51.100.1 4321 443\r\n",
            b"PROXY ",
            b"\r\n\r\n\0\r\nQUIT\n\x21\x00\x00\x00",
        ] {
            assert!(read(bytes).await.0.is_err(), "{bytes:?}");
        }
    }
}
