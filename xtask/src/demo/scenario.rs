//! What the demo shows: who calls whom, and who is meant to get through.

use std::net::IpAddr;
use std::path::Path;

use anyhow::Result;

use super::attempt::{Attempt, Protocol};
use super::namespace::Namespace;
use super::network::{self, Client, LISTED, Network, UNLISTED};
use super::service::{FEED_PORT, HOST_PORT};

/// A line of the report: one or more attempts of one kind.
#[derive(Debug)]
pub(super) struct Case<'n> {
    /// Who calls.
    pub(super) caller: &'static str,
    /// Whom.
    pub(super) callee: &'static str,
    /// Where the caller is.
    pub(super) namespace: &'n Namespace,
    /// What is tried.
    pub(super) attempts: Vec<Attempt>,
    /// Whether all of them are meant to get through, or none.
    pub(super) admitted: bool,
}

impl Case<'_> {
    /// Whether one of its attempts gets through.
    pub(super) fn succeeds(&self, attempt: &Attempt) -> Result<bool> {
        attempt.succeeds(self.namespace)
    }
}

const THE_HOST: &str = "server";
const THE_FEED: &str = "server, port 9000";

/// The `filterctl` lines that the expectations rest on.
pub(super) fn setting_up(installed: &Path) -> Vec<Vec<String>> {
    let list = network::example_list(installed).display().to_string();
    let [v4, v6] = [false, true].map(|v6| LISTED.address(v6).to_string());
    [
        vec!["app", "create", "host", "--scope", "host", "--allow", &v4],
        vec![
            "accesslist",
            "create",
            "--app",
            "host",
            "--ip",
            &v6,
            "--comment",
            "the listed client",
        ],
        vec!["app", "create", "feed", "--scope", &format!("port={FEED_PORT}"), "--empty"],
        vec!["accesslist", "import", "--app", "feed", &list],
        vec!["accesslist", "list", "--app", "host"],
    ]
    .map(|line| line.into_iter().map(str::to_owned).collect())
    .into()
}

/// Every line of the report, before anything was tried.
pub(super) fn cases(network: &Network) -> Vec<Case<'_>> {
    let mut cases = Vec::new();
    let protocols = [Protocol::Tcp, Protocol::Udp, Protocol::LargeUdp, Protocol::Ping];
    for (caller, namespace, client, admitted) in [
        ("listed client", &network.listed, LISTED, true),
        ("unlisted client", &network.unlisted, UNLISTED, false),
    ] {
        for (v6, protocol) in [false, true].into_iter().flat_map(|v6| protocols.map(|p| (v6, p))) {
            let attempts = vec![attempt(client, v6, HOST_PORT, protocol)];
            cases.push(Case { caller, callee: THE_HOST, namespace, attempts, admitted });
        }
    }
    for (v6, protocol) in
        [false, true].map(|v6| [(v6, Protocol::Tcp), (v6, Protocol::Udp)]).concat()
    {
        cases.push(reply(network, v6, protocol));
    }
    for protocol in [Protocol::Tcp, Protocol::Udp] {
        cases.push(Case {
            caller: "listed client",
            callee: THE_FEED,
            namespace: &network.listed,
            attempts: vec![attempt(LISTED, false, FEED_PORT, protocol)],
            admitted: false,
        });
        for (caller, sources, admitted) in [
            ("App Services addresses", &network.services, true),
            ("their neighbours", &network.neighbours, false),
        ] {
            let from = |source: &std::net::Ipv4Addr| Attempt {
                source: IpAddr::from(*source),
                ..attempt(UNLISTED, false, FEED_PORT, protocol)
            };
            let attempts = sources.iter().map(from).collect();
            let namespace = &network.unlisted;
            cases.push(Case { caller, callee: THE_FEED, namespace, attempts, admitted });
        }
    }
    cases
}

fn attempt(client: Client, v6: bool, port: u16, protocol: Protocol) -> Attempt {
    Attempt { source: client.address(v6), target: client.server(v6), port, protocol }
}

/// What the server began itself is answered, though the peer is on no list.
fn reply(network: &Network, v6: bool, protocol: Protocol) -> Case<'_> {
    let there = attempt(UNLISTED, v6, HOST_PORT, protocol);
    let back = Attempt { source: there.target, target: there.source, ..there };
    Case {
        caller: THE_HOST,
        callee: "unlisted client",
        namespace: &network.server,
        attempts: vec![back],
        admitted: true,
    }
}
