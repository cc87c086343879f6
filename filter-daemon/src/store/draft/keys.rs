//! API keys, their access lists, and sessions.

use std::sync::Arc;

use super::super::change::Row;
use super::super::error::StoreError;
use super::super::{MOST_ACCESS_TOKENS, MOST_KEY_SOURCES, MOST_KEYS, MOST_SESSIONS_A_KEY};
use super::Draft;
use super::refusals::refuse_long_comment;
use crate::command::{KeyCommand, KeyOutcome, NewKey, NewKeySource};
use crate::id::ObjectId;
use crate::key::{AccessToken, Key, KeySource, SecretHash, Session};

impl Draft<'_> {
    pub(super) fn change_keys(&mut self, command: KeyCommand) -> Result<KeyOutcome, StoreError> {
        match command {
            KeyCommand::Create { key } => self.create_key(key).map(KeyOutcome::Key),
            KeyCommand::Enable { key, enabled } => {
                self.enable_key(key, enabled).map(KeyOutcome::Key)
            }
            KeyCommand::Delete { key } => self.delete_key(key),
            KeyCommand::CreateSource { key, source } => {
                self.create_source(key, source).map(KeyOutcome::Source)
            }
            KeyCommand::DeleteSource { key, source } => self.delete_source(key, source),
            KeyCommand::LogIn { key, refresh, expires, access } => {
                self.log_in(key, refresh, expires, access).map(KeyOutcome::Session)
            }
            KeyCommand::Refresh { session, access } => {
                self.refresh(session, access).map(KeyOutcome::Session)
            }
            KeyCommand::LogOut { session } => self.log_out(session),
        }
    }

    fn create_key(&mut self, new: NewKey) -> Result<Arc<Key>, StoreError> {
        let keys = &self.circumstances.before.keys;
        refuse_too_many("API keys", keys.len() + 1, MOST_KEYS, "delete one that is not used")?;
        if keys.values().any(|key| key.public == new.public) {
            return Err(StoreError::PublicHalfTaken(new.public));
        }
        refuse_long_comment(&new.description)?;
        let mut key = Key {
            id: self.circumstances.fresh.id()?,
            public: new.public,
            secret: new.secret,
            description: new.description.into(),
            enabled: true,
            created: self.circumstances.fresh.now,
            created_by: Arc::clone(&self.circumstances.caller.who),
            sources: Vec::new(),
        };
        for source in new.sources {
            self.add_source(&mut key, source)?;
        }
        self.note(&key.public, || sources_text(&key.sources));
        Ok(self.put_key(None, key))
    }

    fn enable_key(&mut self, id: ObjectId, enabled: bool) -> Result<Arc<Key>, StoreError> {
        let old = self.key(id)?;
        if old.enabled == enabled {
            return Ok(old);
        }
        self.note(&old.public, String::new);
        if !enabled {
            self.end_sessions(id);
        }
        let new = Key { enabled, ..Key::clone(&old) };
        Ok(self.put_key(Some(old), new))
    }

    fn delete_key(&mut self, id: ObjectId) -> Result<KeyOutcome, StoreError> {
        let key = self.key(id)?;
        self.note(&key.public, || key.description.to_string());
        self.end_sessions(id);
        self.rows.push(Row::Key { old: Some(key), new: None });
        Ok(KeyOutcome::Deleted)
    }

    fn create_source(
        &mut self,
        key: ObjectId,
        source: NewKeySource,
    ) -> Result<KeySource, StoreError> {
        let old = self.key(key)?;
        let mut new = Key::clone(&old);
        let source = self.add_source(&mut new, source)?;
        self.note(&old.public, || source.address.text().to_owned());
        self.put_key(Some(old), new);
        Ok(source)
    }

    fn delete_source(&mut self, key: ObjectId, id: ObjectId) -> Result<KeyOutcome, StoreError> {
        let old = self.key(key)?;
        let place = old.sources.iter().position(|source| source.id == id);
        let place = place.ok_or(StoreError::KeySourceNotFound(id))?;
        let mut new = Key::clone(&old);
        let gone = new.sources.remove(place);
        self.note(&old.public, || gone.address.text().to_owned());
        self.put_key(Some(old), new);
        Ok(KeyOutcome::Deleted)
    }

    /// Sessions that are over go with it, and the oldest of a key that has too
    /// many: a script that logs in every minute never logs out.
    fn log_in(
        &mut self,
        key: ObjectId,
        refresh: SecretHash,
        expires: i64,
        access: AccessToken,
    ) -> Result<Arc<Session>, StoreError> {
        let (key, now) = (self.key(key)?, self.circumstances.fresh.now);
        let sessions = self.circumstances.before.sessions.values();
        let (over, going): (Vec<_>, Vec<_>) = sessions.cloned().partition(|s| s.expires <= now);
        let of_key: Vec<_> = going.into_iter().filter(|session| session.key == key.id).collect();
        let too_many = (of_key.len() + 1).saturating_sub(MOST_SESSIONS_A_KEY);
        for gone in over.into_iter().chain(of_key.into_iter().take(too_many)) {
            self.rows.push(Row::Session { old: Some(gone), new: None });
        }
        let session = Arc::new(Session {
            id: self.circumstances.fresh.id()?,
            key: key.id,
            refresh,
            issued: now,
            expires,
            from: self.circumstances.caller.from.to_string().into(),
            access: vec![access],
        });
        self.note(&key.public, || format!("session {}", session.id));
        self.rows.push(Row::Session { old: None, new: Some(Arc::clone(&session)) });
        Ok(session)
    }

    fn refresh(&mut self, id: ObjectId, access: AccessToken) -> Result<Arc<Session>, StoreError> {
        let (old, now) = (self.session(id)?, self.circumstances.fresh.now);
        if old.expires <= now {
            return Err(StoreError::SessionNotFound(id));
        }
        let mut new = Session::clone(&old);
        new.access.retain(|token| token.expires > now);
        let too_many = (new.access.len() + 1).saturating_sub(MOST_ACCESS_TOKENS);
        new.access.drain(..too_many);
        new.access.push(access);
        let new = Arc::new(new);
        self.rows.push(Row::Session { old: Some(old), new: Some(Arc::clone(&new)) });
        Ok(new)
    }

    fn log_out(&mut self, id: ObjectId) -> Result<KeyOutcome, StoreError> {
        let session = self.session(id)?;
        let key = self.key(session.key)?;
        self.note(&key.public, || format!("session {id}"));
        self.rows.push(Row::Session { old: Some(session), new: None });
        Ok(KeyOutcome::Deleted)
    }

    fn add_source(&mut self, key: &mut Key, new: NewKeySource) -> Result<KeySource, StoreError> {
        let NewKeySource { address, comment } = new;
        refuse_too_many(
            "entries of an API key",
            key.sources.len() + 1,
            MOST_KEY_SOURCES,
            "join addresses to a CIDR",
        )?;
        refuse_long_comment(&comment)?;
        let same = key.sources.iter().find(|s| s.address.prefix() == address.prefix());
        if let Some(same) = same {
            let listed = same.address.text().to_owned();
            return Err(StoreError::KeySourceListed { address: address.text().to_owned(), listed });
        }
        let id = self.circumstances.fresh.id()?;
        let created = self.circumstances.fresh.now;
        let source = KeySource { id, address, comment: comment.into(), created };
        key.sources.push(source.clone());
        Ok(source)
    }

    fn end_sessions(&mut self, key: ObjectId) {
        let sessions = self.circumstances.before.sessions.values();
        for session in sessions.filter(|session| session.key == key) {
            self.rows.push(Row::Session { old: Some(Arc::clone(session)), new: None });
        }
    }

    fn put_key(&mut self, old: Option<Arc<Key>>, new: Key) -> Arc<Key> {
        let new = Arc::new(new);
        self.rows.push(Row::Key { old, new: Some(Arc::clone(&new)) });
        new
    }

    fn key(&self, id: ObjectId) -> Result<Arc<Key>, StoreError> {
        self.circumstances.before.keys.get(&id).cloned().ok_or(StoreError::KeyNotFound(id))
    }

    fn session(&self, id: ObjectId) -> Result<Arc<Session>, StoreError> {
        let found = self.circumstances.before.sessions.get(&id).cloned();
        found.ok_or(StoreError::SessionNotFound(id))
    }
}

fn refuse_too_many(
    what: &'static str,
    count: usize,
    limit: usize,
    remedy: &'static str,
) -> Result<(), StoreError> {
    if count <= limit {
        return Ok(());
    }
    Err(StoreError::LimitExceeded { what, count, limit, remedy })
}

fn sources_text(sources: &[KeySource]) -> String {
    let texts: Vec<_> = sources.iter().map(|source| source.address.text()).collect();
    if texts.is_empty() { "from anywhere".to_owned() } else { format!("from {}", texts.join(" ")) }
}
