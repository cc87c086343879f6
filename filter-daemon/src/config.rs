//! filterd.toml: what the daemon needs to start, and nothing else.
//!
//! Owns the keys, their defaults and their limits. Groups, apps and entries
//! are never read from the file. The path from text to [`Config`] has three
//! stages: the text with the place of every value, the checked values, and
//! the built configuration; every fault of a file is reported at once.
//!
//! Invariants: an unknown key is refused, and a value that cannot be honoured
//! is refused, never narrowed. Checking looks at the text alone: no file,
//! interface or group is looked up.

mod check;
mod document;
mod fault;

use std::net::{IpAddr, SocketAddr};
use std::path::{Path, PathBuf};
use std::time::Duration;

pub use check::MOST_APPS;
pub use fault::{ConfigError, Fault};

use crate::access_list::Prefix;
use crate::datapath::AttachMode;
use crate::tls::PairFiles;

/// Everything that filterd.toml says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Config {
    /// What becomes of the filter when the daemon ends.
    pub on_exit: OnExit,
    /// Where the daemon keeps things.
    pub paths: Paths,
    /// The group whose members may use the control socket, besides root.
    pub control_group: Option<String>,
    /// The Admin API over TLS, and what holds for its logins.
    pub admin: Admin,
    /// The interfaces to filter on, in the order of the file.
    pub interfaces: Vec<InterfaceRule>,
    /// Sources that pass before any list.
    pub fail_safe: Vec<FailSafe>,
    /// Where the proxy listens; nowhere if empty.
    pub listeners: Vec<SocketAddr>,
    /// Addresses that the host's proxy tier sends from, for those who have to
    /// list them.
    pub outbound: Vec<Outbound>,
    /// How much of each thing there may be.
    pub limits: Limits,
}

/// What becomes of the filter when the daemon ends.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum OnExit {
    /// It stays as it is.
    #[default]
    Keep,
    /// It is taken off: traffic is open.
    Open,
}

/// Where the daemon keeps things.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Paths {
    /// Directory of the database and the lock.
    pub state: PathBuf,
    /// The control socket.
    pub control_socket: PathBuf,
    /// Directory of the pinned kernel objects, on a bpf file system.
    pub pins: PathBuf,
}

/// The Admin API over TLS, and what holds for its logins.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Admin {
    /// Where it listens; nowhere if empty.
    pub listen: Vec<SocketAddr>,
    /// The certificate that it shows, if not the daemon's own.
    pub certificate: Option<PairFiles>,
    /// How long an access token is good.
    pub access_token: Duration,
    /// How long a refresh token is good, and with it a login.
    pub refresh_token: Duration,
}

/// Which interfaces to filter on, and how.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InterfaceRule {
    /// A name, or a glob such as `eth*`.
    pub pattern: String,
    /// How to attach to it.
    pub mode: AttachMode,
}

impl InterfaceRule {
    /// Whether it is about interfaces of a name.
    pub fn names(&self, interface: &str) -> bool {
        glob_match::glob_match(&self.pattern, interface)
    }
}

/// A source that passes before any list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FailSafe {
    /// The source.
    pub prefix: Prefix,
    /// The only destination port, if not every one.
    pub port: Option<u16>,
}

/// Addresses that the host's proxy tier sends from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outbound {
    /// Whose they are, such as the name of a provider.
    pub label: String,
    /// The addresses, each once.
    pub addresses: Vec<IpAddr>,
}

/// How much of each thing there may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Entries of one app.
    pub entries: usize,
    /// Apps of the host.
    pub apps: usize,
    /// Connections to the control socket at one time.
    pub control_connections: usize,
    /// Connections to the Admin API's listeners at one time.
    pub admin_connections: usize,
    /// Entries of a family from which on an access list gets a table in front
    /// of its trie: quick, at a price in memory.
    pub accelerate_from: usize,
    /// Versions of an access list that are kept.
    pub versions: usize,
    /// Connections of clients to the proxy at one time.
    pub proxy_connections: usize,
}

impl Default for Paths {
    fn default() -> Self {
        Self {
            state: PathBuf::from("/var/lib/filterd"),
            control_socket: PathBuf::from("/run/filterd/control.sock"),
            pins: PathBuf::from("/sys/fs/bpf/filterd"),
        }
    }
}

impl Default for Admin {
    fn default() -> Self {
        Self {
            listen: Vec::new(),
            certificate: None,
            access_token: Duration::from_secs(30 * 60),
            refresh_token: Duration::from_secs(60 * 24 * 3600),
        }
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            entries: 1_000_000,
            apps: MOST_APPS,
            control_connections: 64,
            admin_connections: 256,
            accelerate_from: 1000,
            versions: 1000,
            proxy_connections: 65_536,
        }
    }
}

impl Config {
    /// Reads and checks a file.
    pub fn load(path: &Path) -> Result<Self, ConfigError> {
        let bytes = std::fs::read(path).map_err(|source| ConfigError::reading(path, source))?;
        let text = String::from_utf8(bytes).map_err(|fault| ConfigError::NotText {
            path: path.to_owned(),
            source: fault.utf8_error(),
        })?;
        Self::parse(&text).map_err(|faults| ConfigError::Faults { path: path.to_owned(), faults })
    }

    /// The paths and the control group of a file, whatever else is wrong with
    /// it; the usual ones if it cannot be read.
    pub fn paths_alone(path: &Path) -> (Paths, Option<String>) {
        let text = std::fs::read(path).unwrap_or_default();
        check::paths_alone(&String::from_utf8_lossy(&text))
    }

    /// Checks a text. Pure.
    pub fn parse(text: &str) -> Result<Self, Vec<Fault>> {
        check::check(text)
    }
}
