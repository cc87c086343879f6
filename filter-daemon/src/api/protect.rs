//! The headers of a change: the session that must survive it, and whether it
//! is in force.

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{HeaderName, HeaderValue, header};
use axum::response::{IntoResponse, Response};

use super::fault::Fault;
use crate::command::{Command, Outcome, Request, Session};
use crate::control::Control;
use crate::reconcile::Applied;
use crate::store::StoreError;

const PROTECT: HeaderName = HeaderName::from_static("filterd-protect");
const APPLIED: HeaderName = HeaderName::from_static("filterd-applied");

const PROTECT_FORM: &str = "Filterd-Protect: give the far end and the near end of one TCP session, such as `192.0.2.7:50000 198.51.100.1:22`";

/// The caller's session, if it named one.
pub(super) struct Protect(Option<Session>);

/// Whether a change is in force, for the answer's headers.
pub(super) struct InForce(Applied);

impl<S: Send + Sync> FromRequestParts<S> for Protect {
    type Rejection = Fault;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Fault> {
        let mut values = parts.headers.get_all(PROTECT).iter();
        let (Some(value), None) = (values.next(), values.next()) else {
            return match parts.headers.contains_key(PROTECT) {
                false => Ok(Self(None)),
                true => Err(Fault::parameter(PROTECT_FORM)),
            };
        };
        let session = value.to_str().ok().and_then(session);
        session.map(|session| Self(Some(session))).ok_or_else(|| Fault::parameter(PROTECT_FORM))
    }
}

impl Protect {
    /// Refuses what would put a filter in force that cuts the session.
    pub(super) fn refuse_cut(&self, control: &Control) -> Result<(), Fault> {
        match &self.0 {
            Some(session) if !control.store().admits(session) => {
                Err(StoreError::WouldCutSession(*session).into())
            }
            Some(_) | None => Ok(()),
        }
    }

    /// Carries a command out, protecting the session.
    pub(super) async fn execute(
        self,
        control: &Control,
        command: Command,
    ) -> Result<(Outcome, InForce), Fault> {
        let request = Request { command, protect: self.0 };
        let (outcome, applied) = control.execute(request).await?;
        Ok((outcome, InForce(applied)))
    }
}

impl InForce {
    /// An answer with the headers.
    pub(super) fn with(self, answer: impl IntoResponse) -> Response {
        let mut response = answer.into_response();
        let headers = response.headers_mut();
        match self.0 {
            Applied::Yes => {
                headers.insert(APPLIED, HeaderValue::from_static("yes"));
            }
            Applied::No(reason) => {
                headers.insert(APPLIED, HeaderValue::from_static("no"));
                headers.insert(header::WARNING, warning(&reason));
            }
        }
        response
    }
}

fn session(text: &str) -> Option<Session> {
    let (peer, local) = text.split_once(' ')?;
    Some(Session { peer: peer.parse().ok()?, local: local.parse().ok()? })
}

/// RFC 7234, section 5.5: a code, who warns, a quoted text.
fn warning(reason: &str) -> HeaderValue {
    let mut text = String::from("199 filterd \"");
    for character in reason.chars() {
        match character {
            '"' | '\\' => text.extend(['\\', character]),
            ' '..='~' => text.push(character),
            _ => text.push(' '),
        }
    }
    text.push('"');
    HeaderValue::try_from(text).expect("printable ASCII is a header value")
}
