//! What a request head of HTTP/1 says about its own length (RFC 9112), seen as
//! the bytes that came, before the HTTP library reads them. Pure.
//!
//! Invariant: a head that two implementations could read in two ways is bad:
//! both lengths, more than one length, another coding than `chunked`, a line
//! that ends with LF alone, a folded field, a host that is missing or doubled.

use std::mem::MaybeUninit;

use super::chunks::Chunks;
use super::fields;

/// How the bytes after a head are divided.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Framing {
    /// A head comes next.
    Head,
    /// So many octets of a body, then a head.
    Length(u64),
    /// A chunked body, then a head.
    Chunked(Chunks),
    /// Whatever comes belongs to another protocol, or to nobody.
    Open,
}

/// What the beginning of some bytes is.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Head {
    /// A whole head of so many octets, and what follows it.
    Complete(usize, Framing),
    /// The beginning of a head.
    Partial,
    /// More fields than are allowed; the library says so.
    TooManyFields,
    /// Not a head that can be passed on.
    Bad,
}

/// How many fields a head may have: what the HTTP library takes as well.
pub(super) const MOST_FIELDS: usize = 100;

/// Looks at bytes that begin with a head.
pub(super) fn look(bytes: &[u8]) -> Head {
    let mut fields = [MaybeUninit::uninit(); MOST_FIELDS];
    let mut request = httparse::Request::new(&mut []);
    match request.parse_with_uninit_headers(bytes, &mut fields) {
        Ok(httparse::Status::Partial) if has_bare_line_feed(bytes) => Head::Bad,
        Ok(httparse::Status::Partial) => Head::Partial,
        Ok(httparse::Status::Complete(length)) if has_bare_line_feed(&bytes[..length]) => Head::Bad,
        Ok(httparse::Status::Complete(length)) => {
            framing(&request).map_or(Head::Bad, |framing| Head::Complete(length, framing))
        }
        Err(httparse::Error::TooManyHeaders) => Head::TooManyFields,
        Err(_) => Head::Bad,
    }
}

fn has_bare_line_feed(bytes: &[u8]) -> bool {
    memchr::memchr_iter(b'\n', bytes).any(|at| at == 0 || bytes[at - 1] != b'\r')
}

fn framing(request: &httparse::Request<'_, '_>) -> Option<Framing> {
    let (mut length, mut chunked, mut hosts) = (None, false, 0);
    let (mut upgrade, mut is_asked_for) = (false, false);
    for field in request.headers.iter() {
        match field.name.len() {
            14 if field.name.eq_ignore_ascii_case("content-length") => {
                let is_first = length.replace(parse_length(field.value)?).is_none();
                if !is_first {
                    return None;
                }
            }
            17 if field.name.eq_ignore_ascii_case("transfer-encoding") => {
                let is_first = !std::mem::replace(&mut chunked, true);
                if !is_first || !field.value.eq_ignore_ascii_case(b"chunked") {
                    return None;
                }
            }
            4 if field.name.eq_ignore_ascii_case("host") => hosts += 1,
            7 if field.name.eq_ignore_ascii_case("upgrade") => upgrade = true,
            10 if field.name.eq_ignore_ascii_case("connection") => {
                is_asked_for |= fields::names_upgrade(field.value);
            }
            _ => {}
        }
    }
    let is_http_10 = request.version == Some(0);
    if hosts != 1 || request.method == Some("CONNECT") || (chunked && is_http_10) {
        return None;
    }
    // Without `Connection` an `Upgrade` says nothing (RFC 9110, section 7.8), and
    // other requests may follow.
    match (length, chunked, upgrade) {
        (Some(_), true, _) | (Some(1..), false, true) | (None, true, true) => None,
        (None | Some(0), false, true) if is_asked_for && !is_http_10 => Some(Framing::Open),
        (None, true, false) => Some(Framing::Chunked(Chunks::default())),
        (Some(length @ 1..), false, false) => Some(Framing::Length(length)),
        (None | Some(0), false, _) => Some(Framing::Head),
    }
}

fn parse_length(value: &[u8]) -> Option<u64> {
    let digits = !value.is_empty() && value.iter().all(u8::is_ascii_digit);
    let text = std::str::from_utf8(value).ok().filter(|_| digits)?;
    // The two greatest mean something else to the HTTP library.
    text.parse().ok().filter(|length| *length < u64::MAX - 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(fields: &str) -> Head {
        look(format!("POST / HTTP/1.1\r\nHost: a\r\n{fields}\r\n").as_bytes())
    }

    fn framing_of(fields: &str) -> Option<Framing> {
        match of(fields) {
            Head::Complete(_, framing) => Some(framing),
            Head::Partial | Head::TooManyFields | Head::Bad => None,
        }
    }

    #[test]
    fn a_head_says_what_follows() {
        let chunked = Framing::Chunked(Chunks::default());
        for (fields, framing) in [
            ("", Framing::Head),
            ("Content-Length: 0\r\n", Framing::Head),
            ("content-length: 12\r\n", Framing::Length(12)),
            ("Transfer-Encoding: chunked\r\n", chunked),
            ("TRANSFER-ENCODING: Chunked\r\n", chunked),
            ("Upgrade: websocket\r\nConnection: upgrade\r\n", Framing::Open),
            ("Connection: keep-alive , Upgrade\r\nUpgrade: websocket\r\n", Framing::Open),
            ("Upgrade: websocket\r\n", Framing::Head),
            ("Upgrade: websocket\r\nConnection: keep-alive\r\n", Framing::Head),
        ] {
            assert_eq!(framing_of(fields), Some(framing), "{fields:?}");
        }
    }

    #[test]
    fn what_could_be_read_in_two_ways_is_bad() {
        for fields in [
            "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n",
            "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n",
            "Content-Length: 5\r\nContent-Length: 5\r\n",
            "Content-Length: 5\r\nContent-Length: 6\r\n",
            "Content-Length: 5, 5\r\n",
            "Content-Length: +5\r\n",
            "Content-Length: -5\r\n",
            "Content-Length: 0x5\r\n",
            "Content-Length:\r\n",
            "Content-Length: 99999999999999999999\r\n",
            "Transfer-Encoding: identity\r\n",
            "Transfer-Encoding: gzip, chunked\r\n",
            "Transfer-Encoding: chunked, identity\r\n",
            "Transfer-Encoding: xchunked\r\n",
            "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n",
            "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n",
            "Transfer-Encoding : chunked\r\n",
            "Transfer-Encoding:\x0bchunked\r\n",
            "Transfer-Encoding: chunked\n",
            "X: a\r\n folded\r\n",
            "X: a\r\n\tfolded\r\n",
            " X: a\r\n",
            "X: a\rb\r\n",
            "X: a\0b\r\n",
            "X\r\n",
            "Host: b\r\n",
            "Upgrade: websocket\r\nContent-Length: 5\r\n",
            "Upgrade: websocket\r\nTransfer-Encoding: chunked\r\n",
            "\n",
        ] {
            assert_eq!(of(fields), Head::Bad, "{fields:?}");
        }
        for head in [
            "GET / HTTP/1.1\r\n\r\n",
            "CONNECT a:443 HTTP/1.1\r\nHost: a\r\n\r\n",
            "POST / HTTP/1.0\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n",
            "GET / HTTP/1.1\nHost: a\n\n",
            "GET / HTTP/1.1\r\nHost: a\n\r\n",
            "GET  / HTTP/1.1\r\nHost: a\r\n\r\n",
            "GET / HTTP/2.0\r\nHost: a\r\n\r\n",
            "GET /\r\n\r\n",
            "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        ] {
            assert_eq!(look(head.as_bytes()), Head::Bad, "{head:?}");
        }
    }

    #[test]
    fn a_beginning_is_waited_for_and_a_crowd_is_told_apart() {
        let head = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";
        for cut in 0..head.len() {
            assert_eq!(look(&head.as_bytes()[..cut]), Head::Partial, "{cut}");
        }
        assert_eq!(of(&"a: b\r\n".repeat(MOST_FIELDS)), Head::TooManyFields);
    }
}
