//! One request: checked, sent on, answered.
//!
//! The order is that of the invariants: what is well-formed, whose it is, where
//! it comes from, and only then the upstream. A refused request never reaches
//! it.

use std::convert::Infallible;
use std::net::IpAddr;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex};
use std::time::Instant;

use filter_common::verdict::Verdict;
use http::header::{CONNECTION, CONTENT_LENGTH, HOST, HeaderMap, HeaderValue, ORIGIN, UPGRADE};
use http::{Request, Response, StatusCode, Uri, Version};
use hyper::body::Incoming;
use hyper::upgrade::Upgraded;

use super::body::{Answer, Outgoing};
use super::fields::{self, Provenance};
use super::follow;
use super::forwarded;
use super::live::{Client, Live, Open};
use super::reason::Reason;
use super::refusal::Refusal;
use super::refusals::Notice;
use super::shared::Shared;
use super::site::{Site, Sites};
use super::target;

/// A connection, as its requests see it.
pub(super) struct Visit {
    pub(super) shared: Arc<Shared>,
    /// The thread that drives it.
    pub(super) thread: usize,
    pub(super) live: Arc<Live>,
    /// What an upgrade led to.
    pub(super) tunnel: Mutex<Option<Tunnel>>,
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

/// Answers a request.
pub(super) async fn answer(
    visit: Arc<Visit>,
    request: Request<Incoming>,
) -> Result<Response<Answer>, Infallible> {
    let began = Instant::now();
    let is_logged = tracing::enabled!(tracing::Level::DEBUG);
    let line = is_logged.then(|| (request.method().clone(), request.uri().clone()));
    let Some((site, sites)) = visit.shared.site(visit.live.app) else {
        let gone = Refusal::closing(Reason::RevokedName, "no app answers to this name any more");
        return Ok(gone.into_response());
    };
    let is_http_1 = request.version() < Version::HTTP_2;
    let outcome = exchange(&visit, &site, &sites, request).await;
    let (mut response, reason) = match outcome {
        Ok(response) => (response, Reason::Forwarded),
        Err(refusal) => {
            let reason = refusal.reason;
            tell(&visit, &site, &refusal);
            (refusal.into_response(), reason)
        }
    };
    if reason == Reason::Forwarded || !is_rule(reason) {
        let _ = site.count(reason);
    }
    if !is_http_1 {
        response.headers_mut().remove(CONNECTION);
    }
    if let Some((method, uri)) = line {
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

async fn exchange(
    visit: &Visit,
    site: &Arc<Site>,
    sites: &Arc<Sites>,
    mut request: Request<Incoming>,
) -> Result<Response<Answer>, Refusal> {
    let upgrade = wanted_upgrade(&request);
    let host = target::check(&request, &visit.live.name)?;
    let sender = sender(visit, site, sites, request.headers())?;
    let origin = check_origin(visit, site, &request, upgrade.is_some(), &sender)?;
    let limit_bytes = site.app.proxy.body_limit_bytes;
    refuse_long_body(request.headers(), limit_bytes)?;
    let no_upstream = || Refusal::new(Reason::NoUpstream, "this app has no upstream yet");
    let destination = site.destination.clone().ok_or_else(no_upstream)?;
    let named = matches!(visit.live.client, Client::PerRequest).then_some(sender.client);
    let open = visit.live.open(origin, named);
    obey_newer(visit, sites);
    let fields = request.headers_mut();
    fields::remove_hop_by_hop(fields);
    fields::remove_forged(fields);
    let provenance = Provenance { client: sender.client, hop: sender.hop, host: &host };
    fields::set_provenance(fields, &provenance);
    fields.insert(HOST, host);
    if let Some(protocol) = &upgrade {
        fields::keep_upgrade(fields, protocol.clone());
    }
    let (mut parts, body) = request.into_parts();
    parts.uri = origin_form(&parts.uri);
    parts.version = Version::HTTP_11;
    parts.extensions = http::Extensions::new();
    let (body, exceeded) = Outgoing::new(body, &visit.live, limit_bytes);
    let sent = destination.send(Request::from_parts(parts, body), visit.thread).await;
    let (response, lease) = match sent {
        Ok(answered) => answered,
        Err(_) if exceeded.load(Ordering::Relaxed) => return Err(too_large()),
        Err(error) => return Err(error.into()),
    };
    if response.status() == StatusCode::SWITCHING_PROTOCOLS {
        return Box::pin(switch(visit, response, upgrade, open)).await;
    }
    let (mut parts, body) = response.into_parts();
    fields::remove_hop_by_hop(&mut parts.headers);
    if upgrade.is_some() {
        // What the client sent behind its request was never looked at.
        parts.headers.insert(CONNECTION, HeaderValue::from_static("close"));
    }
    parts.extensions = http::Extensions::new();
    let patience = destination.patience;
    Ok(Response::from_parts(parts, Answer::streamed(body, lease, open, patience)))
}

/// What was judged by rules that have changed meanwhile is judged again, as it
/// was not open yet when they did.
fn obey_newer(visit: &Visit, judged_by: &Arc<Sites>) {
    let sites = visit.shared.sites();
    if !Arc::ptr_eq(&sites, judged_by)
        && let Some(reason) = follow::unwanted(&visit.live, &sites, super::now_s())
    {
        visit.live.close(reason);
    }
}

/// The protocol that a request asks for.
fn wanted_upgrade(request: &Request<Incoming>) -> Option<HeaderValue> {
    let is_http_11 = request.version() == Version::HTTP_11;
    let asks = is_http_11 && fields::asks_for_upgrade(request.headers());
    asks.then(|| request.headers().get(UPGRADE).cloned()).flatten()
}

/// Hands the upstream's connection over to the client's, which becomes a
/// tunnel once the answer is written.
async fn switch(
    visit: &Visit,
    mut response: Response<Incoming>,
    upgrade: Option<HeaderValue>,
    open: Open,
) -> Result<Response<Answer>, Refusal> {
    let Some(protocol) = upgrade else {
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

/// The origin that the request is bound to, if it is let in.
fn check_origin(
    visit: &Visit,
    site: &Site,
    request: &Request<Incoming>,
    is_upgrade: bool,
    sender: &Sender,
) -> Result<Option<Box<str>>, Refusal> {
    let method = request.method();
    let mut values = request.headers().get_all(ORIGIN).iter();
    let (reason, text) = match (values.next(), values.next()) {
        (None, _) if site.app.require_origin && (is_upgrade || !method.is_safe()) => {
            (Reason::OriginMissing, format!("{method} needs an Origin here"))
        }
        (None, _) => return Ok(None),
        (Some(value), None) => match value.to_str() {
            Ok(origin) if site.admits_origin(origin) => return Ok(Some(origin.into())),
            Ok(origin) => (Reason::Origin, format!("the origin {origin:?} is not allowed")),
            Err(_) => (Reason::Origin, "the origin is not text".to_owned()),
        },
        (Some(_), Some(_)) if site.app.origins.is_empty() => return Ok(None),
        (Some(_), Some(_)) => (Reason::Origin, "there is more than one Origin".to_owned()),
    };
    apply(visit, site, reason, sender.client, || text)?;
    Ok(None)
}

fn refuse_long_body(fields: &HeaderMap, limit_bytes: Option<u64>) -> Result<(), Refusal> {
    let length = fields.get(CONTENT_LENGTH).and_then(|value| value.to_str().ok());
    let length: Option<u64> = length.and_then(|digits| digits.parse().ok());
    match length.zip(limit_bytes) {
        Some((length, limit)) if length > limit => Err(too_large()),
        Some(_) | None => Ok(()),
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
    pub(super) fn take_tunnel(&self) -> Option<Tunnel> {
        self.tunnel.lock().unwrap_or_else(std::sync::PoisonError::into_inner).take()
    }
}
