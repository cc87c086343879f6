//! The demo's network: a server with two wires, and a client at each.
//!
//! ```text
//!   listed .10 ──── .2 eth0 server eth1 .2 ──── .10 unlisted, and the way
//!           10.88.1.0/24             10.88.2.0/24       to everybody else
//! ```
//!
//! The addresses of the App Services list and their neighbours live behind
//! the second wire too: it is the address that counts, not the wire.

use std::fmt::Write as _;
use std::fs;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};

use super::namespace::Namespace;

/// The client that the host's list names.
pub(super) const LISTED: Client = Client(1);
/// The client that no list names.
pub(super) const UNLISTED: Client = Client(2);

/// A client, by the number of its wire.
#[derive(Clone, Copy, Debug)]
pub(super) struct Client(u8);

/// The three namespaces, and the addresses behind the second wire.
#[derive(Debug)]
pub(super) struct Network {
    /// Where filterd runs.
    pub(super) server: Namespace,
    /// The listed client.
    pub(super) listed: Namespace,
    /// Everybody else.
    pub(super) unlisted: Namespace,
    /// The addresses of the App Services list.
    pub(super) services: Vec<Ipv4Addr>,
    /// Addresses next to them that are not on it.
    pub(super) neighbours: Vec<Ipv4Addr>,
}

impl Client {
    /// Its own address.
    pub(super) fn address(self, v6: bool) -> IpAddr {
        self.place(v6, 10)
    }

    /// The server's address on its wire.
    pub(super) fn server(self, v6: bool) -> IpAddr {
        self.place(v6, 2)
    }

    fn place(self, v6: bool, host: u8) -> IpAddr {
        match v6 {
            false => Ipv4Addr::new(10, 88, self.0, host).into(),
            true => Ipv6Addr::new(0xfd88, self.0.into(), 0, 0, 0, 0, 0, host.into()).into(),
        }
    }
}

impl Network {
    /// Makes it.
    pub(super) fn new(installed: &Path) -> Result<Self> {
        let services = read_list(&example_list(installed))?;
        let neighbours = services
            .iter()
            .map(|address| Ipv4Addr::from(u32::from(*address) ^ 1))
            .filter(|neighbour| !services.contains(neighbour))
            .collect();
        let network = Self {
            server: Namespace::new()?,
            listed: Namespace::new()?,
            unlisted: Namespace::new()?,
            services,
            neighbours,
        };
        network.server.ip("link set lo up")?;
        network.connect(LISTED, &network.listed)?;
        network.connect(UNLISTED, &network.unlisted)?;
        let everybody = UNLISTED.address(false);
        network.server.ip(&format!("route add default via {everybody}"))?;
        let mut lines = String::new();
        for address in network.services.iter().chain(&network.neighbours) {
            writeln!(lines, "addr add {address}/32 dev lo")?;
        }
        network.unlisted.ip(&lines)?;
        Ok(network)
    }

    fn connect(&self, client: Client, namespace: &Namespace) -> Result<()> {
        let number = client.0 - 1;
        let peer = namespace.path();
        self.server.ip(&format!(
            "link add eth{number} type veth peer name eth0 netns {}\nlink set eth{number} up\n{}",
            peer.display(),
            addresses(client.server(false), client.server(true), &format!("eth{number}")),
        ))?;
        namespace.ip(&format!(
            "link set lo up\nlink set eth0 up\n{}",
            addresses(client.address(false), client.address(true), "eth0"),
        ))
    }
}

/// Where the example list is installed.
pub(super) fn example_list(installed: &Path) -> PathBuf {
    installed.join("usr/local/share/doc/filterd/examples/app-services.json")
}

fn addresses(v4: IpAddr, v6: IpAddr, interface: &str) -> String {
    format!("addr add {v4}/24 dev {interface}\naddr add {v6}/64 dev {interface} nodad\n")
}

fn read_list(path: &Path) -> Result<Vec<Ipv4Addr>> {
    let text =
        fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
    serde_json::from_str(&text).with_context(|| format!("{} is no list", path.display()))
}
