//! A client of the Admin API: HTTP/1.1 or HTTP/2 over TLS 1.3, from a place in
//! a namespace.
//!
//! Bodies go chunked, without a length, as the vendor's own client sends them.

use std::convert::Infallible;
use std::fs;
use std::net::{IpAddr, SocketAddr};
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Instant;

use http_body_util::BodyExt;
use hyper::body::{Body, Bytes, Frame, Incoming};
use hyper::client::conn::{http1, http2};
use hyper::{Method, Request, Response};
use hyper_util::rt::{TokioExecutor, TokioIo};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use serde_json::{Value, json};
use socket2::{Domain, Socket, Type};
use tokio::net::TcpStream;
use tokio::runtime::Runtime;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use super::{ANSWER, Answer};
use crate::namespace::Namespace;

/// A version of HTTP.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Protocol {
    /// HTTP/1.1.
    Http1,
    /// HTTP/2.
    Http2,
}

/// The way to the Admin API from a place.
#[derive(Clone, Debug)]
pub struct Admin<'a> {
    namespace: &'a Namespace,
    source: IpAddr,
    server: SocketAddr,
    authority: PathBuf,
}

/// Both tokens of a login.
#[derive(Clone, Debug)]
pub struct Tokens {
    /// For calls.
    pub access: String,
    /// For another access token.
    pub refresh: String,
}

/// A connection that stays open.
pub struct Connection {
    runtime: Runtime,
    sender: Sender,
    server: SocketAddr,
}

enum Sender {
    Http1(http1::SendRequest<Chunked>),
    Http2(http2::SendRequest<Chunked>),
}

/// A body that does not tell its length.
struct Chunked(Option<Bytes>);

impl Body for Chunked {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        Poll::Ready(self.0.take().map(|bytes| Ok(Frame::data(bytes))))
    }

    fn is_end_stream(&self) -> bool {
        self.0.is_none()
    }
}

impl<'a> Admin<'a> {
    /// A client at an address of a namespace that trusts an authority.
    pub fn new(
        namespace: &'a Namespace,
        source: IpAddr,
        server: SocketAddr,
        authority: &Path,
    ) -> Self {
        Self { namespace, source, server, authority: authority.to_owned() }
    }

    /// The base URL of the server.
    pub fn url(&self) -> String {
        format!("https://{}", self.server)
    }

    /// Opens a connection.
    pub fn connect(&self, protocol: Protocol) -> anyhow::Result<Connection> {
        let runtime =
            tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
        let stream = self.namespace.run(|| self.dial())?;
        let config = self.config(protocol)?;
        let sender = runtime.block_on(async {
            let shaken = tokio::time::timeout(ANSWER, self.shake(stream, config, protocol));
            shaken.await?
        })?;
        Ok(Connection { runtime, sender, server: self.server })
    }

    /// One call over a connection of its own.
    pub fn call(
        &self,
        token: Option<&str>,
        method: Method,
        path: &str,
        body: Option<&Value>,
    ) -> anyhow::Result<Answer> {
        self.connect(Protocol::Http1)?.call(token, method, path, body)
    }

    /// Tries to log in.
    pub fn try_log_in(&self, public: &str, private: &str) -> anyhow::Result<Answer> {
        let body = json!({ "username": public, "apiKey": private });
        let path = "/api/admin/v3.0/auth/providers/mongodb-cloud/login";
        self.call(None, Method::POST, path, Some(&body))
    }

    /// Logs in.
    pub fn log_in(&self, public: &str, private: &str) -> Tokens {
        let answer = self.try_log_in(public, private).expect("somebody answers");
        assert_eq!(answer.status, 200, "{}", answer.body);
        let text = |name: &str| answer.body[name].as_str().expect("a token").to_owned();
        Tokens { access: text("access_token"), refresh: text("refresh_token") }
    }

    /// A TCP connection, dialled on a thread of the namespace.
    fn dial(&self) -> anyhow::Result<std::net::TcpStream> {
        let socket = Socket::new(Domain::for_address(self.server), Type::STREAM, None)?;
        socket.bind(&SocketAddr::new(self.source, 0).into())?;
        socket.connect_timeout(&self.server.into(), ANSWER)?;
        socket.set_nonblocking(true)?;
        Ok(socket.into())
    }

    fn config(&self, protocol: Protocol) -> anyhow::Result<ClientConfig> {
        let mut roots = RootCertStore::empty();
        roots.add(CertificateDer::from_pem_slice(&fs::read(&self.authority)?)?)?;
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let mut config = ClientConfig::builder_with_provider(provider)
            .with_protocol_versions(&[&rustls::version::TLS13])?
            .with_root_certificates(roots)
            .with_no_client_auth();
        config.alpn_protocols = match protocol {
            Protocol::Http1 => vec![b"http/1.1".to_vec()],
            Protocol::Http2 => vec![b"h2".to_vec()],
        };
        Ok(config)
    }

    async fn shake(
        &self,
        stream: std::net::TcpStream,
        config: ClientConfig,
        protocol: Protocol,
    ) -> anyhow::Result<Sender> {
        let stream = TcpStream::from_std(stream)?;
        let name = ServerName::from(self.server.ip());
        let stream: TlsStream<TcpStream> =
            TlsConnector::from(Arc::new(config)).connect(name, stream).await?;
        let stream = TokioIo::new(stream);
        match protocol {
            Protocol::Http1 => {
                let (sender, connection) = http1::handshake(stream).await?;
                tokio::spawn(connection);
                Ok(Sender::Http1(sender))
            }
            Protocol::Http2 => {
                let (sender, connection) = http2::handshake(TokioExecutor::new(), stream).await?;
                tokio::spawn(connection);
                Ok(Sender::Http2(sender))
            }
        }
    }
}

impl Connection {
    /// One call over this connection.
    pub fn call(
        &mut self,
        token: Option<&str>,
        method: Method,
        path: &str,
        body: Option<&Value>,
    ) -> anyhow::Result<Answer> {
        let mut request = Request::builder()
            .method(method)
            .uri(match self.sender {
                Sender::Http1(_) => path.to_owned(),
                Sender::Http2(_) => format!("https://{}{path}", self.server),
            })
            .header("host", self.server.to_string())
            .header("content-type", "application/json");
        if let Some(token) = token {
            request = request.header("authorization", format!("Bearer {token}"));
        }
        let body = body.map(|body| Bytes::from(body.to_string()));
        let request = request.body(Chunked(body))?;
        let asked_at = Instant::now();
        let Self { runtime, sender, .. } = self;
        runtime.block_on(async {
            let exchange = async {
                let response = match sender {
                    Sender::Http1(sender) => {
                        sender.ready().await?;
                        sender.send_request(request).await?
                    }
                    Sender::Http2(sender) => {
                        sender.ready().await?;
                        sender.send_request(request).await?
                    }
                };
                answer(response, asked_at).await
            };
            tokio::time::timeout(ANSWER, exchange).await?
        })
    }

    /// The status of a call that must be answered.
    pub fn status(&mut self, token: &str, path: &str) -> u16 {
        let answer = self.call(Some(token), Method::GET, path, None);
        answer.unwrap_or_else(|error| panic!("GET {path}: {error:#}")).status.as_u16()
    }
}

async fn answer(response: Response<Incoming>, asked_at: Instant) -> anyhow::Result<Answer> {
    let (head, body) = response.into_parts();
    let body = body.collect().await?.to_bytes();
    let took = asked_at.elapsed();
    let body = if body.is_empty() { Value::Null } else { serde_json::from_slice(&body)? };
    Ok(Answer { status: head.status, headers: head.headers, body, asked_at, took })
}
