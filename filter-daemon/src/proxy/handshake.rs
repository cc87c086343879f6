//! From an accepted connection to one that an app serves: whose it is, which
//! app it asks for, whether that app's list admits it, and TLS.
//!
//! Invariant: nothing is answered before the list of the app has decided.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use filter_common::verdict::{Mode, Verdict};
use rustls::server::Acceptor;
use rustls::{Error, PeerIncompatible};
use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpStream;
use tokio_rustls::server::TlsStream;
use tokio_rustls::{LazyConfigAcceptor, StartHandshake};

use super::connection;
use super::handshakes::Handshake;
use super::hop::{self, Preface};
use super::live::{Admitted, Client};
use super::patience;
use super::prefixed::Prefixed;
use super::reason::Reason;
use super::refusals::Notice;
use super::sent::Sent;
use super::shared::Shared;
use super::site::{Site, Sites};
use crate::app::HopHeader;
use crate::server_name::HostName;

/// A connection as it was accepted.
pub(super) struct Accepted {
    pub(super) stream: std::net::TcpStream,
    pub(super) peer: SocketAddr,
    pub(super) port: u16,
    /// Its place among the handshakes.
    pub(super) handshake: Handshake,
}

type Stream = Prefixed<Sent>;

/// Why a connection is not served.
struct Refused {
    reason: Reason,
    site: Option<Arc<Site>>,
    /// The server name that was asked for.
    name: Option<String>,
    /// Whom a trusted hop named.
    client: Option<IpAddr>,
    text: String,
}

/// A connection whose app is known.
struct Caller<'a> {
    shared: &'a Shared,
    sites: &'a Sites,
    site: &'a Arc<Site>,
    name: &'a HostName,
    peer: SocketAddr,
    port: u16,
}

const HTTP2: &[u8] = b"h2";

/// A fatal alert "unrecognized_name" in its record (RFC 8446, section 6.2; RFC
/// 6066, section 3).
const UNRECOGNIZED_NAME: [u8; 7] = [21, 3, 3, 0, 2, 2, 112];

/// Sees a connection through, and has it served.
pub(super) async fn receive(shared: Arc<Shared>, thread: usize, accepted: Accepted) {
    let Accepted { stream, peer, port, handshake } = accepted;
    let admitting = tokio::time::timeout(patience::HANDSHAKE, admit(&shared, stream, peer, port));
    let outcome = match handshake.run(Box::pin(admitting)).await {
        Ok(Ok(outcome)) => outcome,
        Ok(Err(_)) => Err(Refused::new(Reason::HandshakeTimeout, "no handshake in time")),
        Err(reason) => Err(Refused::new(reason, reason.explanation())),
    };
    drop(handshake);
    match outcome {
        Ok((stream, admitted)) => {
            let speaks_http2 = stream.get_ref().1.alpn_protocol() == Some(HTTP2);
            connection::serve(shared, thread, stream, admitted, speaks_http2);
        }
        Err(refused) => {
            count(&shared, &refused);
            tell(&shared, peer, port, &refused);
        }
    }
}

impl Refused {
    fn new(reason: Reason, text: impl Into<String>) -> Self {
        Self { reason, site: None, name: None, client: None, text: text.into() }
    }
}

fn count(shared: &Shared, refused: &Refused) {
    if is_counted(refused.reason) {
        return;
    }
    let _ = match &refused.site {
        Some(site) => site.count(refused.reason),
        None => shared.tally.of(None).count(refused.reason, Mode::Enforce),
    };
}

fn tell(shared: &Shared, peer: SocketAddr, port: u16, refused: &Refused) {
    let Refused { reason, client, .. } = *refused;
    let app = refused.site.as_ref().map(|site| site.app.as_ref());
    let (what, name, detail) = ("connection refused", refused.name.as_deref(), &refused.text);
    let notice = Notice { app, what, reason, peer, port, client, name, detail };
    match &refused.site {
        Some(site) => shared.refusals.tell(&site.counts, &notice),
        None => shared.tell(&notice),
    }
}

/// Whether it was counted where the list was asked.
fn is_counted(reason: Reason) -> bool {
    matches!(reason, Reason::NotListed | Reason::Expired)
}

async fn admit(
    shared: &Shared,
    stream: std::net::TcpStream,
    peer: SocketAddr,
    port: u16,
) -> Result<(TlsStream<Stream>, Admitted), Refused> {
    let broken = |error: io::Error| Refused::new(reason_of_io(&error), error.to_string());
    let mut stream = TcpStream::from_std(stream).map_err(broken)?;
    let source = peer.ip().to_canonical();
    let (preface, read) = if shared.sites().iter().any(|site| site.has_hop(source)) {
        read_preface(shared, &mut stream, source, port).await?
    } else {
        (Preface::None, Vec::new())
    };
    let start = LazyConfigAcceptor::new(Acceptor::default(), Prefixed::new(Sent(stream), read));
    let start = start.await.map_err(broken)?;
    // What the rules are when there is something to answer.
    let sites = shared.sites();
    let (start, site, name) = find_site(&sites, start).await?;
    let caller = Caller { shared, sites: &sites, site: &site, name: &name, peer, port };
    let client = caller.judge(&preface)?;
    let refuse = |reason, text: String| caller.refuse(reason, client.known(), text);
    let missing = || refuse(Reason::NoCertificate, "there is no certificate to show".to_owned());
    let tls = site.tls.clone().ok_or_else(missing)?;
    let stream = start.into_stream(tls).await;
    let stream = stream.map_err(|error| refuse(reason_of_io(&error), error.to_string()))?;
    let (app, certificate_rules) = (site.app.id, site.certificate_rules);
    Ok((stream, Admitted { app, peer, port, client, name, certificate_rules }))
}

/// What a hop says in front of the connection; a client that it names and that
/// nobody would let in is not even asked what it wants.
async fn read_preface(
    shared: &Shared,
    stream: &mut TcpStream,
    hop: IpAddr,
    port: u16,
) -> Result<(Preface, Vec<u8>), Refused> {
    let mut read = Vec::with_capacity(256);
    let preface = hop::read_preface(stream, &mut read).await.map_err(|error| {
        let text = format!("the hop {hop} sent no PROXY header that can be read: {error}");
        Refused::new(Reason::HopHeader, text)
    })?;
    let Preface::Client(client) = preface else { return Ok((preface, read)) };
    let sites = shared.sites();
    let now = super::now_s();
    let admits = |site: &&Arc<Site>| site.has_hop(hop) && !site.refuses(&sites, client, port, now);
    if sites.iter().any(|site| admits(&site)) {
        return Ok((preface, read));
    }
    let site = sites.iter().find(|site| site.has_hop(hop)).cloned();
    if let Some(site) = &site {
        let _ = site.count(Reason::NotListed);
    }
    let text = format!("{client} is on no access list (named by the hop {hop})");
    Err(Refused { site, client: Some(client), ..Refused::new(Reason::NotListed, text) })
}

/// The app that the ClientHello names.
async fn find_site(
    sites: &Sites,
    mut start: StartHandshake<Stream>,
) -> Result<(StartHandshake<Stream>, Arc<Site>, HostName), Refused> {
    let asked = start.client_hello().server_name().map(str::to_owned);
    let (reason, text) = match &asked {
        None => (Reason::NoServerName, "the ClientHello has no server name".to_owned()),
        Some(text) => match HostName::parse(text).ok().and_then(|n| Some((sites.find(&n)?, n))) {
            Some((site, name)) => return Ok((start, Arc::clone(site), name)),
            None => (Reason::UnknownName, format!("no app answers to {text:?}")),
        },
    };
    // A client that is gone has no use for the reason.
    let _ = start.io.write_all(&UNRECOGNIZED_NAME).await;
    let _ = start.io.shutdown().await;
    Err(Refused { name: asked, ..Refused::new(reason, text) })
}

impl Caller<'_> {
    /// Whose connection it is, if the app's list admits them.
    fn judge(&self, preface: &Preface) -> Result<Client, Refused> {
        let source = self.peer.ip().to_canonical();
        let site = self.site;
        let client = match (site.has_hop(source), site.hop_header(), preface) {
            (true, HopHeader::Proxy, Preface::Client(client)) => *client,
            (true, HopHeader::XForwardedFor | HopHeader::Forwarded, Preface::None) => {
                let _ = site.count(Reason::TrustedHop);
                return Ok(Client::PerRequest);
            }
            // A hop that speaks for itself, as its health checks do, is a client.
            (false, _, Preface::None) | (true, HopHeader::Proxy, Preface::Local) => source,
            (true, header, Preface::Client(_) | Preface::Local | Preface::None)
            | (false, header, Preface::Client(_) | Preface::Local) => {
                let text = format!("{source} did not name a client by {}", header.name());
                return Err(self.refuse(Reason::HopHeader, None, text));
            }
        };
        let reason = site.judge(self.sites, client, self.port, super::now_s());
        let text = || format!("{client} is not on the access list");
        let refused = || self.refuse(reason, Some(client), text());
        match site.count(reason) {
            Verdict::Pass => Ok(Client::Known(client)),
            Verdict::WouldDrop => {
                tell(self.shared, self.peer, self.port, &refused());
                Ok(Client::Known(client))
            }
            Verdict::Drop => Err(refused()),
        }
    }

    fn refuse(&self, reason: Reason, client: Option<IpAddr>, text: String) -> Refused {
        let (site, name) = (Some(Arc::clone(self.site)), Some(self.name.to_string()));
        Refused { reason, site, name, client, text }
    }
}

fn reason_of_io(error: &io::Error) -> Reason {
    let tls = error.get_ref().and_then(|inner| inner.downcast_ref::<Error>());
    tls.map_or(Reason::Handshake, reason_of)
}

#[expect(clippy::wildcard_enum_match_arm, reason = "the library may add more ways to fail")]
fn reason_of(error: &Error) -> Reason {
    match error {
        Error::PeerIncompatible(
            PeerIncompatible::Tls12NotOffered
            | PeerIncompatible::Tls12NotOfferedOrEnabled
            | PeerIncompatible::SupportedVersionsExtensionRequired,
        ) => Reason::TlsVersion,
        Error::NoCertificatesPresented | Error::InvalidCertificate(_) => Reason::ClientCertificate,
        _ => Reason::Handshake,
    }
}
