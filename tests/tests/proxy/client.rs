//! A client that says over TLS what it is told to, byte for byte.

use std::io::{self, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::path::Path;
use std::sync::Arc;

use filter_tests::deadline::PATIENCE;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::sign::{CertifiedKey, SingleCertAndKey};
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};
use socket2::{Domain, Socket, Type};

use crate::stage::{NAME, PORT, PROXY};

/// Who asks, and whom it trusts.
#[derive(Clone)]
pub(crate) struct Client {
    source: Ipv4Addr,
    config: Arc<ClientConfig>,
}

/// A connection past its handshake.
pub(crate) type Connection = StreamOwned<ClientConnection, TcpStream>;

/// An answer.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) head: String,
    pub(crate) body: Vec<u8>,
}

impl Client {
    pub(crate) fn new(source: Ipv4Addr, authority: &Path) -> Self {
        let mut roots = RootCertStore::empty();
        let authority = CertificateDer::from_pem_file(authority).expect("a certificate");
        roots.add(authority).expect("an authority");
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let config = ClientConfig::builder_with_provider(provider)
            .with_protocol_versions(&[&rustls::version::TLS13])
            .expect("TLS 1.3 is there")
            .with_root_certificates(roots)
            .with_no_client_auth();
        Self { source, config: Arc::new(config) }
    }

    /// The same with protocols to offer.
    pub(crate) fn offering(&self, protocols: &[&[u8]]) -> Self {
        let mut config = ClientConfig::clone(&self.config);
        config.alpn_protocols = protocols.iter().map(|protocol| protocol.to_vec()).collect();
        Self { source: self.source, config: Arc::new(config) }
    }

    /// The same with a certificate of its own, in PEM.
    pub(crate) fn showing(&self, certificate: &str, key: &str) -> Self {
        let mut config = ClientConfig::clone(&self.config);
        let chain = vec![CertificateDer::from_pem_slice(certificate.as_bytes()).expect("PEM")];
        let key = PrivateKeyDer::from_pem_slice(key.as_bytes()).expect("PEM");
        let certified = CertifiedKey::from_der(chain, key, config.crypto_provider());
        let certified = certified.expect("they belong together");
        config.client_auth_cert_resolver = Arc::new(SingleCertAndKey::from(certified));
        Self { source: self.source, config: Arc::new(config) }
    }

    /// A TCP connection alone.
    pub(crate) fn tcp(&self) -> io::Result<TcpStream> {
        let socket = Socket::new(Domain::IPV4, Type::STREAM, None)?;
        socket.bind(&SocketAddr::from((self.source, 0)).into())?;
        socket.connect_timeout(&SocketAddr::from((PROXY, PORT)).into(), PATIENCE)?;
        let stream = TcpStream::from(socket);
        stream.set_read_timeout(Some(PATIENCE))?;
        stream.set_write_timeout(Some(PATIENCE))?;
        stream.set_nodelay(true)?;
        Ok(stream)
    }

    /// TLS that has not begun.
    pub(crate) fn session(&self, name: &str) -> ClientConnection {
        let name = ServerName::try_from(name.to_owned()).expect("a name");
        ClientConnection::new(Arc::clone(&self.config), name).expect("a session")
    }

    /// A connection for a name.
    pub(crate) fn connect_to(&self, name: &str) -> io::Result<Connection> {
        self.finish(self.tcp()?, name)
    }

    /// TLS over a TCP connection.
    pub(crate) fn finish(&self, mut tcp: TcpStream, name: &str) -> io::Result<Connection> {
        let mut session = self.session(name);
        while session.is_handshaking() {
            session.complete_io(&mut tcp)?;
        }
        Ok(StreamOwned::new(session, tcp))
    }

    /// A connection for the app's name.
    pub(crate) fn connect(&self) -> io::Result<Connection> {
        self.connect_to(NAME)
    }

    /// One request on a connection of its own.
    pub(crate) fn ask(&self, request: &str) -> io::Result<Answer> {
        let mut connection = self.connect()?;
        connection.write_all(request.as_bytes())?;
        Answer::read(&mut connection)
    }

    /// A plain request for a path, with more fields.
    pub(crate) fn get(&self, path: &str, fields: &str) -> io::Result<Answer> {
        self.ask(&format!("GET {path} HTTP/1.1\r\nHost: {NAME}\r\n{fields}\r\n"))
    }
}

impl Answer {
    /// Reads one from a connection.
    pub(crate) fn read(connection: &mut impl Read) -> io::Result<Self> {
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            let mut byte = [0];
            connection.read_exact(&mut byte)?;
            head.push(byte[0]);
        }
        let head = String::from_utf8_lossy(&head).to_ascii_lowercase();
        let status = head.split(' ').nth(1).and_then(|code| code.parse().ok());
        let status = status.ok_or_else(|| io::Error::other(format!("no answer: {head}")))?;
        let length = head.lines().find_map(|line| line.strip_prefix("content-length:"));
        let length = length.map_or(0, |text| text.trim().parse().unwrap_or(0));
        let mut body = vec![0; length];
        connection.read_exact(&mut body)?;
        Ok(Self { status, head, body })
    }

    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }
}

/// Whether the other end has closed, within the patience of the socket.
pub(crate) fn is_closed(connection: &mut impl Read) -> bool {
    match connection.read(&mut [0; 1024]) {
        Ok(count) => count == 0,
        Err(error) => !matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut),
    }
}
