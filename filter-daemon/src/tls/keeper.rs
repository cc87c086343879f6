//! Keeps the certificate that is served good: reads a pair of files again when
//! they change, renews the daemon's own, and warns ahead of an end.
//!
//! A pair is taken over as a whole or not at all; the last good one stays.

use std::fmt;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use jiff::Timestamp;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use super::authority::{Authority, AuthorityError};
use super::expiry::Expiry;
use super::identity::{Identity, PairError, PairFiles};
use super::look;
use super::own;
use super::served::{Held, Served};
use super::watched::Watched;

/// The names and addresses that the daemon's own certificate is to have now.
pub type Names = Box<dyn Fn() -> Vec<String> + Send>;

/// Where a certificate comes from.
pub enum Source {
    /// A pair of files that somebody else renews.
    Files(PairFiles),
    /// The daemon's own authority.
    Own {
        /// Where the authority and the certificate are kept.
        directory: PathBuf,
        /// The name of the certificate's file there.
        file: String,
        /// What the authority is called; the host's name.
        host: String,
        /// What the certificate is for.
        names: Names,
    },
}

/// Watches over one certificate.
pub struct Keeper {
    source: Source,
    /// Our own authority, and what its certificate is for, once there is one.
    own: Option<(Authority, Vec<String>)>,
    /// The files, if it is of files.
    watched: Watched,
    expiry: Option<Expiry>,
    held: watch::Sender<Held>,
    /// What was read last, for as long as it is worse than what is held.
    waiting: Option<Identity>,
}

/// Why there is no newer certificate.
#[derive(Debug, thiserror::Error)]
enum Trouble {
    #[error(transparent)]
    Pair(#[from] PairError),
    #[error(transparent)]
    Authority(#[from] AuthorityError),
    #[error("the certificate is good from {begins} to {ends}, and not now")]
    OutOfTime { begins: Timestamp, ends: Timestamp },
}

impl Keeper {
    /// Takes a first look: what is held then is there before anybody connects.
    pub fn start(source: Source, now: SystemTime) -> Self {
        let (held, _) = watch::channel(Held::default());
        let watched = Watched::new(match &source {
            Source::Files(PairFiles { certificate, key }) => vec![certificate.clone(), key.clone()],
            Source::Own { .. } => Vec::new(),
        });
        let mut keeper = Self { source, own: None, watched, expiry: None, held, waiting: None };
        keeper.look(now);
        keeper
    }

    /// What is held, from now on.
    pub fn held(&self) -> watch::Receiver<Held> {
        self.held.subscribe()
    }

    /// What is held, for TLS.
    pub fn served(&self) -> Served {
        Served(self.held.subscribe())
    }

    /// Looks again and again, until the token is cancelled.
    pub async fn run(self, shutdown: CancellationToken) {
        let look = |keeper: &mut Self| keeper.look(SystemTime::now());
        look::again_and_again(self, look, shutdown).await;
    }

    /// Does what is due.
    pub(super) fn look(&mut self, now: SystemTime) {
        let outcome = match &self.source {
            Source::Files(files) => {
                let files = files.clone();
                self.look_at_files(&files).and_then(|new| self.better(new, now))
            }
            Source::Own { .. } => self.look_at_own(now),
        };
        match outcome {
            Ok(Some(identity)) => self.serve(identity),
            Ok(None) => {}
            Err(trouble) => self.complain(&trouble.to_string()),
        }
        self.warn_of_end(Timestamp::try_from(now).unwrap_or_default());
    }

    /// A new pair, if there is one and nobody is still writing it.
    fn look_at_files(&mut self, files: &PairFiles) -> Result<Option<Identity>, Trouble> {
        Ok(self.watched.read_if_due(|| Identity::read(files)).transpose()?)
    }

    /// The pair that was read last, unless the one that is held is good now and it
    /// is not.
    fn better(
        &mut self,
        new: Option<Identity>,
        now: SystemTime,
    ) -> Result<Option<Identity>, Trouble> {
        let now = Timestamp::try_from(now).unwrap_or_default();
        let is_good = |identity: &Identity| (identity.begins()..identity.ends()).contains(&now);
        self.waiting = new.or_else(|| self.waiting.take());
        let holds_good = self.held.borrow().identity.as_ref().is_some_and(is_good);
        match &self.waiting {
            Some(waiting) if holds_good && !is_good(waiting) => {
                Err(Trouble::OutOfTime { begins: waiting.begins(), ends: waiting.ends() })
            }
            _ => Ok(self.waiting.take()),
        }
    }

    /// A new certificate, if the one that is held does not do any more.
    fn look_at_own(&mut self, now: SystemTime) -> Result<Option<Identity>, Trouble> {
        let Source::Own { directory, file, host, names } = &self.source else { return Ok(None) };
        let wanted = names();
        if let (Some(identity), Some((_, names))) = (&self.held.borrow().identity, &self.own)
            && *names == wanted
            && own::is_good(identity, now)
        {
            return Ok(None);
        }
        let authority = match self.own.take() {
            Some((authority, _)) => authority,
            None => Authority::open(directory, host)?,
        };
        let path = authority.path().to_owned();
        self.held.send_if_modified(|held| held.authority.replace(path.clone()) != Some(path));
        let identity = own::identity(&directory.join(file), &authority, &wanted, now);
        self.own = Some((authority, wanted));
        Ok(Some(identity?))
    }

    fn serve(&mut self, identity: Identity) {
        let is_new = self.held.send_if_modified(|held| {
            let same = held.identity.as_ref().is_some_and(|old| old.leaf() == identity.leaf());
            let changed = !same || held.trouble.is_some();
            held.trouble = None;
            held.identity = Some(identity.clone());
            changed
        });
        if is_new {
            tracing::info!(ends = %identity.ends(), certificate = %self, "this certificate is served");
            self.expiry = Some(Expiry::new(identity.ends()));
        }
    }

    fn complain(&self, trouble: &str) {
        let held = self.held.borrow().identity.is_some();
        let is_news = self.held.send_if_modified(|held| {
            held.trouble.replace(trouble.to_owned()).as_deref() != Some(trouble)
        });
        match (is_news, held) {
            (true, true) => {
                tracing::warn!(certificate = %self, "{trouble}; the last good certificate stays");
            }
            (true, false) => {
                tracing::warn!(certificate = %self, "{trouble}; no client is served until this is mended");
            }
            (false, _) => {}
        }
    }

    fn warn_of_end(&mut self, now: Timestamp) {
        let warning = self.expiry.as_mut().and_then(|expiry| expiry.warning(now));
        if let Some(warning) = warning {
            tracing::warn!(certificate = %self, "the certificate {warning}");
        }
    }

    fn file(&self) -> &Path {
        match &self.source {
            Source::Files(files) => &files.certificate,
            Source::Own { directory, .. } => directory,
        }
    }
}

impl fmt::Display for Keeper {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.file().display().fmt(f)
    }
}

impl fmt::Debug for Keeper {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Keeper").field("file", &self.file()).finish_non_exhaustive()
    }
}
