//! The state that the store keeps and everything else follows. Pure.

use std::sync::Arc;

use imbl::OrdMap;

use crate::app::App;
use crate::caller::Credential;
use crate::id::ObjectId;
use crate::key::{AccessToken, Key, Session};

/// All groups, apps, keys and settings at one revision.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct State {
    /// Counts acknowledged changes.
    pub revision: u64,
    /// Groups by id.
    pub groups: OrdMap<ObjectId, Group>,
    /// Apps by id.
    pub apps: OrdMap<ObjectId, Arc<App>>,
    /// API keys by id.
    pub keys: OrdMap<ObjectId, Arc<Key>>,
    /// Who is logged in with them, by id.
    pub sessions: OrdMap<ObjectId, Arc<Session>>,
    /// What holds for the whole host.
    pub settings: Settings,
}

impl State {
    /// Whether an id is that of an API key, or of an entry of its access list.
    pub fn has_key_or_source(&self, id: ObjectId) -> bool {
        let has_source = |key: &Arc<Key>| key.sources.iter().any(|source| source.id == id);
        self.keys.contains_key(&id) || self.keys.values().any(has_source)
    }

    /// The key that a credential stands for at a Unix second, if it is good.
    pub fn key_of(&self, credential: &Credential, now: i64) -> Option<&Arc<Key>> {
        let session = self.sessions.get(&credential.session);
        let session = session.filter(|session| session.expires > now)?;
        let is_good =
            |access: &AccessToken| access.secret == credential.access && access.expires > now;
        session.access.iter().any(is_good).then(|| self.key_in_use(session.key)).flatten()
    }

    /// An API key, unless it is switched off.
    pub fn key_in_use(&self, id: ObjectId) -> Option<&Arc<Key>> {
        self.keys.get(&id).filter(|key| key.enabled)
    }
}

/// A project; owns apps.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Group {
    /// Its id on the wire.
    pub id: ObjectId,
    /// What people call it.
    pub name: String,
}

/// What holds for the whole host, whatever app a packet belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Settings {
    /// DHCP answers to this host's clients pass before any list.
    pub dhcp: bool,
    /// Frames that are not IP (and not ARP) pass.
    pub non_ip: bool,
}

impl Default for Settings {
    fn default() -> Self {
        Self { dhcp: true, non_ip: true }
    }
}
