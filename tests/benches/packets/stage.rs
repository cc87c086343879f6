//! A world with the installed filterd in it.

use std::path::PathBuf;

use filter_tests::daemon::{Configuration, Daemon, Installation};
use filter_tests::scenario::PORT;
use filter_tests::world::{HOST_INTERFACE, World};

/// The world and the installation on its host.
pub(crate) struct Stage {
    pub(crate) world: World,
    pub(crate) installation: Installation,
}

impl Stage {
    /// As it is shipped.
    pub(crate) fn new() -> Self {
        Self::with(Configuration::on(HOST_INTERFACE, "native"))
    }

    /// Tries and nothing in front of them.
    pub(crate) fn by_tries_alone() -> Self {
        Self::with(Configuration::on(HOST_INTERFACE, "native").by_tries_alone())
    }

    fn with(configuration: Configuration) -> Self {
        Self { world: World::new(), installation: Installation::new(configuration) }
    }

    pub(crate) fn start(&self) -> Daemon<'_> {
        self.installation.start(&self.world.host)
    }

    /// A pin of the running daemon's own set of maps.
    pub(crate) fn pin(&self, name: &str) -> PathBuf {
        let files = self.installation.pins().files();
        let found = files.into_iter().rfind(|file| file.ends_with(name));
        found.unwrap_or_else(|| panic!("filterd has pinned no {name}"))
    }
}

/// The scope of an app on the protected port.
pub(crate) fn protected_port() -> String {
    format!("port={PORT}")
}
