//! What a request is directed at: its method, its host, and whether both go
//! with the connection that it came by. Pure.

use http::Method;
use http::header::{HOST, HeaderValue};
use http::request::Parts;
use http::uri::Authority;

use super::reason::Reason;
use super::refusal::Refusal;
use crate::server_name::HostName;

/// The host of a request, if it is the connection's server name.
pub(super) fn check(request: &Parts, name: &HostName) -> Result<HeaderValue, Refusal> {
    if matches!(request.method, Method::CONNECT | Method::TRACE) {
        let text = format!("{} is not passed on", request.method);
        return Err(Refusal::closing(Reason::Method, text));
    }
    let host = host(request)?;
    if is_name(&host, name) {
        return Ok(host);
    }
    let text = format!("the host {host:?} is not the server name {name} of this connection");
    Err(Refusal::new(Reason::HostMismatch, text))
}

/// What the request names, in its target or in `Host`; both are the same where
/// both are there (RFC 9112, section 3.2.2; RFC 9113, section 8.3.1).
fn host(request: &Parts) -> Result<HeaderValue, Refusal> {
    let malformed = |text: &str| Refusal::closing(Reason::Malformed, text);
    let mut fields = request.headers.get_all(HOST).iter();
    let (field, more) = (fields.next(), fields.next());
    if more.is_some() {
        return Err(malformed("there is more than one Host"));
    }
    let Some(authority) = request.uri.authority() else {
        return field.cloned().ok_or_else(|| malformed("there is no Host"));
    };
    if authority.as_str().contains('@') {
        return Err(malformed("the target holds a user"));
    }
    let is_same =
        |field: &HeaderValue| field.as_bytes().eq_ignore_ascii_case(authority.as_str().as_bytes());
    if field.is_some_and(|field| !is_same(field)) {
        return Err(malformed("the target and Host name different hosts"));
    }
    HeaderValue::from_str(authority.as_str()).map_err(|_| malformed("the host is not text"))
}

/// The port is the client's business: what it came to may have been mapped.
fn is_name(host: &HeaderValue, name: &HostName) -> bool {
    let Ok(text) = host.to_str() else { return false };
    if text.eq_ignore_ascii_case(name.as_str()) {
        return true;
    }
    let Ok(authority) = text.parse::<Authority>() else { return false };
    let digits = |port: &str| port.bytes().all(|octet| octet.is_ascii_digit());
    let has_port = authority.port().is_some_and(|port| digits(port.as_str()));
    let is_plain = !text.contains('@') && (has_port || !text.contains(':'));
    is_plain && HostName::parse(authority.host()).is_ok_and(|host| host == *name)
}

#[cfg(test)]
mod tests {
    use http::Request;

    use super::*;

    fn checked(target: &str, hosts: &[&str]) -> Result<String, Reason> {
        let mut request = Request::builder().uri(target);
        for host in hosts {
            request = request.header(HOST, *host);
        }
        let (request, ()) = request.body(()).expect("a request").into_parts();
        let name = HostName::parse("app.example.com").expect("a name");
        let host = check(&request, &name).map_err(|refusal| refusal.reason)?;
        Ok(host.to_str().expect("text").to_owned())
    }

    #[test]
    fn the_host_is_the_server_name() {
        for (target, hosts) in [
            ("/", &["app.example.com"][..]),
            ("/", &["APP.example.com"]),
            ("/", &["app.example.com:443"]),
            ("/", &["app.example.com:8443"]),
            ("/", &["app.example.com."]),
            ("https://app.example.com/", &["app.example.com"]),
            ("https://app.example.com/", &[]),
        ] {
            assert!(checked(target, hosts).is_ok(), "{target} {hosts:?}");
        }
    }

    #[test]
    fn another_host_is_misdirected() {
        for host in [
            "example.com",
            "www.app.example.com",
            "app.example.com.evil.test",
            "app.example.com:",
            "app.example.com:x",
            "app.example.com:99999",
            "user@app.example.com",
            "192.0.2.1",
            "[2001:db8::1]",
            "",
            "app.example.com/",
        ] {
            assert_eq!(checked("/", &[host]), Err(Reason::HostMismatch), "{host}");
        }
    }

    #[test]
    fn what_contradicts_itself_is_malformed() {
        for (target, hosts) in [
            ("/", &[][..]),
            ("/", &["app.example.com", "app.example.com"]),
            ("https://app.example.com/", &["evil.test"]),
            ("https://evil.test/", &["app.example.com"]),
            ("https://user@app.example.com/", &[]),
        ] {
            assert_eq!(checked(target, hosts), Err(Reason::Malformed), "{target} {hosts:?}");
        }
        let trace = Request::builder().method("TRACE").uri("/").body(()).expect("a request");
        let (trace, ()) = trace.into_parts();
        let name = HostName::parse("a.b").expect("a name");
        assert_eq!(check(&trace, &name).map_err(|r| r.reason).err(), Some(Reason::Method));
    }
}
