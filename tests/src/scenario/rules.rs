//! What a scenario tells the filter.

use filter_common::verdict::Mode;

use crate::world::{LISTED, Place};

/// Apps and what holds for the whole host.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rules {
    /// The apps; the first one has index 1.
    pub apps: Vec<AppRules>,
    /// Sources of the daemon's file, with a port or without.
    pub fail_safe: Vec<(String, Option<u16>)>,
    /// DHCP answers pass.
    pub dhcp: bool,
    /// What is not IP passes.
    pub non_ip: bool,
}

/// One app.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AppRules {
    /// Its mode; none means the scenario is run in every mode.
    pub mode: Option<Mode>,
    /// Its scopes, as an operator types them.
    pub scopes: Vec<String>,
    /// Its list, as an operator types it.
    pub list: Vec<String>,
    /// Its trusted hops, as an operator types them.
    pub trusted_hops: Vec<String>,
}

impl Rules {
    /// One app over the whole host that lists the listed source.
    pub fn host_wide() -> Self {
        Self::scoped(&["host"])
    }

    /// One app with these scopes that lists the listed source.
    pub fn scoped(scopes: &[&str]) -> Self {
        Self::of(AppRules::new(scopes).listing(&[LISTED]))
    }

    /// One app.
    pub fn of(app: AppRules) -> Self {
        Self { apps: vec![app], fail_safe: Vec::new(), dhcp: true, non_ip: true }
    }

    /// And another app.
    pub fn and(mut self, app: AppRules) -> Self {
        self.apps.push(app);
        self
    }

    /// And a source of the daemon's file, in both families.
    pub fn fail_safe(mut self, place: Place, port: Option<u16>) -> Self {
        self.fail_safe.push((place.v4().to_string(), port));
        self.fail_safe.push((place.v6().to_string(), port));
        self
    }

    /// DHCP answers are judged like anything else.
    pub fn without_dhcp(mut self) -> Self {
        self.dhcp = false;
        self
    }

    /// What is not IP is refused.
    pub fn without_non_ip(mut self) -> Self {
        self.non_ip = false;
        self
    }
}

impl AppRules {
    /// An app with an empty list.
    pub fn new(scopes: &[&str]) -> Self {
        Self { scopes: scopes.iter().map(|&scope| scope.to_owned()).collect(), ..Self::default() }
    }

    /// With places on its list, in both families.
    pub fn listing(mut self, places: &[Place]) -> Self {
        for place in places {
            self.list.push(place.v4().to_string());
            self.list.push(place.v6().to_string());
        }
        self
    }

    /// With everybody on its list.
    pub fn open(mut self) -> Self {
        self.list = vec!["0.0.0.0/0".to_owned(), "::/0".to_owned()];
        self
    }

    /// With a trusted hop, in both families.
    pub fn trusting(mut self, place: Place) -> Self {
        self.trusted_hops.push(place.v4().to_string());
        self.trusted_hops.push(place.v6().to_string());
        self
    }

    /// With a mode of its own.
    pub fn mode(mut self, mode: Mode) -> Self {
        self.mode = Some(mode);
        self
    }
}
