//! The namespace that everything runs in, and the files that all servers share.

use std::fs;
use std::net::{Ipv4Addr, TcpListener};
use std::path::PathBuf;

use anyhow::Result;
use filter_tests::namespace::Namespace;
use rcgen::{CertificateParams, KeyPair};
use tempfile::TempDir;

/// Where everybody is.
pub(crate) const HOST: Ipv4Addr = Ipv4Addr::LOCALHOST;

/// The port of the server that is measured.
pub(crate) const PORT: u16 = 8443;

/// The name that clients ask for.
pub(crate) const NAME: &str = "app.example.com";

/// The namespace, one certificate for all, and the upstream's port.
pub(crate) struct Stage {
    pub(crate) namespace: Namespace,
    pub(crate) upstream: TcpListener,
    directory: TempDir,
}

impl Stage {
    /// Takes the calling thread into a namespace of its own.
    pub(crate) fn new() -> Result<Self> {
        let namespace = Namespace::new();
        namespace.ip("link add veth0 type veth peer name veth1");
        namespace.ip("link set veth0 up");
        // Thousands of connections a second come from one address.
        namespace.sysctl("ipv4/ip_local_port_range", "10000 65000");
        namespace.sysctl("ipv4/tcp_tw_reuse", "1");
        namespace.sysctl("core/somaxconn", "4096");
        namespace.enter();
        let upstream = TcpListener::bind((HOST, 0))?;
        let stage = Self { namespace, upstream, directory: tempfile::tempdir()? };
        let key = KeyPair::generate()?;
        let certificate = CertificateParams::new([NAME.to_owned()])?.self_signed(&key)?;
        let (certificate, key) = (certificate.pem(), key.serialize_pem());
        fs::write(stage.certificate(), &certificate)?;
        fs::write(stage.key(), &key)?;
        fs::write(stage.pair(), format!("{certificate}{key}"))?;
        Ok(stage)
    }

    /// A path below a directory of the stage's own.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    pub(crate) fn certificate(&self) -> PathBuf {
        self.path("certificate.pem")
    }

    pub(crate) fn key(&self) -> PathBuf {
        self.path("key.pem")
    }

    /// Certificate and key in one file.
    pub(crate) fn pair(&self) -> PathBuf {
        self.path("pair.pem")
    }

    pub(crate) fn upstream_port(&self) -> Result<u16> {
        Ok(self.upstream.local_addr()?.port())
    }
}
