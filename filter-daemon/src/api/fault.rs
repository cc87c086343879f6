//! Error answers: a status, a code that programs compare, a text that says
//! what to do.

use axum::extract::rejection::QueryRejection;
use axum::http::{HeaderName, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use utoipa::ToSchema;

use crate::access_list::ListError;
use crate::policy::PolicyError;
use crate::store::StoreError;

/// An error on its way to the client.
#[derive(Debug)]
pub(super) struct Fault {
    status: StatusCode,
    code: Option<&'static str>,
    text: String,
    header: Option<(HeaderName, HeaderValue)>,
}

/// What went wrong.
#[derive(Serialize, ToSchema)]
#[schema(as = Error)]
pub(super) struct FaultBody<'a> {
    /// For people: what is wrong, and what to do.
    error: &'a str,
    /// For programs.
    #[serde(skip_serializing_if = "Option::is_none")]
    error_code: Option<&'static str>,
}

impl Fault {
    pub(super) fn new(status: StatusCode, code: &'static str, text: impl Into<String>) -> Self {
        Self { status, code: Some(code), text: text.into(), header: None }
    }

    /// An answer that clients compare as a whole, and that has no code.
    pub(super) fn plain(status: StatusCode, text: impl Into<String>) -> Self {
        Self { status, code: None, text: text.into(), header: None }
    }

    /// With another header.
    pub(super) fn with_header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.header = Some((name, value));
        self
    }

    /// With words in front of its text.
    pub(super) fn prefixed(mut self, words: &str) -> Self {
        self.text.insert_str(0, words);
        self
    }

    /// A field of the body, the path, the query or a header is wrong; the text
    /// names it.
    pub(super) fn parameter(text: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "InvalidParameter", text)
    }

    /// The query is wrong.
    pub(super) fn query(rejection: &QueryRejection) -> Self {
        Self::parameter(format!("query: {}", rejection.body_text()))
    }

    /// The same, of an item of a list.
    pub(super) fn within(mut self, list: &str, position: usize) -> Self {
        self.text = format!("{list}[{position}].{}", self.text);
        self
    }

    /// The body is not JSON.
    pub(super) fn malformed_json(text: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "MalformedJson", text)
    }

    pub(super) fn body_too_large(limit_bytes: usize) -> Self {
        let text = format!("the body is larger than {} MiB", limit_bytes >> 20);
        Self::new(StatusCode::PAYLOAD_TOO_LARGE, "BodyTooLarge", text)
    }

    pub(super) fn body_too_slow() -> Self {
        let text = "the body did not arrive in time";
        Self::new(StatusCode::REQUEST_TIMEOUT, "RequestTimeout", text)
    }

    /// The peer of the control socket may not use it.
    pub(super) fn forbidden(text: impl Into<String>) -> Self {
        Self::new(StatusCode::FORBIDDEN, "Forbidden", text)
    }

    /// No connection is free.
    pub(super) fn busy() -> Self {
        let text =
            "too many connections: close some, or raise limits.control_connections in filterd.toml";
        Self::new(StatusCode::SERVICE_UNAVAILABLE, "TooManyConnections", text)
    }

    pub(super) fn internal(text: impl Into<String>) -> Self {
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, "InternalServerError", text)
    }

    /// What a path names is not there.
    pub(super) fn not_found(code: &'static str, text: impl Into<String>) -> Self {
        Self::new(StatusCode::NOT_FOUND, code, text)
    }

    pub(super) fn unknown_path() -> Self {
        Self::not_found("NotFound", "there is no such path")
    }

    pub(super) fn unknown_method() -> Self {
        let text = "this path does not take this method";
        Self::new(StatusCode::METHOD_NOT_ALLOWED, "MethodNotAllowed", text)
    }

    pub(super) fn status(&self) -> StatusCode {
        self.status
    }

    /// The body as bytes.
    pub(super) fn body(&self) -> Vec<u8> {
        let body = FaultBody { error: &self.text, error_code: self.code };
        serde_json::to_vec(&body).expect("two texts are always JSON")
    }
}

impl IntoResponse for Fault {
    fn into_response(self) -> Response {
        let content_type = [("content-type", "application/json")];
        let mut response = (self.status, content_type, self.body()).into_response();
        response.headers_mut().extend(self.header);
        response
    }
}

impl From<StoreError> for Fault {
    fn from(error: StoreError) -> Self {
        let text = error.to_string();
        let (status, code) = match error {
            StoreError::GroupNotFound(_) => (StatusCode::NOT_FOUND, "GroupNotFound"),
            StoreError::AppNotFound(_) => (StatusCode::NOT_FOUND, "AppNotFound"),
            StoreError::UnknownOrigin(_) => (StatusCode::NOT_FOUND, "OriginNotFound"),
            StoreError::AppAlreadyExists { .. } => (StatusCode::CONFLICT, "AppAlreadyExists"),
            StoreError::InvalidName(_)
            | StoreError::CommentTooLong(_)
            | StoreError::ExpiresInPast { .. } => (StatusCode::BAD_REQUEST, "InvalidParameter"),
            StoreError::VersionMismatch { .. } | StoreError::RevisionMismatch { .. } => {
                (StatusCode::PRECONDITION_FAILED, "VersionMismatch")
            }
            StoreError::UnknownVersion { .. } => (StatusCode::NOT_FOUND, "VersionNotFound"),
            StoreError::ShrinkGuard { .. } => (StatusCode::CONFLICT, "ShrinkGuard"),
            StoreError::List(ListError::UnknownEntry(_)) => {
                return Self::plain(StatusCode::NOT_FOUND, text);
            }
            StoreError::KeyNotFound(_) => (StatusCode::NOT_FOUND, "APIKeyNotFound"),
            StoreError::KeySourceNotFound(_) => (StatusCode::NOT_FOUND, "AllowedIPNotFound"),
            StoreError::KeySourceListed { .. } => {
                (StatusCode::CONFLICT, "AllowedIPDuplicateAddress")
            }
            StoreError::PublicHalfTaken(_) => (StatusCode::CONFLICT, "APIKeyAlreadyExists"),
            StoreError::Revoked | StoreError::SessionNotFound(_) => {
                (StatusCode::UNAUTHORIZED, "InvalidSession")
            }
            StoreError::List(ListError::Duplicate { .. }) => {
                (StatusCode::CONFLICT, "AllowedIPDuplicateAddress")
            }
            StoreError::LimitExceeded { .. } => (StatusCode::BAD_REQUEST, "LimitExceeded"),
            StoreError::Policy(error) => policy_code(&error),
            StoreError::WouldCutSession(_) => (StatusCode::CONFLICT, "WouldCutSession"),
            StoreError::StorageFull { .. } => (StatusCode::INSUFFICIENT_STORAGE, "StorageFull"),
            StoreError::HistoryDamaged { .. }
            | StoreError::Storage(_)
            | StoreError::Diverged
            | StoreError::Stopped => (StatusCode::INTERNAL_SERVER_ERROR, "InternalServerError"),
        };
        Self::new(status, code, text)
    }
}

fn policy_code(error: &PolicyError) -> (StatusCode, &'static str) {
    match error {
        PolicyError::NameConflict { .. } => (StatusCode::CONFLICT, "ServerNameConflict"),
        PolicyError::ScopeConflict { .. } | PolicyError::ScopeRepeated { .. } => {
            (StatusCode::CONFLICT, "ScopeConflict")
        }
        PolicyError::TooManyScopes { .. }
        | PolicyError::TooManyCovers { .. }
        | PolicyError::TooManyFailSafe { .. } => (StatusCode::BAD_REQUEST, "LimitExceeded"),
    }
}
