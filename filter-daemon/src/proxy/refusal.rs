//! What a client is told that does not get what it asked for.

use std::net::IpAddr;

use bytes::Bytes;
use http::header::{CONNECTION, CONTENT_TYPE, HeaderValue};
use http::{Response, StatusCode};
use http_body_util::Full;
use serde::Serialize;

use super::body::Answer;
use super::reason::Reason;
use super::upstream::UpstreamError;

/// A request that is not answered by the upstream.
#[derive(Debug)]
pub(super) struct Refusal {
    pub(super) reason: Reason,
    /// For the log, and for the client where it is about its request.
    pub(super) text: String,
    /// Whether the connection has to end with it.
    pub(super) closes: bool,
    /// Whose request it is, where a trusted hop said so.
    pub(super) client: Option<IpAddr>,
}

#[derive(Serialize)]
struct Body<'a> {
    error: &'a str,
    error_code: &'static str,
}

impl Refusal {
    pub(super) fn new(reason: Reason, text: impl Into<String>) -> Self {
        Self { reason, text: text.into(), closes: false, client: None }
    }

    /// One after which nothing more is read from the client.
    pub(super) fn closing(reason: Reason, text: impl Into<String>) -> Self {
        Self { reason, text: text.into(), closes: true, client: None }
    }

    /// Of a body that is longer than its app takes.
    pub(super) fn too_large() -> Self {
        Self::closing(Reason::TooLarge, "the body is larger than this app takes")
    }

    /// The same of a client.
    pub(super) fn of(self, client: IpAddr) -> Self {
        Self { client: Some(client), ..self }
    }

    /// The answer. What went wrong behind the proxy is for the log alone.
    pub(super) fn into_response(self) -> Response<Answer> {
        let (status, code) = status(self.reason);
        let is_behind = matches!(
            self.reason,
            Reason::Outbound | Reason::UpstreamFailed | Reason::UpstreamTimeout
        );
        let error = if is_behind { self.reason.explanation() } else { &self.text };
        let body = Body { error, error_code: code };
        let body = serde_json::to_vec(&body).expect("two texts are always JSON");
        let mut response = Response::new(Answer::Own(Full::new(Bytes::from(body))));
        *response.status_mut() = status;
        let fields = response.headers_mut();
        fields.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        if self.closes {
            fields.insert(CONNECTION, HeaderValue::from_static("close"));
        }
        response
    }
}

impl From<UpstreamError> for Refusal {
    fn from(error: UpstreamError) -> Self {
        let reason = match error {
            UpstreamError::Outbound(_) => Reason::Outbound,
            UpstreamError::Unreachable(_) | UpstreamError::Broken(_) => Reason::UpstreamFailed,
            UpstreamError::Timeout(_) => Reason::UpstreamTimeout,
        };
        Self::new(reason, error.to_string())
    }
}

fn status(reason: Reason) -> (StatusCode, &'static str) {
    match reason {
        Reason::NotListed | Reason::Expired => (StatusCode::FORBIDDEN, "AddressNotAllowed"),
        Reason::Origin => (StatusCode::FORBIDDEN, "OriginNotAllowed"),
        Reason::OriginMissing => (StatusCode::FORBIDDEN, "OriginMissing"),
        Reason::HopHeader => (StatusCode::FORBIDDEN, "ClientUnknown"),
        Reason::HostMismatch | Reason::RevokedName => {
            (StatusCode::MISDIRECTED_REQUEST, "MisdirectedRequest")
        }
        Reason::Malformed => (StatusCode::BAD_REQUEST, "MalformedRequest"),
        Reason::Method => (StatusCode::METHOD_NOT_ALLOWED, "MethodNotAllowed"),
        Reason::TooLarge => (StatusCode::PAYLOAD_TOO_LARGE, "BodyTooLarge"),
        Reason::HeadTooLarge => (StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE, "HeadTooLarge"),
        Reason::ClientTimeout => (StatusCode::REQUEST_TIMEOUT, "RequestTimeout"),
        Reason::NoUpstream => (StatusCode::SERVICE_UNAVAILABLE, "NoUpstream"),
        Reason::Outbound | Reason::UpstreamFailed => (StatusCode::BAD_GATEWAY, "BadGateway"),
        Reason::UpstreamTimeout => (StatusCode::GATEWAY_TIMEOUT, "GatewayTimeout"),
        Reason::Listed
        | Reason::FailSafe
        | Reason::ModeOff
        | Reason::TrustedHop
        | Reason::Forwarded
        | Reason::NoServerName
        | Reason::UnknownName
        | Reason::TlsVersion
        | Reason::ClientCertificate
        | Reason::Handshake
        | Reason::HandshakeTimeout
        | Reason::Crowded
        | Reason::NoCertificate
        | Reason::RevokedEntry
        | Reason::RevokedOrigin
        | Reason::RevokedCertificate => (StatusCode::FORBIDDEN, "Forbidden"),
    }
}
