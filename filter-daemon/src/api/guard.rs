//! What every request over TLS has to pass that is not open to anybody: it
//! must bring an access token, and the key behind it must be good from where
//! it comes.

use axum::extract::{FromRequestParts, Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::middleware::Next;
use axum::response::Response;

use super::fault::Fault;
use crate::auth::AuthError;
use crate::caller::{Caller, Source};
use crate::control::Control;

/// From where a request comes, whoever asks.
pub(super) struct Whence(pub(super) Source);

impl<S: Send + Sync> FromRequestParts<S> for Whence {
    type Rejection = Fault;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Fault> {
        let source = parts.extensions.get::<Source>().copied();
        source.map(Self).ok_or_else(|| Fault::internal("nobody knows from where this is asked"))
    }
}

/// Lets a request pass, and says to those behind who asks.
pub(super) async fn require_key(
    State(control): State<Control>,
    Whence(from): Whence,
    mut request: Request,
    next: Next,
) -> Result<Response, Fault> {
    let (key, credential) = control.auth().identify(bearer(request.headers()), from)?;
    let caller = Caller { credential: Some(credential), ..Caller::new(key.name(), from) };
    request.extensions_mut().insert(caller);
    request.extensions_mut().insert(key);
    Ok(next.run(request).await)
}

/// The token that a request brings (RFC 6750, section 2.1).
pub(super) fn bearer(headers: &HeaderMap) -> Option<&str> {
    let value = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    let (scheme, token) = value.split_once(' ')?;
    scheme.eq_ignore_ascii_case("Bearer").then(|| token.trim())
}

impl From<AuthError> for Fault {
    fn from(error: AuthError) -> Self {
        let text = error.to_string();
        let challenged = |fault: Self| {
            fault.with_header(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"))
        };
        match error {
            // Clients compare these answers as a whole. One refreshes its
            // session when it sees the code, so the others have none.
            AuthError::WrongKey | AuthError::NotAnAccessToken | AuthError::NotARefreshToken => {
                challenged(Self::plain(StatusCode::UNAUTHORIZED, text))
            }
            AuthError::NoSession | AuthError::UnknownRefreshToken => {
                challenged(Self::new(StatusCode::UNAUTHORIZED, "InvalidSession", text))
            }
            AuthError::NotListed { .. } => {
                Self::new(StatusCode::FORBIDDEN, "IP_ADDRESS_NOT_ON_ACCESS_LIST", text)
            }
            AuthError::LockedOut { wait, .. } => {
                Self::new(StatusCode::TOO_MANY_REQUESTS, "LimitExceeded", text)
                    .with_header(header::RETRY_AFTER, HeaderValue::from(wait.as_secs()))
            }
            AuthError::Store(error) => error.into(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bearer_token_is_found_whatever_the_case() {
        let with = |value: &'static str| {
            let mut headers = HeaderMap::new();
            headers.insert(header::AUTHORIZATION, HeaderValue::from_static(value));
            bearer(&headers).map(str::to_owned)
        };
        assert_eq!(with("Bearer abc").as_deref(), Some("abc"));
        assert_eq!(with("bearer  abc").as_deref(), Some("abc"));
        assert_eq!(with("Basic abc"), None);
        assert_eq!(with("Bearer"), None);
        assert_eq!(bearer(&HeaderMap::new()), None);
    }
}
