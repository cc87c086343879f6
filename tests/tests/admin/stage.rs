//! A world, a daemon in it that serves the Admin API, and keys to it.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Output;

use filter_tests::daemon::{Admin, Configuration, Daemon, Installation};
use filter_tests::deadline::wait_for;
use filter_tests::world::{Family, HOST, HOST_INTERFACE, Place, World};
use serde_json::Value;

/// The port of the Admin API.
pub(crate) const PORT: u16 = 8443;

/// Where it is tried whether a token is good.
pub(crate) const PROFILE: &str = "/api/admin/v3.0/auth/profile";
pub(crate) const SESSION: &str = "/api/admin/v3.0/auth/session";

/// The world and the installation on its host.
pub(crate) struct Stage {
    pub(crate) world: World,
    pub(crate) installation: Installation,
}

/// Both halves of an API key, and its id.
pub(crate) struct Key {
    pub(crate) public: String,
    pub(crate) private: String,
    pub(crate) id: String,
}

impl Stage {
    pub(crate) fn new() -> Self {
        Self::with(&[])
    }

    /// With more lines in `[admin]`.
    pub(crate) fn with(lines: &[&str]) -> Self {
        let configuration = Configuration {
            admin_listen: [Family::V4, Family::V6].map(|family| place(family).to_string()).into(),
            admin_lines: lines.iter().map(|line| (*line).to_owned()).collect(),
            ..Configuration::on(HOST_INTERFACE, "native")
        };
        Self { world: World::new(), installation: Installation::new(configuration) }
    }

    /// Starts the daemon, and waits until the Admin API listens.
    pub(crate) fn start(&self) -> Daemon<'_> {
        let daemon = self.installation.start(&self.world.host);
        wait_for("the Admin API", || {
            let listen = daemon.control().status()["admin"]["listen"].clone();
            let places = listen.as_array().expect("a list of places").clone();
            places.iter().all(|place| place["state"] == "listening").then_some(())
        });
        daemon
    }

    /// The Admin API as a place outside reaches it.
    pub(crate) fn admin(&self, from: Place, family: Family) -> Admin<'_> {
        self.admin_trusting(from, family, &self.authority())
    }

    /// The same with another certificate to trust.
    pub(crate) fn admin_trusting(&self, from: Place, family: Family, trusted: &Path) -> Admin<'_> {
        Admin::new(&self.world.outside, from.address(family), place(family), trusted)
    }

    /// The Admin API as the host itself reaches it, in a namespace of its own.
    pub(crate) fn admin_at_home(&self, family: Family) -> Admin<'_> {
        Admin::new(&self.world.host, HOST.address(family), place(family), &self.authority())
    }

    /// The certificate that clients have to trust.
    pub(crate) fn authority(&self) -> PathBuf {
        self.installation.path("state/ca.pem")
    }

    /// `filterctl --json` that must succeed; answers what it printed.
    pub(crate) fn filterctl(&self, arguments: &[&str]) -> Value {
        let output = self.try_filterctl(arguments);
        assert!(output.status.success(), "{arguments:?}: {output:?}");
        serde_json::from_slice(&output.stdout).expect("JSON")
    }

    pub(crate) fn try_filterctl(&self, arguments: &[&str]) -> Output {
        let arguments = [&["--json"], arguments].concat();
        self.installation.filterctl(&self.world.host, &arguments)
    }

    /// Makes a key that can be used from some addresses, or from anywhere.
    pub(crate) fn key(&self, sources: &[String]) -> Key {
        let mut arguments = vec!["key", "create", "--description", "for tests"];
        for source in sources {
            arguments.extend(["--ip", source]);
        }
        let made = self.filterctl(&arguments);
        let text = |name: &str| made[name].as_str().expect("text").to_owned();
        Key { public: text("public_key"), private: text("private_key"), id: text("_id") }
    }
}

fn place(family: Family) -> SocketAddr {
    SocketAddr::new(HOST.address(family), PORT)
}
