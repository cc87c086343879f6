//! The header fields of a message on its way through: what belongs to one
//! connection alone is taken out, what a client could forge is replaced. Pure.

use std::net::IpAddr;

use http::StatusCode;
use http::header::{
    AUTHORIZATION, CONNECTION, CONTENT_LENGTH, COOKIE, EXPECT, HOST, HeaderMap, HeaderName,
    HeaderValue, ORIGIN, PROXY_AUTHORIZATION, SET_COOKIE, TE, TRAILER, TRANSFER_ENCODING, UPGRADE,
};

/// What the upstream is told about who sent a request.
#[derive(Debug)]
pub(super) struct Provenance {
    forwarded_for: HeaderValue,
    forwarded: HeaderValue,
}

impl Provenance {
    /// Of a client, and the trusted hop that it came through.
    pub(super) fn new(client: IpAddr, hop: Option<IpAddr>) -> Self {
        let (client, hop) = (client.to_canonical(), hop.map(|hop| hop.to_canonical()));
        let value = |text: String| {
            HeaderValue::try_from(text).expect("addresses are written in visible ASCII")
        };
        let (forwarded_for, forwarded) = match hop {
            Some(hop) => (
                format!("{client}, {hop}"),
                format!("for={};proto=https, for={}", node(client), node(hop)),
            ),
            None => (client.to_string(), format!("for={};proto=https", node(client))),
        };
        Self { forwarded_for: value(forwarded_for), forwarded: value(forwarded) }
    }
}

static NOT_IN_TRAILERS: [HeaderName; 8] =
    [AUTHORIZATION, CONTENT_LENGTH, COOKIE, HOST, ORIGIN, PROXY_AUTHORIZATION, SET_COOKIE, TRAILER];

const KEEP_ALIVE: HeaderName = HeaderName::from_static("keep-alive");
const PROXY_CONNECTION: HeaderName = HeaderName::from_static("proxy-connection");
const HTTP2_SETTINGS: HeaderName = HeaderName::from_static("http2-settings");
static HOP_BY_HOP: [HeaderName; 7] =
    [CONNECTION, KEEP_ALIVE, PROXY_CONNECTION, HTTP2_SETTINGS, TE, TRANSFER_ENCODING, UPGRADE];

const FORWARDED: HeaderName = HeaderName::from_static("forwarded");
const X_FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
const X_FORWARDED_HOST: HeaderName = HeaderName::from_static("x-forwarded-host");
const X_FORWARDED_PROTO: HeaderName = HeaderName::from_static("x-forwarded-proto");

/// Fields by which one proxy tells another who the client is. The proxy sets
/// the standard ones itself and passes none of a client's on.
const TELLS_THE_CLIENT: [&str; 20] = [
    "forwarded",
    "forwarded-for",
    "client-ip",
    "http-client-ip",
    "proxy-client-ip",
    "wl-proxy-client-ip",
    "fly-client-ip",
    "x-forwarded",
    "x-azure-clientip",
    "x-azure-socketip",
    "x-real-ip",
    "x-client-ip",
    "x-cluster-client-ip",
    "x-original-forwarded-for",
    "x-originating-ip",
    "x-remote-ip",
    "x-remote-addr",
    "true-client-ip",
    "cf-connecting-ip",
    "fastly-client-ip",
];

/// Whether a request asks for another protocol.
pub(super) fn asks_for_upgrade(fields: &HeaderMap) -> bool {
    let mut connections = fields.get_all(CONNECTION).iter();
    fields.contains_key(UPGRADE) && connections.any(|value| names_upgrade(value.as_bytes()))
}

/// Whether a value of `Upgrade` is about HTTP itself: behind such an upgrade
/// stand requests that nobody looks at.
pub(super) fn names_http(upgrade: &[u8]) -> bool {
    tokens(upgrade).any(|protocol| {
        let name = protocol.split(|octet| *octet == b'/').next().unwrap_or_default();
        [&b"http"[..], b"h2", b"h2c", b"h3"].iter().any(|http| name.eq_ignore_ascii_case(http))
    })
}

/// Takes out what belongs to one connection alone (RFC 9110, section 7.6.1);
/// what an upgrade needs is put back by `keep_upgrade`.
pub(super) fn remove_hop_by_hop(fields: &mut HeaderMap) {
    if !fields.keys().any(|name| HOP_BY_HOP.contains(name)) {
        return;
    }
    let named: Vec<HeaderName> = fields
        .get_all(CONNECTION)
        .iter()
        .flat_map(|connection| tokens(connection.as_bytes()))
        .filter_map(|name| HeaderName::from_bytes(name).ok())
        .collect();
    for name in named {
        // Whoever names these wants them to be lost, and is told nothing by it.
        if name != HOST && name != CONTENT_LENGTH {
            fields.remove(name);
        }
    }
    let wants_trailers = fields
        .get_all(TE)
        .iter()
        .any(|value| value.as_bytes().trim_ascii().eq_ignore_ascii_case(b"trailers"));
    for name in &HOP_BY_HOP {
        fields.remove(name);
    }
    if wants_trailers {
        fields.insert(TE, HeaderValue::from_static("trailers"));
    }
}

/// Whether an answer's body is sent on as it was meant: in no encoding, or in
/// chunks, and then its length is not what `Content-Length` says (RFC 9112,
/// section 6.3), which goes; as does that of an answer without a body (RFC 9110,
/// section 8.6).
pub(super) fn is_framed_once(status: StatusCode, fields: &mut HeaderMap) -> bool {
    let are_chunks: Vec<bool> = fields
        .get_all(TRANSFER_ENCODING)
        .iter()
        .flat_map(|value| tokens(value.as_bytes()))
        .map(|encoding| encoding.eq_ignore_ascii_case(b"chunked"))
        .collect();
    if !are_chunks.is_empty() || status == StatusCode::NO_CONTENT {
        fields.remove(CONTENT_LENGTH);
    }
    matches!(are_chunks.as_slice(), [] | [true])
}

/// Puts back what another protocol needs.
pub(super) fn keep_upgrade(fields: &mut HeaderMap, protocol: HeaderValue) {
    fields.insert(CONNECTION, HeaderValue::from_static("upgrade"));
    fields.insert(UPGRADE, protocol);
}

/// Takes out what only a proxy may say, and what this one answers itself.
pub(super) fn remove_forged(fields: &mut HeaderMap) {
    let forged: Vec<HeaderName> = fields
        .keys()
        .filter(|name| **name == EXPECT || tells_the_client(name.as_str()))
        .cloned()
        .collect();
    for name in forged {
        fields.remove(name);
    }
}

/// Applications often take `_` for `-` in the names of fields.
fn tells_the_client(name: &str) -> bool {
    if name.contains('_') {
        return tells_the_client(&name.replace('_', "-"));
    }
    name.starts_with("x-forwarded-") || TELLS_THE_CLIENT.contains(&name)
}

/// Tells the upstream where a request came from, and the host that it asked for.
pub(super) fn set_provenance(fields: &mut HeaderMap, of: &Provenance, host: HeaderValue) {
    fields.reserve(5);
    if !fields.contains_key(HOST) {
        fields.insert(HOST, host.clone());
    }
    fields.insert(X_FORWARDED_FOR, of.forwarded_for.clone());
    fields.insert(FORWARDED, of.forwarded.clone());
    fields.insert(X_FORWARDED_PROTO, HeaderValue::from_static("https"));
    fields.insert(X_FORWARDED_HOST, host);
}

/// Takes out of trailers what would change how a message is read, or who it is
/// from (RFC 9110, section 6.5.1): the head alone was looked at.
pub(super) fn clean_trailers(fields: &mut HeaderMap) {
    remove_hop_by_hop(fields);
    remove_forged(fields);
    for name in &NOT_IN_TRAILERS {
        fields.remove(name);
    }
}

/// Joins the fields in which HTTP/2 may send cookies (RFC 9113, section 8.2.3).
pub(super) fn join_cookies(fields: &mut HeaderMap) {
    let cookies: Vec<&[u8]> = fields.get_all(COOKIE).iter().map(HeaderValue::as_bytes).collect();
    if cookies.len() > 1 {
        let joined = cookies.join(&b"; "[..]);
        let joined = HeaderValue::from_bytes(&joined).expect("it is made of values");
        fields.insert(COOKIE, joined);
    }
}

fn node(address: IpAddr) -> String {
    match address {
        IpAddr::V4(v4) => v4.to_string(),
        IpAddr::V6(v6) => format!("\"[{v6}]\""),
    }
}

/// Whether the value of one `Connection` names an upgrade.
pub(super) fn names_upgrade(connection: &[u8]) -> bool {
    tokens(connection).any(|token| token.eq_ignore_ascii_case(b"upgrade"))
}

/// What the value of one `Connection` names, whatever octets stand beside it:
/// everybody who looks has to see the same.
fn tokens(connection: &[u8]) -> impl Iterator<Item = &[u8]> {
    connection.split(|octet| *octet == b',').map(<[u8]>::trim_ascii)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fields(pairs: &[(&str, &str)]) -> HeaderMap {
        let mut fields = HeaderMap::new();
        for (name, value) in pairs {
            fields.append(
                name.parse::<HeaderName>().expect(name),
                HeaderValue::from_str(value).expect(value),
            );
        }
        fields
    }

    fn names(fields: &HeaderMap) -> Vec<&str> {
        let mut names: Vec<_> = fields.keys().map(HeaderName::as_str).collect();
        names.sort_unstable();
        names
    }

    #[test]
    fn octets_beside_a_token_hide_it_from_nobody() {
        let mut fields = fields(&[("Upgrade", "websocket"), ("X-Secret", "1")]);
        let connection = HeaderValue::from_bytes(b"\xff, Upgrade ,X-Secret").expect("obs-text");
        assert!(names_upgrade(connection.as_bytes()));
        fields.append(CONNECTION, connection);
        assert!(asks_for_upgrade(&fields));
        remove_hop_by_hop(&mut fields);
        assert!(fields.is_empty(), "{fields:?}");
    }

    #[test]
    fn an_answer_in_chunks_has_no_other_length() {
        for (status, encoding, is_sound, is_kept) in [
            (StatusCode::OK, None, true, true),
            (StatusCode::NOT_MODIFIED, None, true, true),
            (StatusCode::NO_CONTENT, None, true, false),
            (StatusCode::OK, Some("chunked"), true, false),
            (StatusCode::OK, Some("Chunked "), true, false),
            (StatusCode::OK, Some("gzip"), false, false),
            (StatusCode::OK, Some("gzip, chunked"), false, false),
            (StatusCode::OK, Some("chunked, chunked"), false, false),
        ] {
            let mut fields = fields(&[("Content-Length", "5")]);
            if let Some(encoding) = encoding {
                let value = HeaderValue::from_static(encoding);
                fields.insert(TRANSFER_ENCODING, value);
            }
            assert_eq!(is_framed_once(status, &mut fields), is_sound, "{encoding:?}");
            assert_eq!(fields.contains_key(CONTENT_LENGTH), is_kept, "{status} {encoding:?}");
        }
    }

    #[test]
    fn what_belongs_to_one_connection_goes() {
        let mut fields = fields(&[
            ("Connection", "close, X-Secret"),
            ("Connection", "Host"),
            ("Host", "a"),
            ("X-Secret", "1"),
            ("Keep-Alive", "timeout=5"),
            ("Proxy-Connection", "keep-alive"),
            ("TE", "trailers"),
            ("Upgrade", "h2c"),
            ("HTTP2-Settings", "AAMAAABk"),
            ("Transfer-Encoding", "chunked"),
            ("X-Kept", "1"),
        ]);
        remove_hop_by_hop(&mut fields);
        assert_eq!(names(&fields), ["host", "te", "x-kept"]);
        assert!(!asks_for_upgrade(&fields));
        keep_upgrade(&mut fields, HeaderValue::from_static("websocket"));
        assert!(asks_for_upgrade(&fields));
    }

    #[test]
    fn nothing_that_tells_the_client_is_passed_on() {
        let mut fields = fields(&[
            ("X-Forwarded-For", "192.0.2.1"),
            ("X_Forwarded_For", "192.0.2.1"),
            ("X-Forwarded-Port", "1"),
            ("X-Real-IP", "192.0.2.1"),
            ("x_real_ip", "192.0.2.1"),
            ("Forwarded", "for=192.0.2.1"),
            ("True-Client-IP", "192.0.2.1"),
            ("CF-Connecting-IP", "192.0.2.1"),
            ("Client-IP", "192.0.2.1"),
            ("WL_Proxy-Client_IP", "192.0.2.1"),
            ("X-Forwarded", "for=192.0.2.1"),
            ("Expect", "100-continue"),
            ("X-Form", "1"),
        ]);
        remove_forged(&mut fields);
        assert_eq!(names(&fields), ["x-form"]);
    }

    #[test]
    fn trailers_say_nothing_that_the_head_has_to() {
        let mut fields = fields(&[
            ("X-Sum", "7"),
            ("Cookie", "a=1"),
            ("Origin", "https://a.example.com"),
            ("Authorization", "Basic eA=="),
            ("X-Forwarded-For", "192.0.2.1"),
            ("Content-Length", "1"),
            ("Transfer-Encoding", "chunked"),
        ]);
        clean_trailers(&mut fields);
        assert_eq!(names(&fields), ["x-sum"]);
    }

    #[test]
    fn cookies_are_one_field() {
        let mut fields = fields(&[("Cookie", "a=1"), ("Cookie", "b=2; c=3"), ("Cookie", "d=4")]);
        join_cookies(&mut fields);
        let cookies: Vec<_> = fields.get_all(COOKIE).iter().collect();
        assert_eq!(cookies, ["a=1; b=2; c=3; d=4"]);
    }

    #[test]
    fn an_upgrade_to_http_is_told() {
        for (value, is_http) in [
            ("websocket", false),
            ("websocket, H2C", true),
            ("HTTP/2.0", true),
            ("http", true),
            ("h2", true),
            ("httpx", false),
        ] {
            assert_eq!(names_http(value.as_bytes()), is_http, "{value}");
        }
    }

    #[test]
    fn the_upstream_learns_who_asked() {
        let mut fields = HeaderMap::new();
        let host = HeaderValue::from_static("app.example.com");
        let client = "2001:db8::7".parse().expect("valid");
        let hop = Some("::ffff:192.0.2.9".parse().expect("valid"));
        set_provenance(&mut fields, &Provenance::new(client, hop), host);
        assert_eq!(fields[X_FORWARDED_FOR], "2001:db8::7, 192.0.2.9");
        assert_eq!(fields[FORWARDED], "for=\"[2001:db8::7]\";proto=https, for=192.0.2.9");
        assert_eq!(fields[X_FORWARDED_HOST], "app.example.com");
        assert_eq!(fields[HOST], "app.example.com");
        assert_eq!(fields[X_FORWARDED_PROTO], "https");
    }
}
