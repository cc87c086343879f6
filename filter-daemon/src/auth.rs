//! Who may use the Admin API over TLS: logging in with an API key, and being
//! known by a token afterwards.
//!
//! Owns the secrets while they are made, the checks, and the lock-out of
//! sources that guess. Keys and sessions themselves are in the store, by their
//! hashes. Knows no HTTP.
//!
//! Invariants: a secret is answered once and kept by nobody; every check is
//! made against the latest state, so that what is revoked is refused from the
//! next request on; whoever has a key that may be used from where he is, is an
//! administrator, and nobody else is.

mod first_key;
mod lockout;
mod secret;
mod token;

use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use jiff::Timestamp;
use tokio_util::sync::CancellationToken;

pub use first_key::{FILE as FIRST_KEY_FILE, FirstKeyError, make_first};
pub use secret::{NewSecret, public_half};

use crate::caller::{Caller, Credential, Source};
use crate::command::{Command, KeyCommand, KeyOutcome, Request, Terms};
use crate::config::Admin;
use crate::id::ObjectId;
use crate::key::{AccessToken, Admission, Key, SecretHash, Session};
use crate::state::State;
use crate::store::{Handle, StoreError};
use lockout::Lockout;
use token::{Kind, Token};

/// How often it is saved what keys were used for. A crash loses no more.
const SAVE_USES: Duration = Duration::from_secs(5);

/// Lets holders of keys in. Cheap to clone.
#[derive(Clone)]
pub struct Auth {
    store: Handle,
    access_token: Duration,
    refresh_token: Duration,
    lockout: Arc<Mutex<Lockout>>,
}

/// What a login gives.
#[derive(Debug)]
pub struct Tokens {
    /// For every call.
    pub access: String,
    /// For another access token.
    pub refresh: String,
    /// The key's id.
    pub key: ObjectId,
}

/// Why somebody is not let in.
#[derive(Debug, thiserror::Error)]
pub enum AuthError {
    /// There is no such key, or it is switched off, or the private half is
    /// another.
    #[error("You are not authorized for this resource.")]
    WrongKey,
    /// Too many logins failed.
    #[error("too many failed logins from {address}: try again in {} seconds", .wait.as_secs())]
    LockedOut {
        /// From where.
        address: IpAddr,
        /// How long it goes on.
        wait: Duration,
    },
    /// The key may not be used from there.
    #[error(
        "IP address {address} is not allowed to access this resource. It is not on the access list of the API key {public}."
    )]
    NotListed {
        /// From where.
        address: IpAddr,
        /// The public half of the key.
        public: Arc<str>,
    },
    /// No token, or one that is not good any more.
    #[error("invalid session")]
    NoSession,
    /// A refresh token where an access token should be.
    #[error("invalid session: valid Issuer required")]
    NotAnAccessToken,
    /// An access token where a refresh token should be.
    #[error("invalid refresh token: incorrect token type")]
    NotARefreshToken,
    /// A refresh token that is not good any more.
    #[error("invalid session: failed to find refresh token")]
    UnknownRefreshToken,
    /// The session cannot be kept.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Auth {
    /// Checks against a store.
    pub fn new(store: Handle, admin: &Admin) -> Self {
        let (access_token, refresh_token) = (admin.access_token, admin.refresh_token);
        Self { store, access_token, refresh_token, lockout: Arc::default() }
    }

    /// Logs somebody in who has both halves of a key.
    pub async fn log_in(
        &self,
        public: &str,
        private: &str,
        from: Source,
    ) -> Result<Tokens, AuthError> {
        self.refuse_locked_out(from)?;
        let state = self.store.state();
        let Some(key) = key_of(&state, public, private) else {
            self.note_failure(from, public);
            return Err(AuthError::WrongKey);
        };
        self.admit(&key, from)?;
        if let Some(address) = from.address() {
            self.lockout().succeeded(address);
        }
        let now = Timestamp::now().as_second();
        let (refresh, access) = (NewSecret::token(), NewSecret::token());
        let command = KeyCommand::LogIn {
            key: key.id,
            refresh: refresh.hash(),
            expires: now.saturating_add_unsigned(self.refresh_token.as_secs()),
            access: self.access_token(&access, now),
        };
        let outcome = self.execute(command, &key, from).await?;
        let session = outcome.into_session().ok_or(AuthError::NoSession)?.id;
        let text =
            |kind, secret: &NewSecret| Token { kind, session, secret: secret.text() }.to_string();
        Ok(Tokens {
            access: text(Kind::Access, &access),
            refresh: text(Kind::Refresh, &refresh),
            key: key.id,
        })
    }

    /// The key behind an access token, if it may be used from there; and what
    /// whoever carries the request out has to ask about again.
    pub fn identify(
        &self,
        text: Option<&str>,
        from: Source,
    ) -> Result<(Arc<Key>, Credential), AuthError> {
        let token = text.and_then(Token::parse).ok_or(AuthError::NoSession)?;
        if token.kind == Kind::Refresh {
            return Err(AuthError::NotAnAccessToken);
        }
        let access = SecretHash::of(token.secret);
        let credential = Credential { session: token.session, access };
        let state = self.store.state();
        let key = state.key_of(&credential, Timestamp::now().as_second());
        let key = key.ok_or(AuthError::NoSession)?;
        self.admit(key, from)?;
        Ok((Arc::clone(key), credential))
    }

    /// Comes back when a login is over, or its key may not be used from there any
    /// more.
    pub async fn revoked(&self, session: ObjectId, from: Source) {
        let mut state = self.store.watch();
        let is_refused = |state: &Arc<State>| {
            let session = state.sessions.get(&session);
            let key = session.and_then(|session| state.key_in_use(session.key));
            key.is_none_or(|key| key.refuses(from))
        };
        // A store that is gone admits nobody.
        let _ = state.wait_for(is_refused).await;
    }

    /// Another access token for a refresh token, which stays the same.
    pub async fn refresh(&self, text: Option<&str>, from: Source) -> Result<String, AuthError> {
        let (session, key) = self.session_of(text, from)?;
        let secret = NewSecret::token();
        let access = self.access_token(&secret, Timestamp::now().as_second());
        self.execute(KeyCommand::Refresh { session: session.id, access }, &key, from).await?;
        let token = Token { kind: Kind::Access, session: session.id, secret: secret.text() };
        Ok(token.to_string())
    }

    /// Ends the session of a refresh token.
    pub async fn log_out(&self, text: Option<&str>, from: Source) -> Result<(), AuthError> {
        let (session, key) = self.session_of(text, from)?;
        self.execute(KeyCommand::LogOut { session: session.id }, &key, from).await?;
        Ok(())
    }

    /// Saves now and then, and at the end, what keys were used for.
    pub async fn save_uses(self, shutdown: CancellationToken) {
        let pause = || tokio::time::sleep(SAVE_USES);
        loop {
            let goes_on = shutdown.run_until_cancelled(pause()).await.is_some();
            if let Err(error) = self.store.save_uses().await {
                tracing::warn!("it cannot be saved what API keys were used for: {error}");
            }
            if !goes_on {
                return;
            }
        }
    }

    fn session_of(
        &self,
        text: Option<&str>,
        from: Source,
    ) -> Result<(Arc<Session>, Arc<Key>), AuthError> {
        let text = text.ok_or(AuthError::NoSession)?;
        let token = Token::parse(text).ok_or(AuthError::UnknownRefreshToken)?;
        if token.kind == Kind::Access {
            return Err(AuthError::NotARefreshToken);
        }
        let (state, now) = (self.store.state(), Timestamp::now().as_second());
        let hash = SecretHash::of(token.secret);
        let session = state.sessions.get(&token.session);
        let session = session.filter(|session| session.refresh == hash && session.expires > now);
        let session = session.ok_or(AuthError::UnknownRefreshToken)?;
        let key = state.key_in_use(session.key).ok_or(AuthError::UnknownRefreshToken)?;
        self.admit(key, from)?;
        Ok((Arc::clone(session), Arc::clone(key)))
    }

    /// Checks the key's own access list, and counts who it lets in.
    fn admit(&self, key: &Key, from: Source) -> Result<(), AuthError> {
        let address = from.address();
        let now = Timestamp::now().as_second();
        match address.map(|address| (address, key.admits(address))) {
            Some((address, Admission::Refused)) => {
                tracing::info!(%address, key = %key.public, "not on the API key's access list");
                return Err(AuthError::NotListed { address, public: Arc::clone(&key.public) });
            }
            Some((_, Admission::Listed(source))) => self.store.note_use(source, now, address),
            // The control socket has no address, and its peer is root anyway.
            Some((_, Admission::Anywhere)) | None => {}
        }
        self.store.note_use(key.id, now, address);
        Ok(())
    }

    fn refuse_locked_out(&self, from: Source) -> Result<(), AuthError> {
        let Some(address) = from.address() else { return Ok(()) };
        match self.lockout().wait(address, Instant::now()) {
            Some(wait) => Err(AuthError::LockedOut { address, wait }),
            None => Ok(()),
        }
    }

    fn note_failure(&self, from: Source, public: &str) {
        tracing::info!(%from, key = public, "a login failed");
        let Some(address) = from.address() else { return };
        if let Some(wait) = self.lockout().failed(address, Instant::now()) {
            let seconds = wait.as_secs();
            tracing::warn!(%address, seconds, "too many failed logins: locked out");
        }
    }

    fn access_token(&self, secret: &NewSecret, now: i64) -> AccessToken {
        let expires = now.saturating_add_unsigned(self.access_token.as_secs());
        AccessToken { secret: secret.hash(), expires }
    }

    async fn execute(
        &self,
        command: KeyCommand,
        key: &Key,
        from: Source,
    ) -> Result<KeyOutcome, AuthError> {
        let caller = Caller::new(key.name(), from);
        let command = Command::Key(command);
        let done = self.store.execute(Request { command, caller, terms: Terms::default() }).await;
        // A key or a session that went meanwhile.
        let is_gone = |error: &StoreError| {
            matches!(error, StoreError::KeyNotFound(_) | StoreError::SessionNotFound(_))
        };
        let done = done.map_err(|error| match is_gone(&error) {
            true => AuthError::NoSession,
            false => AuthError::Store(error),
        })?;
        done.outcome.into_key().ok_or(AuthError::NoSession)
    }

    fn lockout(&self) -> MutexGuard<'_, Lockout> {
        self.lockout.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The key of two halves. The hash is made and compared also when the public
/// half is nobody's, so that the delay does not tell.
fn key_of(state: &State, public: &str, private: &str) -> Option<Arc<Key>> {
    let hash = SecretHash::of(private);
    let found = state.keys.values().find(|key| *key.public == *public);
    let expected = found.map_or(SecretHash::from_bytes([0; 32]), |key| key.secret);
    let fits = expected == hash;
    found.filter(|key| fits && key.enabled).cloned()
}

#[cfg(test)]
mod tests;
