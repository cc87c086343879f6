//! Who asks for a change and on what terms, by the headers of a request; and
//! whether the change is in force, for the headers of the answer.
//!
//! `Filterd-Protect` names a session that must survive, `If-Match` the version
//! that the list must have (of a change of a group's apps, the revision of the
//! state), `Filterd-Reason` is kept with the version.

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderName, HeaderValue, header};
use axum::response::{IntoResponse, Response};
use utoipa::IntoParams;
use utoipa::openapi::path::{Parameter, ParameterIn};

use super::document::header_parameter;
use super::fault::Fault;
use super::shut_out::Footing;
use crate::caller::Caller;
use crate::command::{Command, Outcome, Request, Session, Terms};
use crate::control::Control;
use crate::id::ObjectId;
use crate::reconcile::Applied;
use crate::store::{Done, StoreError};

const PROTECT: HeaderName = HeaderName::from_static("filterd-protect");
const REASON: HeaderName = HeaderName::from_static("filterd-reason");
const APPLIED: HeaderName = HeaderName::from_static("filterd-applied");
const CLOSED: HeaderName = HeaderName::from_static("filterd-closed");

const PROTECT_FORM: &str = "Filterd-Protect: give the far end and the near end of one TCP session, such as `192.0.2.7:50000 198.51.100.1:22`";
const MATCH_FORM: &str =
    "If-Match: give the version that the list must have, as its ETag says it, such as \"7\", or *";
const REASON_FORM: &str = "Filterd-Reason: give one text in UTF-8, at most 1024 bytes";

/// The longest reason.
const LONGEST_REASON_BYTES: usize = 1024;

/// Who asks, and on what terms.
pub(super) struct Asker {
    pub(super) caller: Caller,
    footing: Footing,
    terms: Terms,
}

/// Whether a change is in force, for the answer's headers.
pub(super) struct InForce {
    applied: Applied,
    version: Option<u64>,
    /// What the caller has shut itself out of.
    lost: Vec<String>,
    /// Connections that the proxy closed for it; none without a proxy.
    closed: Option<usize>,
}

impl<S: Send + Sync> FromRequestParts<S> for Asker {
    type Rejection = Fault;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Fault> {
        let caller = parts.extensions.get::<Caller>().cloned();
        let caller = caller.ok_or_else(|| Fault::internal("nobody knows who asks"))?;
        let footing = Footing::of(&caller, &parts.extensions);
        let headers = &parts.headers;
        let terms = Terms {
            protect: one(headers, PROTECT, PROTECT_FORM, session)?,
            expected: one(headers, header::IF_MATCH, MATCH_FORM, version)?.flatten(),
            reason: one(headers, REASON, REASON_FORM, reason)?.unwrap_or_default(),
            dry_run: false,
        };
        Ok(Self { caller, footing, terms })
    }
}

impl IntoParams for Asker {
    fn into_params(_: impl Fn() -> Option<ParameterIn>) -> Vec<Parameter> {
        [
            (
                "Filterd-Protect",
                "Far and near end of a TCP session that must survive the change",
                "192.0.2.7:50000 198.51.100.1:22",
            ),
            ("Filterd-Reason", "Why, to be kept with the version", "a new office"),
            ("If-Match", "The version that the list must have, in quotes, or any", "*"),
        ]
        .map(|(name, description, example)| header_parameter(name, description, example))
        .into()
    }
}

impl Asker {
    /// To have the change worked out and checked, and nothing changed.
    pub(super) fn dry_run(mut self, dry_run: bool) -> Self {
        self.terms.dry_run = dry_run;
        self
    }

    /// Refuses what would put a filter in force that cuts the session.
    pub(super) fn refuse_cut(&self, control: &Control) -> Result<(), Fault> {
        match &self.terms.protect {
            Some(session) if !control.store().admits(session) => {
                Err(StoreError::WouldCutSession(*session).into())
            }
            Some(_) | None => Ok(()),
        }
    }

    /// Tells the audit log of something that is no change of the state. It has
    /// been done, whatever becomes of the note.
    pub(super) async fn note(self, control: &Control, action: &'static str, detail: &str) {
        let noted = control.store().note_deed(self.caller, self.terms.reason, action, detail);
        if let Err(error) = noted.await {
            tracing::warn!(%error, action, "this could not be written into the audit log");
        }
    }

    /// Carries a command out.
    pub(super) async fn execute(
        self,
        control: &Control,
        command: Command,
    ) -> Result<(Outcome, InForce), Fault> {
        let Self { caller, footing, terms } = self;
        let app = command.app();
        let before = footing.look(control, app);
        let request = Request { command, caller, terms };
        let (done, mut applied) = control.execute(request).await?;
        let lost = footing.lost(&before, &footing.look(control, app));
        let closed = control.closed_by(&done).await;
        if done.is_change
            && let Some(outage) = control.proxy_outage(&proxied(&done.outcome))
            && applied == Applied::Yes
        {
            applied = Applied::No(outage);
        }
        let Done { outcome, version, .. } = done;
        Ok((outcome, InForce { applied, version, lost, closed }))
    }
}

/// The apps whose settings a change was about, those of the proxy too.
fn proxied(outcome: &Outcome) -> Vec<ObjectId> {
    match outcome {
        Outcome::App(app) => vec![app.id],
        Outcome::Applied(changes) => changes.iter().map(|change| change.app.id).collect(),
        Outcome::Entry(_)
        | Outcome::Deleted
        | Outcome::List(_)
        | Outcome::Settings(_)
        | Outcome::Key(_) => Vec::new(),
    }
}

impl InForce {
    /// An answer with the headers.
    pub(super) fn with(self, answer: impl IntoResponse) -> Response {
        let mut response = answer.into_response();
        let headers = response.headers_mut();
        if let Some(version) = self.version {
            headers.insert(header::ETAG, etag(version));
        }
        for lost in &self.lost {
            headers.append(header::WARNING, warning(lost));
        }
        if let Some(closed) = self.closed {
            headers.insert(CLOSED, closed.into());
        }
        match self.applied {
            Applied::Yes => {
                headers.insert(APPLIED, HeaderValue::from_static("yes"));
            }
            Applied::No(reason) => {
                headers.insert(APPLIED, HeaderValue::from_static("no"));
                headers.append(header::WARNING, warning(&reason));
            }
        }
        response
    }
}

/// The version of a list as a header says it (RFC 9110, section 8.8.3).
pub(super) fn etag(version: u64) -> HeaderValue {
    HeaderValue::try_from(format!("\"{version}\"")).expect("digits in quotes are a header value")
}

/// RFC 7234, section 5.5: a code, who warns, a quoted text.
pub(super) fn warning(reason: &str) -> HeaderValue {
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

/// What a header says that may be there once.
fn one<T>(
    headers: &HeaderMap,
    name: HeaderName,
    form: &str,
    read: impl FnOnce(&str) -> Option<T>,
) -> Result<Option<T>, Fault> {
    let mut values = headers.get_all(name).iter();
    let Some(value) = values.next() else { return Ok(None) };
    let text = std::str::from_utf8(value.as_bytes()).ok().filter(|_| values.next().is_none());
    text.and_then(read).map(Some).ok_or_else(|| Fault::parameter(form))
}

fn session(text: &str) -> Option<Session> {
    let (peer, local) = text.split_once(' ')?;
    Some(Session { peer: peer.parse().ok()?, local: local.parse().ok()? })
}

/// Any version is none in particular.
fn version(text: &str) -> Option<Option<u64>> {
    if text == "*" {
        return Some(None);
    }
    let digits = text.strip_prefix('"')?.strip_suffix('"')?;
    digits.parse().ok().map(Some)
}

fn reason(text: &str) -> Option<String> {
    (text.len() <= LONGEST_REASON_BYTES).then(|| text.to_owned())
}
