//! Whether a request goes on to the upstream, and as what.
//!
//! The order is that of the invariants: what is well-formed, whose it is, where
//! it comes from, and only then the upstream.

use std::net::IpAddr;
use std::sync::Arc;

use filter_common::verdict::Verdict;
use http::header::{CONTENT_LENGTH, HeaderMap, HeaderValue, ORIGIN, TRANSFER_ENCODING, UPGRADE};
use http::request::Parts;
use http::{Uri, Version};
use hyper::body::Incoming;

use super::body::Outgoing;
use super::exchange::Visit;
use super::fields::{self, Provenance};
use super::follow;
use super::forwarded;
use super::head::MOST_FIELDS;
use super::live::{Claims, Client, Open, Origin};
use super::reason::Reason;
use super::refusal::Refusal;
use super::site::{Site, Sites};
use super::target;
use super::upload::Upload;
use super::upstream::Destination;

/// What a request that may go on to the upstream comes with.
pub(super) struct Admitted {
    pub(super) destination: Arc<Destination>,
    pub(super) upload: Option<Arc<Upload>>,
    /// The protocol that it asks for.
    pub(super) upgrade: Option<HeaderValue>,
    pub(super) open: Open,
}

/// Who sent a request.
struct Sender {
    client: IpAddr,
    hop: Option<IpAddr>,
}

/// Checks a request, and makes the upstream's out of its head and body. What it
/// needs for that is gone again before the upstream is waited for.
pub(super) fn admit(
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
        return Err(Refusal::too_large());
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
            visit.tell(site, &Refusal::new(reason, text()).of(client));
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

fn origin_form(uri: &Uri) -> Uri {
    match uri.path_and_query() {
        Some(path) => Uri::from(path.clone()),
        None => Uri::from_static("/"),
    }
}
