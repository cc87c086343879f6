//! An upstream that speaks TLS, with a certificate that a test may replace. It
//! answers every request with the name of what it was when the connection
//! began.

use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::WebPkiClientVerifier;
use rustls::{RootCertStore, ServerConfig, ServerConnection, StreamOwned};

use crate::certificates::{Authority, issue_for};

/// It runs until the process ends.
pub(crate) struct TlsUpstream {
    pub(crate) port: u16,
    now: Arc<Mutex<Arc<Persona>>>,
}

/// What it is for the time being.
struct Persona {
    name: &'static str,
    config: Arc<ServerConfig>,
}

impl Persona {
    /// Of one authority, and asking for certificates of the same.
    fn new(name: &'static str, authority: &Authority) -> Arc<Self> {
        let (certificate, key) = issue_for(authority, "127.0.0.1");
        let chain = vec![CertificateDer::from_pem_slice(certificate.as_bytes()).expect("PEM")];
        let key = PrivateKeyDer::from_pem_slice(key.as_bytes()).expect("PEM");
        let mut roots = RootCertStore::empty();
        roots.add(authority.der().clone()).expect("an authority");
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let verifier =
            WebPkiClientVerifier::builder_with_provider(Arc::new(roots), Arc::clone(&provider));
        let config = ServerConfig::builder_with_provider(provider)
            .with_protocol_versions(&[&rustls::version::TLS13])
            .expect("TLS 1.3 is there")
            .with_client_cert_verifier(verifier.build().expect("there is an authority"))
            .with_single_cert(chain, key)
            .expect("they belong together");
        Arc::new(Self { name, config: Arc::new(config) })
    }
}

impl TlsUpstream {
    /// Starts in the namespace of the thread.
    pub(crate) fn start(name: &'static str, authority: &Authority) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port");
        let port = listener.local_addr().expect("bound").port();
        let now = Arc::new(Mutex::new(Persona::new(name, authority)));
        let persona = Arc::clone(&now);
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let persona = Arc::clone(&persona.lock().expect("not poisoned"));
                std::thread::spawn(move || serve(stream, &persona));
            }
        });
        Self { port, now }
    }

    /// From the next connection on it is another.
    pub(crate) fn become_another(&self, name: &'static str, authority: &Authority) {
        *self.now.lock().expect("not poisoned") = Persona::new(name, authority);
    }
}

/// Until the other end has had enough, or is not trusted.
fn serve(stream: TcpStream, persona: &Persona) {
    let session = ServerConnection::new(Arc::clone(&persona.config)).expect("a session");
    let mut stream = StreamOwned::new(session, stream);
    let mut head = Vec::new();
    let mut bytes = [0; 1024];
    while let Ok(count @ 1..) = stream.read(&mut bytes) {
        head.extend_from_slice(&bytes[..count]);
        if head.ends_with(b"\r\n\r\n") {
            head.clear();
            let start =
                format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n", persona.name.len());
            if write!(stream, "{start}{}", persona.name).is_err() {
                return;
            }
        }
    }
}
