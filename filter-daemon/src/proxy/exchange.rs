//! One request: checked, sent on, answered. A refused one never reaches the
//! upstream.

use std::convert::Infallible;
use std::sync::{Arc, Mutex, OnceLock};
use std::time::Instant;

use http::header::{CONNECTION, EXPECT, HeaderValue, UPGRADE};
use http::{Method, Request, Response, StatusCode, Uri, Version};
use hyper::body::{Body as _, Incoming};
use hyper::upgrade::Upgraded;

use super::admission::{self, Admitted};
use super::body::{Answer, Outgoing};
use super::fields::{self, Provenance};
use super::live::{Answering, Live, Open};
use super::reason::Reason;
use super::refusal::Refusal;
use super::refusals::Notice;
use super::shared::Shared;
use super::site::Site;
use super::upload::{Fault, Upload};
use super::upstream::UpstreamError;
use crate::unread::read_away;

/// A connection, as its requests see it.
pub(super) struct Visit {
    pub(super) shared: Arc<Shared>,
    /// The thread that drives it.
    pub(super) thread: usize,
    pub(super) live: Arc<Live>,
    /// What an upgrade led to.
    tunnel: Mutex<Option<Tunnel>>,
    /// Of its requests, where all come from one client.
    pub(super) provenance: OnceLock<Provenance>,
}

/// The upstream's end of a connection that speaks another protocol now.
pub(super) struct Tunnel {
    pub(super) upstream: Upgraded,
    /// The request that is open for as long as the tunnel is.
    pub(super) open: Open,
}

/// A request as far as it is known without the upstream.
struct Judged {
    site: Arc<Site>,
    /// For the log of all requests, if there is one.
    noted: Option<Box<Noted>>,
    is_http_1: bool,
    asks_for_upgrade: bool,
    /// What to send to the upstream.
    request: Option<Request<Outgoing>>,
    /// Of a refused request, if it is to be read.
    body: Option<Incoming>,
    admitted: Result<Admitted, Refusal>,
}

/// What a log of all requests says of one.
struct Noted {
    began: Instant,
    method: Method,
    uri: Uri,
}

/// Answers a request; until then its connection is busy with it.
pub(super) async fn answer(
    visit: Arc<Visit>,
    request: Request<Incoming>,
    _answering: Option<Answering>,
) -> Result<Response<Answer>, Infallible> {
    // Apart, so that nothing of it is kept while the upstream is waited for.
    let Some(judged) = judge(&visit, request) else {
        let gone = Refusal::closing(Reason::RevokedName, "no app answers to this name any more");
        return Ok(gone.into_response());
    };
    let Judged { site, noted, is_http_1, asks_for_upgrade, mut request, body, admitted } = judged;
    let upload = admitted.as_ref().ok().and_then(|admitted| admitted.upload.clone());
    let was_admitted = admitted.is_ok();
    let outcome = match admitted {
        Ok(admitted) => forward(&visit, admitted, &mut request).await,
        Err(refusal) => Err(refusal),
    };
    let (mut response, reason) = match outcome {
        Ok(response) => (response, Reason::Forwarded),
        Err(mut refusal) => {
            let reason = refusal.reason;
            visit.live.wait_for_next();
            visit.tell(&site, &refusal);
            let is_all = match body {
                Some(body) => Box::pin(read_away(body)).await,
                None => was_admitted && upload.is_none_or(|upload| upload.has_ended()),
            };
            refusal.closes |= !is_all;
            (refusal.into_response(), reason)
        }
    };
    if reason == Reason::Forwarded || !is_rule(reason) {
        let _ = site.count(reason);
    }
    if !is_http_1 {
        response.headers_mut().remove(CONNECTION);
    } else if asks_for_upgrade && response.status() != StatusCode::SWITCHING_PROTOCOLS {
        // What the client sent behind its request was never looked at.
        response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
    }
    if let Some(noted) = noted {
        let Noted { began, method, uri } = *noted;
        tracing::debug!(
            app = %site.app.client_app_id,
            peer = %visit.live.peer,
            name = %visit.live.name,
            %method,
            path = uri.path(),
            status = response.status().as_u16(),
            reason = reason.name(),
            took_us = u64::try_from(began.elapsed().as_micros()).unwrap_or(u64::MAX),
            "request"
        );
    }
    Ok(response)
}

/// Judges a request; nothing where its app is gone.
fn judge(visit: &Visit, request: Request<Incoming>) -> Option<Judged> {
    let (site, sites) = visit.shared.site(visit.live.app)?;
    let (mut parts, body) = request.into_parts();
    let noted = tracing::enabled!(tracing::Level::DEBUG).then(|| {
        let (method, uri) = (parts.method.clone(), parts.uri.clone());
        Box::new(Noted { began: Instant::now(), method, uri })
    });
    let is_http_1 = parts.version < Version::HTTP_2;
    let asks_for_upgrade = is_http_1 && fields::asks_for_upgrade(&parts.headers);
    // Whoever waits to be asked for a body has not sent it.
    let is_held_back = is_http_1 && parts.headers.contains_key(EXPECT);
    let mut body = Some(body);
    let (request, admitted) = match admission::admit(visit, &site, &sites, &mut parts, &mut body) {
        Ok((admitted, body)) => (Some(Request::from_parts(parts, body)), Ok(admitted)),
        Err(refusal) => {
            let ends = is_held_back || is_http_1 && refusal.closes;
            body = body.filter(|body| body.is_end_stream() || !ends);
            (None, Err(refusal))
        }
    };
    Some(Judged { site, noted, is_http_1, asks_for_upgrade, request, body, admitted })
}

/// Whether it was counted where the rule was applied.
fn is_rule(reason: Reason) -> bool {
    matches!(reason, Reason::NotListed | Reason::Expired | Reason::Origin | Reason::OriginMissing)
}

/// Sends a request to the upstream; the answer is there when its head is.
async fn forward(
    visit: &Visit,
    admitted: Admitted,
    request: &mut Option<Request<Outgoing>>,
) -> Result<Response<Answer>, Refusal> {
    let Admitted { destination, upload, upgrade, open } = admitted;
    let sent = destination.send(request, upload.as_deref(), visit.thread).await;
    let (response, lease) = sent.map_err(|error| refusal(error, upload.as_deref()))?;
    if response.status() == StatusCode::SWITCHING_PROTOCOLS {
        return Box::pin(switch(visit, response, upgrade, open)).await;
    }
    let (mut parts, body) = response.into_parts();
    if !fields::is_framed_once(parts.status, &mut parts.headers) {
        let text = "the upstream's answer is encoded in a way that nobody asked for";
        return Err(Refusal::closing(Reason::UpstreamFailed, text));
    }
    fields::remove_hop_by_hop(&mut parts.headers);
    // An older one ends an answer by closing, and the client could not tell one
    // that was cut.
    parts.version = Version::HTTP_11;
    parts.extensions = http::Extensions::new();
    let answer = Answer::streamed(body, lease, upload, open);
    Ok(Response::from_parts(parts, answer))
}

/// Hands the upstream's connection over to the client's, which becomes a
/// tunnel once the answer is written.
async fn switch(
    visit: &Visit,
    mut response: Response<Incoming>,
    upgrade: Option<HeaderValue>,
    open: Open,
) -> Result<Response<Answer>, Refusal> {
    let switched = response.headers().get(UPGRADE);
    let is_http = switched.is_some_and(|protocol| fields::names_http(protocol.as_bytes()));
    let Some(protocol) = upgrade.filter(|_| !is_http) else {
        let text = "the upstream switched to a protocol that nobody asked for";
        return Err(Refusal::closing(Reason::UpstreamFailed, text));
    };
    let broken = |error: hyper::Error| Refusal::closing(Reason::UpstreamFailed, error.to_string());
    let upstream = hyper::upgrade::on(&mut response).await.map_err(broken)?;
    let tunnel = Tunnel { upstream, open };
    *visit.tunnel.lock().unwrap_or_else(std::sync::PoisonError::into_inner) = Some(tunnel);
    let (mut parts, _) = response.into_parts();
    let protocol = parts.headers.get(UPGRADE).cloned().unwrap_or(protocol);
    fields::remove_hop_by_hop(&mut parts.headers);
    fields::keep_upgrade(&mut parts.headers, protocol);
    parts.extensions = http::Extensions::new();
    Ok(Response::from_parts(parts, Answer::Own(http_body_util::Full::default())))
}

/// Why there is no answer: it may be the request's own fault.
fn refusal(error: UpstreamError, upload: Option<&Upload>) -> Refusal {
    match upload.and_then(Upload::fault) {
        Some(Fault::TooLarge) => Refusal::too_large(),
        Some(Fault::Broken(text)) => Refusal::closing(Reason::Malformed, text),
        None => error.into(),
    }
}

impl Visit {
    pub(super) fn new(shared: Arc<Shared>, thread: usize, live: Arc<Live>) -> Self {
        Self { shared, thread, live, tunnel: Mutex::default(), provenance: OnceLock::new() }
    }

    pub(super) fn take_tunnel(&self) -> Option<Tunnel> {
        self.tunnel.lock().unwrap_or_else(std::sync::PoisonError::into_inner).take()
    }

    /// Tells of a refusal.
    pub(super) fn tell(&self, site: &Site, refusal: &Refusal) {
        let live = &self.live;
        let notice = Notice {
            app: Some(&site.app),
            what: "request refused",
            reason: refusal.reason,
            peer: live.peer,
            port: live.port,
            client: refusal.client.or(live.client.known()),
            name: Some(live.name.as_str()),
            detail: &refusal.text,
        };
        self.shared.refusals.tell(&site.counts, &notice);
    }
}
