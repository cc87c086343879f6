//! One request: checked, sent on, answered.
//!
//! The order is that of the invariants: what is well-formed, whose it is, where
//! it comes from, and only then the upstream. A refused request never reaches
//! it.

use std::convert::Infallible;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, OnceLock};
use std::time::Instant;

use filter_common::verdict::Verdict;
use http::header::{
    CONNECTION, CONTENT_LENGTH, HeaderMap, HeaderValue, ORIGIN, TRANSFER_ENCODING, UPGRADE,
};
use http::request::Parts;
use http::{Request, Response, StatusCode, Uri, Version};
use hyper::body::Incoming;
use hyper::upgrade::Upgraded;

use super::body::{self, Answer, Outgoing};
use super::fields::{self, Provenance};
use super::follow;
use super::forwarded;
use super::head::MOST_FIELDS;
use super::live::{Answering, Claims, Client, Live, Open, Origin};
use super::reason::Reason;
use super::refusal::Refusal;
use super::refusals::Notice;
use super::shared::Shared;
use super::site::{Site, Sites};
use super::target;
use super::upload::{Fault, Upload};
use super::upstream::{Destination, UpstreamError};

/// A connection, as its requests see it.
pub(super) struct Visit {
    pub(super) shared: Arc<Shared>,
    /// The thread that drives it.
    pub(super) thread: usize,
    pub(super) live: Arc<Live>,
    /// What an upgrade led to.
    tunnel: Mutex<Option<Tunnel>>,
    /// Of its requests, where all come from one client.
    provenance: OnceLock<Provenance>,
}

/// The upstream's end of a connection that speaks another protocol now.
pub(super) struct Tunnel {
    pub(super) upstream: Upgraded,
    /// The request that is open for as long as the tunnel is.
    pub(super) open: Open,
}

/// Who sent a request.
struct Sender {
    client: IpAddr,
    hop: Option<IpAddr>,
}

/// Answers a request; until then its connection is busy with it.
pub(super) async fn answer(
    visit: Arc<Visit>,
    request: Request<Incoming>,
    _answering: Option<Answering>,
) -> Result<Response<Answer>, Infallible> {
    let is_logged = tracing::enabled!(tracing::Level::DEBUG);
    let line = is_logged.then(|| (Instant::now(), request.method().clone(), request.uri().clone()));
    let Some((site, sites)) = visit.shared.site(visit.live.app) else {
        let gone = Refusal::closing(Reason::RevokedName, "no app answers to this name any more");
        return Ok(gone.into_response());
    };
    let is_http_1 = request.version() < Version::HTTP_2;
    let asks_for_upgrade = is_http_1 && fields::asks_for_upgrade(request.headers());
    let (mut parts, body) = request.into_parts();
    let mut body = Some(body);
    let admitted = admit(&visit, &site, &sites, &mut parts, &mut body);
    let outcome = match admitted {
        Ok((admitted, body)) => {
            let mut request = Some(Request::from_parts(parts, body));
            forward(&visit, admitted, &mut request).await
        }
        Err(refusal) => Err(refusal),
    };
    let (mut response, reason) = match outcome {
        Ok(response) => (response, Reason::Forwarded),
        Err(refusal) => {
            let reason = refusal.reason;
            visit.live.wait_for_next();
            tell(&visit, &site, &refusal);
            if let Some(body) = body.filter(|_| !is_http_1) {
                Box::pin(body::read_away(body)).await;
            }
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
    if let Some((began, method, uri)) = line {
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

/// Whether it was counted where the rule was applied.
fn is_rule(reason: Reason) -> bool {
    matches!(reason, Reason::NotListed | Reason::Expired | Reason::Origin | Reason::OriginMissing)
}

fn tell(visit: &Visit, site: &Site, refusal: &Refusal) {
    let live = &visit.live;
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
    visit.shared.refusals.tell(&site.counts, &notice);
}

/// What a request that may go on to the upstream comes with.
struct Admitted {
    destination: Arc<Destination>,
    upload: Option<Arc<Upload>>,
    /// The protocol that it asks for.
    upgrade: Option<HeaderValue>,
    open: Open,
}

/// Checks a request, and makes the upstream's out of its head and body. What it
/// needs for that is gone again before the upstream is waited for.
fn admit(
    visit: &Visit,
    site: &Arc<Site>,
    sites: &Arc<Sites>,
    request: &mut Parts,
    body: &mut Option<Incoming>,
) -> Result<(Admitted, Outgoing), Refusal> {
    let upgrade = wanted_upgrade(request);
    let host = target::check(request, &visit.live.name)?;
    if request.headers.len() > MOST_FIELDS {
        return Err(Refusal::new(Reason::HeadTooLarge, "the request has too many fields"));
    }
    let sender = sender(visit, site, sites, &request.headers)?;
    let origin = check_origin(visit, site, request, upgrade.is_some(), &sender)?;
    let limit_bytes = site.app.proxy.body_limit_bytes;
    let length = length(&request.headers)?;
    if length.zip(limit_bytes).is_some_and(|(length, limit)| length > limit) {
        return Err(too_large());
    }
    let no_upstream = || Refusal::new(Reason::NoUpstream, "this app has no upstream yet");
    let destination = site.destination.clone().ok_or_else(no_upstream)?;
    let client = matches!(visit.live.client, Client::PerRequest).then_some(sender.client);
    let open = visit.live.open(Claims { origin, client });
    obey_newer(visit, sites);
    let fields = &mut request.headers;
    fields::remove_hop_by_hop(fields);
    fields::remove_forged(fields);
    let new = || Provenance::new(sender.client, sender.hop);
    match visit.live.client {
        Client::Known(_) => {
            fields::set_provenance(fields, visit.provenance.get_or_init(new), host);
        }
        Client::PerRequest => fields::set_provenance(fields, &new(), host),
    }
    fields::join_cookies(fields);
    if let Some(protocol) = &upgrade {
        fields::keep_upgrade(fields, protocol.clone());
    }
    if request.uri.authority().is_some() {
        request.uri = origin_form(&request.uri);
    }
    request.version = Version::HTTP_11;
    request.extensions = http::Extensions::new();
    let (body, upload) = match body.take() {
        Some(body) => Outgoing::new(body, &visit.live, limit_bytes),
        None => (Outgoing::Empty, None),
    };
    if upload.is_some() && length.is_none() {
        // Of some methods the library sends no body unless it is told to.
        request.headers.insert(TRANSFER_ENCODING, HeaderValue::from_static("chunked"));
    }
    Ok((Admitted { destination, upload, upgrade, open }, body))
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
    if !fields::is_framed_once(&mut parts.headers) {
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

/// What was judged by rules that have changed meanwhile is judged again, as it
/// was not open yet when they did.
fn obey_newer(visit: &Visit, judged_by: &Arc<Sites>) {
    let sites = visit.shared.sites();
    if !Arc::ptr_eq(&sites, judged_by) {
        follow::obey(&visit.shared, &visit.live, &sites, super::now_s());
    }
}

/// The protocol that a request asks for; HTTP itself is not passed on, as it may
/// be answered as if nobody had asked (RFC 9110, section 7.8).
fn wanted_upgrade(request: &Parts) -> Option<HeaderValue> {
    let is_http_11 = request.version == Version::HTTP_11;
    let asks = is_http_11 && fields::asks_for_upgrade(&request.headers);
    let protocol = asks.then(|| request.headers.get(UPGRADE)).flatten();
    protocol.filter(|protocol| !fields::names_http(protocol.as_bytes())).cloned()
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

/// Who sent a request, and whether the list admits them.
fn sender(
    visit: &Visit,
    site: &Site,
    sites: &Sites,
    fields: &HeaderMap,
) -> Result<Sender, Refusal> {
    let peer = visit.live.peer.ip().to_canonical();
    if let Client::Known(client) = visit.live.client {
        let hop = (client != peer).then_some(peer);
        return Ok(Sender { client, hop });
    }
    let header = site.hop_header();
    let client = forwarded::client(fields, header, |address| site.has_hop(address));
    let client = client.ok_or_else(|| {
        let text = format!("the hop {peer} named no client in {}", header.name());
        Refusal::closing(Reason::HopHeader, text)
    })?;
    let reason = site.judge(sites, client, visit.live.port, super::now_s());
    let text = || format!("{client} is not on the access list (named by the hop {peer})");
    apply(visit, site, reason, client, text)?;
    Ok(Sender { client, hop: Some(peer) })
}

/// Counts what a rule says, and refuses where it is in force.
fn apply(
    visit: &Visit,
    site: &Site,
    reason: Reason,
    client: IpAddr,
    text: impl FnOnce() -> String,
) -> Result<(), Refusal> {
    match site.count(reason) {
        Verdict::Pass => Ok(()),
        Verdict::WouldDrop => {
            tell(visit, site, &Refusal::new(reason, text()).of(client));
            Ok(())
        }
        Verdict::Drop => Err(Refusal::new(reason, text()).of(client)),
    }
}

/// What the request is bound to, if it is let in.
fn check_origin(
    visit: &Visit,
    site: &Site,
    request: &Parts,
    is_upgrade: bool,
    sender: &Sender,
) -> Result<Origin, Refusal> {
    let method = &request.method;
    let mut values = request.headers.get_all(ORIGIN).iter();
    let (origin, reason, text) = match (values.next(), values.next()) {
        (None, _) if !is_upgrade && method.is_safe() => return Ok(Origin::Free),
        (None, _) if !site.app.require_origin => return Ok(Origin::Missing),
        (None, _) => {
            let what = if is_upgrade { "an upgrade" } else { method.as_str() };
            let text = format!("{what} needs an Origin here");
            (Origin::Missing, Reason::OriginMissing, text)
        }
        (Some(value), None) => {
            // What is not text is no origin of anybody's.
            let origin = value.to_str().unwrap_or_default();
            if site.admits_origin(origin) {
                return Ok(Origin::Named(origin.into()));
            }
            let text = format!("the origin {value:?} is not allowed");
            (Origin::Named(origin.into()), Reason::Origin, text)
        }
        (Some(_), Some(_)) => {
            let several = Origin::Named("several".into());
            if site.app.origins.is_empty() {
                return Ok(several);
            }
            (several, Reason::Origin, "there is more than one Origin".to_owned())
        }
    };
    apply(visit, site, reason, sender.client, || text)?;
    Ok(origin)
}

/// How long the body of a request is, if its head says so.
fn length(fields: &HeaderMap) -> Result<Option<u64>, Refusal> {
    let mut lengths = fields.get_all(CONTENT_LENGTH).iter();
    let (first, more) = (lengths.next(), lengths.next());
    let Some(first) = first else { return Ok(None) };
    let length = first.to_str().ok().and_then(|digits| digits.parse().ok());
    match (length, more) {
        (Some(length), None) => Ok(Some(length)),
        (_, _) => Err(Refusal::closing(Reason::Malformed, "the length of the body is not clear")),
    }
}

/// Why there is no answer: it may be the request's own fault.
fn refusal(error: UpstreamError, upload: Option<&Upload>) -> Refusal {
    match upload.and_then(Upload::fault) {
        Some(Fault::TooLarge) => too_large(),
        Some(Fault::Broken(text)) => Refusal::closing(Reason::Malformed, text),
        None => error.into(),
    }
}

fn too_large() -> Refusal {
    Refusal::closing(Reason::TooLarge, "the body is larger than this app takes")
}

fn origin_form(uri: &Uri) -> Uri {
    match uri.path_and_query() {
        Some(path) => Uri::from(path.clone()),
        None => Uri::from_static("/"),
    }
}

impl Visit {
    pub(super) fn new(shared: Arc<Shared>, thread: usize, live: Arc<Live>) -> Self {
        Self { shared, thread, live, tunnel: Mutex::default(), provenance: OnceLock::new() }
    }

    pub(super) fn take_tunnel(&self) -> Option<Tunnel> {
        self.tunnel.lock().unwrap_or_else(std::sync::PoisonError::into_inner).take()
    }
}
