//! The clients: TLS 1.3 without resumption, HTTP/1.1 or HTTP/2.
//!
//! Invariant: an answer that is not the upstream's ends the benchmark.

mod handshakes;
mod idle;
mod requests;

use std::io;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::Result;
use rustls::client::Resumption;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::CryptoProvider;
use rustls::crypto::aws_lc_rs::{self, kx_group};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{ClientConfig, DigitallySignedStruct, SignatureScheme};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use crate::stage::{HOST, NAME, PORT};
pub(crate) use handshakes::handshakes;
pub(crate) use idle::Idle;
pub(crate) use requests::{Answered, Sender, requests};

/// What the clients offer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Offer {
    /// X25519, and HTTP/1.1.
    Http1,
    /// X25519, and HTTP/2.
    Http2,
    /// X25519MLKEM768 before X25519, and HTTP/1.1.
    Hybrid,
}

/// Makes connections.
#[derive(Clone)]
pub(crate) struct Client {
    connector: TlsConnector,
}

impl Client {
    pub(crate) fn new(offer: Offer) -> Result<Self> {
        let groups = match offer {
            Offer::Http1 | Offer::Http2 => vec![kx_group::X25519],
            Offer::Hybrid => vec![kx_group::X25519MLKEM768, kx_group::X25519],
        };
        let protocol: &[u8] = match offer {
            Offer::Http1 | Offer::Hybrid => b"http/1.1",
            Offer::Http2 => b"h2",
        };
        let provider = CryptoProvider { kx_groups: groups, ..aws_lc_rs::default_provider() };
        let mut config = ClientConfig::builder_with_provider(Arc::new(provider))
            .with_protocol_versions(&[&rustls::version::TLS13])?
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(Anyone))
            .with_no_client_auth();
        config.resumption = Resumption::disabled();
        config.alpn_protocols = vec![protocol.to_vec()];
        Ok(Self { connector: TlsConnector::from(Arc::new(config)) })
    }

    /// A connection past its handshake.
    pub(crate) async fn connect(&self) -> io::Result<TlsStream<TcpStream>> {
        let stream = tcp(PORT).await?;
        let name = ServerName::try_from(NAME).map_err(io::Error::other)?;
        self.connector.connect(name, stream).await
    }
}

/// A connection without TLS.
pub(crate) async fn tcp(port: u16) -> io::Result<TcpStream> {
    let stream = TcpStream::connect((HOST, port)).await?;
    stream.set_nodelay(true)?;
    Ok(stream)
}

/// How often something was done in how long.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Rate {
    pub(crate) count: u32,
    pub(crate) took: Duration,
}

impl Rate {
    fn since(begin: Instant, count: usize) -> Self {
        let count = u32::try_from(count).unwrap_or(u32::MAX);
        Self { count, took: begin.elapsed() }
    }

    pub(crate) fn a_second(self) -> f64 {
        f64::from(self.count) / self.took.as_secs_f64()
    }
}

/// Believes whatever it is shown: to verify a signature costs a client more
/// than to make it costs the server, and the server is to be measured.
#[derive(Debug)]
struct Anyone;

impl ServerCertVerifier for Anyone {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.verify_tls13_signature(message, certificate, signature)
    }

    fn verify_tls13_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        aws_lc_rs::default_provider().signature_verification_algorithms.supported_schemes()
    }
}
