//! Real connections over loopback. Each test has an address of its own.

use std::net::IpAddr;
use std::time::Instant;

use axum::body::Bytes;
use http_body_util::{BodyExt as _, Empty};
use hyper::client::conn::{http1, http2};
use hyper::{Request, Response, StatusCode};
use hyper_util::rt::{TokioExecutor, TokioIo};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpSocket, TcpStream};
use tokio::task::JoinHandle;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use super::*;
use crate::api::limits::HEAD_PATIENCE;
use crate::api::tests::bench::Bench;

const VERSION: &str = "/api/private/v1.0/version";

/// A served listener.
struct Served {
    address: SocketAddr,
    status: watch::Receiver<ListenerStatus>,
    shutdown: CancellationToken,
    server: JoinHandle<()>,
    directory: tempfile::TempDir,
    _bench: Bench,
}

impl Served {
    async fn new(address: &str) -> Self {
        let served = Self::begin(address);
        let mut status = served.status.clone();
        let bound = status.wait_for(|status| status.places.values().all(Option::is_none));
        tokio::time::timeout(HEAD_PATIENCE, bound).await.expect("in time").expect("it runs");
        served
    }

    fn begin(address: &str) -> Self {
        let directory = tempfile::tempdir().expect("a directory");
        let config = Config::parse(&format!(
            "[[interface]]\nname = \"eth0\"\n[admin]\nlisten = [{address:?}]\n[paths]\nstate = {:?}\n[limits]\nadmin_connections = 8\n",
            directory.path().display().to_string(),
        ));
        let listener = TlsListener::new(&config.expect("valid")).expect("TLS").expect("asked for");
        let (bench, shutdown) = (Bench::new(), CancellationToken::new());
        let status = listener.status();
        let server = tokio::spawn(listener.serve(bench.control.clone(), shutdown.clone()));
        let address = address.parse().expect("a place");
        Self { address, status, shutdown, server, directory, _bench: bench }
    }

    async fn connect_from(&self, source: IpAddr) -> std::io::Result<TcpStream> {
        let socket = if source.is_ipv4() { TcpSocket::new_v4()? } else { TcpSocket::new_v6()? };
        socket.bind(SocketAddr::new(source, 0))?;
        socket.connect(self.address).await
    }

    async fn connect(&self) -> TcpStream {
        TcpStream::connect(self.address).await.expect("connected")
    }

    async fn shake(
        &self,
        stream: TcpStream,
        protocol: &[u8],
    ) -> std::io::Result<TlsStream<TcpStream>> {
        let authority = std::fs::read(self.directory.path().join("ca.pem")).expect("made");
        let mut roots = RootCertStore::empty();
        roots.add(CertificateDer::from_pem_slice(&authority).expect("PEM")).expect("an authority");
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let builder = ClientConfig::builder_with_provider(provider);
        let builder = builder.with_safe_default_protocol_versions().expect("1.3");
        let mut config = builder.with_root_certificates(roots).with_no_client_auth();
        config.alpn_protocols = vec![protocol.to_vec()];
        let name = ServerName::from(stream.peer_addr()?.ip());
        TlsConnector::from(Arc::new(config)).connect(name, stream).await
    }

    async fn tls(&self, protocol: &[u8]) -> TlsStream<TcpStream> {
        self.shake(self.connect().await, protocol).await.expect("TLS")
    }
}

fn ask(path: &str) -> Request<Empty<Bytes>> {
    Request::get(path).header("host", "filterd").body(Empty::new()).expect("a request")
}

async fn text(response: Response<hyper::body::Incoming>) -> String {
    let (head, body) = response.into_parts();
    assert_eq!(head.status, StatusCode::OK);
    let bytes = body.collect().await.expect("a body").to_bytes();
    String::from_utf8(bytes.to_vec()).expect("text")
}

/// Whether the other side closes in time, whatever it says before.
async fn closes(mut stream: impl tokio::io::AsyncRead + Unpin) -> bool {
    let mut bytes = Vec::new();
    tokio::time::timeout(HEAD_PATIENCE * 3, stream.read_to_end(&mut bytes)).await.is_ok()
}

#[tokio::test]
async fn both_versions_of_http_are_served_under_the_own_certificate() {
    let served = Served::new("127.77.1.1:8443").await;
    let stream = TokioIo::new(served.tls(b"http/1.1").await);
    let (mut sender, connection) = http1::handshake(stream).await.expect("HTTP/1.1");
    tokio::spawn(connection);
    for _ in 0..2 {
        let answer = sender.send_request(ask(VERSION)).await.expect("answered");
        assert!(text(answer).await.contains(env!("CARGO_PKG_VERSION")));
    }
    let stream = TokioIo::new(served.tls(b"h2").await);
    let (mut sender, connection) =
        http2::handshake(TokioExecutor::new(), stream).await.expect("HTTP/2");
    tokio::spawn(connection);
    let uri = format!("https://{}/api/admin/v3.0/auth/providers", served.address);
    let request = Request::get(uri).body(Empty::<Bytes>::new()).expect("a request");
    let answer = sender.send_request(request).await.expect("answered");
    assert!(text(answer).await.contains("mongodb-cloud"));
    // Both connections are open still.
    let start = Instant::now();
    served.shutdown.cancel();
    served.server.await.expect("ended");
    assert!(start.elapsed() < GRACE, "idle clients hold nothing up");
}

#[tokio::test]
async fn clients_that_do_nothing_have_to_go() {
    let served = Served::new("127.77.1.2:8443").await;
    let silent = served.connect().await;
    let idle = served.connect_from([127, 77, 0, 2].into()).await.expect("connected");
    let mut idle = served.shake(idle, b"http/1.1").await.expect("TLS");
    let request = format!("GET {VERSION} HTTP/1.1\r\nhost: filterd\r\n\r\n");
    idle.write_all(request.as_bytes()).await.expect("asked");
    let slow = served.connect_from([127, 77, 0, 5].into()).await.expect("connected");
    let mut slow = served.shake(slow, b"http/1.1").await.expect("TLS");
    slow.write_all(b"GET / HTTP/1.1\r\nhost:").await.expect("asked");
    let stream = served.connect_from([127, 77, 0, 3].into()).await.expect("connected");
    let without_preface = served.shake(stream, b"h2").await.expect("TLS");
    let stream = served.connect_from([127, 77, 0, 4].into()).await.expect("connected");
    let stream = TokioIo::new(served.shake(stream, b"h2").await.expect("TLS"));
    let (sender, connection) =
        http2::handshake::<_, _, Empty<Bytes>>(TokioExecutor::new(), stream).await.expect("HTTP/2");
    // It answers pings for as long as it is held.
    let pinging = tokio::time::timeout(HEAD_PATIENCE * 3, connection);
    let mut answer = Vec::new();
    let idle = tokio::time::timeout(HEAD_PATIENCE * 3, idle.read_to_end(&mut answer));
    let (silent, idle, slow, without_preface, pinging) =
        tokio::join!(closes(silent), idle, closes(slow), closes(without_preface), pinging);
    assert!(silent && slow && without_preface);
    idle.expect("in time").expect("ended in order, with close_notify");
    assert!(answer.starts_with(b"HTTP/1.1 200 "));
    assert!(pinging.is_ok(), "idle over HTTP/2");
    drop(sender);
}

#[tokio::test]
async fn one_source_does_not_take_all_places() {
    let served = Served::new("127.77.1.3:8443").await;
    let _share = [served.tls(b"http/1.1").await, served.tls(b"http/1.1").await];
    let third = served.connect().await;
    assert!(served.shake(third, b"http/1.1").await.is_err(), "its share is taken");
    let other = served.connect_from([127, 77, 0, 9].into()).await.expect("connected");
    served.shake(other, b"http/1.1").await.expect("another source has its own share");
}

#[tokio::test]
async fn an_address_that_is_taken_is_told_and_tried_again() {
    let address = "127.77.1.4:8443";
    let taken = std::net::TcpListener::bind(address).expect("free");
    let served = Served::begin(address);
    let mut status = served.status.clone();
    let told = status.wait_for(|status| {
        status.places.values().any(|place| place.as_ref().is_some_and(|why| why.contains("in use")))
    });
    tokio::time::timeout(HEAD_PATIENCE, told).await.expect("in time").expect("it runs");
    drop(taken);
    let bound = status.wait_for(|status| status.places.values().all(Option::is_none));
    tokio::time::timeout(HEAD_PATIENCE, bound).await.expect("in time").expect("it runs");
    served.tls(b"h2").await;
}

/// No interface has the address: who is to be reached by it does not know yet.
#[tokio::test]
async fn an_address_that_the_host_does_not_have_yet_is_listened_on() {
    let served = Served::new("192.0.2.77:8443").await;
    assert_eq!(served.status.borrow().held().trouble, None);
}

#[tokio::test]
async fn an_open_ipv6_address_takes_both_families_unless_the_other_is_listed() {
    let served = Served::new("[::]:18443").await;
    for loopback in ["127.0.0.1:18443", "[::1]:18443"] {
        let stream = TcpStream::connect(loopback).await.expect("both families");
        served.shake(stream, b"http/1.1").await.expect("the certificate names both");
    }
    let both: [SocketAddr; 2] =
        ["[::]:1".parse().expect("a place"), "0.0.0.0:1".parse().expect("a place")];
    assert!(bind::is_v6_alone(both[0], &both) && !bind::is_v6_alone(both[1], &both));
    assert!(!bind::is_v6_alone(both[0], &both[..1]));
}
