//! Changes of API keys, of their access lists, and of who is logged in.

use std::sync::Arc;

use crate::access_list::Address;
use crate::id::ObjectId;
use crate::key::{AccessToken, Key, KeySource, SecretHash, Session};

/// Everything that changes keys and sessions.
#[derive(Clone, Debug)]
pub enum KeyCommand {
    /// Makes a key.
    Create {
        /// What it is.
        key: NewKey,
    },
    /// Switches a key on or off; off ends its sessions.
    Enable {
        /// Which one.
        key: ObjectId,
        /// On.
        enabled: bool,
    },
    /// Removes a key with its access list and its sessions.
    Delete {
        /// Which one.
        key: ObjectId,
    },
    /// Adds to the access list of a key.
    CreateSource {
        /// Which key.
        key: ObjectId,
        /// What it is.
        source: NewKeySource,
    },
    /// Takes an entry off the access list of a key.
    DeleteSource {
        /// Which key.
        key: ObjectId,
        /// Which entry.
        source: ObjectId,
    },
    /// Logs in with a key.
    LogIn {
        /// Which key.
        key: ObjectId,
        /// The hash of the refresh token.
        refresh: SecretHash,
        /// The first Unix second in which the session is over.
        expires: i64,
        /// The first access token.
        access: AccessToken,
    },
    /// Gives a session another access token.
    Refresh {
        /// Which session.
        session: ObjectId,
        /// The token.
        access: AccessToken,
    },
    /// Ends a session.
    LogOut {
        /// Which session.
        session: ObjectId,
    },
}

/// A key to be.
#[derive(Clone, Debug)]
pub struct NewKey {
    /// The public half.
    pub public: Arc<str>,
    /// The hash of the private half.
    pub secret: SecretHash,
    /// Free text, possibly empty.
    pub description: String,
    /// Its access list.
    pub sources: Vec<NewKeySource>,
}

/// An entry of a key's access list to be.
#[derive(Clone, Debug)]
pub struct NewKeySource {
    /// The address as typed.
    pub address: Address,
    /// Free text, possibly empty.
    pub comment: String,
}

/// What such a change did.
#[derive(Clone, Debug)]
pub enum KeyOutcome {
    /// The key as it is now.
    Key(Arc<Key>),
    /// The entry of a key's access list.
    Source(KeySource),
    /// The session as it is now.
    Session(Arc<Session>),
    /// What was named is gone.
    Deleted,
}

impl KeyCommand {
    /// What it is called in the audit log.
    pub fn action(&self) -> &'static str {
        match self {
            Self::Create { .. } => "key.create",
            Self::Enable { enabled: true, .. } => "key.enable",
            Self::Enable { enabled: false, .. } => "key.disable",
            Self::Delete { .. } => "key.delete",
            Self::CreateSource { .. } => "key.accesslist.create",
            Self::DeleteSource { .. } => "key.accesslist.delete",
            Self::LogIn { .. } => "session.create",
            Self::Refresh { .. } => "session.refresh",
            Self::LogOut { .. } => "session.delete",
        }
    }

    /// Whether the audit log tells of it. A session that goes on is no news.
    pub fn is_audited(&self) -> bool {
        match self {
            Self::Refresh { .. } => false,
            Self::Create { .. }
            | Self::Enable { .. }
            | Self::Delete { .. }
            | Self::CreateSource { .. }
            | Self::DeleteSource { .. }
            | Self::LogIn { .. }
            | Self::LogOut { .. } => true,
        }
    }
}

impl KeyOutcome {
    /// The key, if it is one.
    pub fn into_key(self) -> Option<Arc<Key>> {
        if let Self::Key(key) = self { Some(key) } else { None }
    }

    /// The entry of a key's access list, if it is one.
    pub fn into_source(self) -> Option<KeySource> {
        if let Self::Source(source) = self { Some(source) } else { None }
    }

    /// The session, if it is one.
    pub fn into_session(self) -> Option<Arc<Session>> {
        if let Self::Session(session) = self { Some(session) } else { None }
    }
}
