//! Whom an app believes in TLS, and what it shows to upstreams: read from PEM
//! files, looked after while an app names them.
//!
//! Apps that name the same files share what was read.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use tokio::sync::{Notify, watch};
use tokio_util::sync::{CancellationToken, DropGuard};

use crate::app::{Pair, ProxySettings, Upstream};
use crate::tls::{Authorities, Content, Identity, PairFiles, Read, Reader};

/// What one side of an app goes by.
#[derive(Clone, Debug, Default)]
pub(super) struct Trust {
    /// Whose certificates are accepted.
    pub(super) authorities: Option<Arc<Authorities>>,
    /// What the other end is shown.
    pub(super) identity: Option<Arc<Identity>>,
}

/// The files of all apps.
pub(super) struct TrustFiles {
    authorities: Vec<Kept<Authorities>>,
    identities: Vec<Kept<Identity>>,
    news: Arc<Notify>,
    shutdown: CancellationToken,
}

struct Kept<T> {
    paths: Vec<PathBuf>,
    held: watch::Receiver<Content<T>>,
    /// Ends the looking after with the value.
    _guard: DropGuard,
    is_used: bool,
}

impl Trust {
    /// Whether it is the very same: files that were read once more and hold
    /// what they held leave it as it is.
    pub(super) fn is(&self, other: &Self) -> bool {
        is_same(self.authorities.as_ref(), other.authorities.as_ref())
            && is_same(self.identity.as_ref(), other.identity.as_ref())
    }
}

fn is_same<T>(one: Option<&Arc<T>>, other: Option<&Arc<T>>) -> bool {
    one.map(Arc::as_ptr) == other.map(Arc::as_ptr)
}

impl TrustFiles {
    pub(super) fn new(shutdown: CancellationToken) -> Self {
        let (authorities, identities) = (Vec::new(), Vec::new());
        Self { authorities, identities, news: Arc::default(), shutdown }
    }

    /// What clients have to show. Reads files that are new.
    pub(super) fn for_clients(&mut self, settings: &ProxySettings) -> Result<Trust, String> {
        let authorities = self.authorities_of(settings.client_ca.as_deref())?;
        Ok(Trust { authorities, identity: None })
    }

    /// What upstreams have to show, and are shown, where they speak TLS. Reads
    /// files that are new.
    pub(super) fn for_upstreams(&mut self, settings: &ProxySettings) -> Result<Trust, String> {
        if !settings.upstreams.iter().any(Upstream::is_tls) {
            return Ok(Trust::default());
        }
        let authorities = self.authorities_of(settings.upstream_ca.as_deref())?;
        let identity = self.identity_of(settings.upstream_certificate.as_ref())?;
        Ok(Trust { authorities, identity })
    }

    /// Comes back when one of the files holds something else.
    pub(super) async fn changed(&self) {
        self.news.notified().await;
    }

    /// Forgets those that were not asked for since the last call.
    pub(super) fn forget_unused(&mut self) {
        self.authorities.retain_mut(|kept| std::mem::take(&mut kept.is_used));
        self.identities.retain_mut(|kept| std::mem::take(&mut kept.is_used));
    }

    fn authorities_of(&mut self, path: Option<&Path>) -> Result<Option<Arc<Authorities>>, String> {
        let Some(path) = path.map(Path::to_owned) else { return Ok(None) };
        let paths = vec![path.clone()];
        let read = move || Authorities::read(&path).map_err(|error| error.to_string());
        held(&mut self.authorities, paths, Box::new(read), &self.news, &self.shutdown).map(Some)
    }

    fn identity_of(&mut self, pair: Option<&Pair>) -> Result<Option<Arc<Identity>>, String> {
        let Some(Pair { certificate, key }) = pair.cloned() else { return Ok(None) };
        let paths = vec![certificate.clone(), key.clone()];
        let files = PairFiles { certificate, key };
        let read = move || {
            let names = (files.certificate.display(), files.key.display());
            Identity::read(&files).map_err(|error| format!("{} and {}: {error}", names.0, names.1))
        };
        held(&mut self.identities, paths, Box::new(read), &self.news, &self.shutdown).map(Some)
    }
}

fn held<T: PartialEq + Send + Sync + 'static>(
    all: &mut Vec<Kept<T>>,
    paths: Vec<PathBuf>,
    read: Read<T>,
    news: &Arc<Notify>,
    shutdown: &CancellationToken,
) -> Content<T> {
    if let Some(kept) = all.iter_mut().find(|kept| kept.paths == paths) {
        kept.is_used = true;
        return kept.held.borrow().clone();
    }
    let reader = Reader::start(paths.clone(), read, Arc::clone(news));
    let held = reader.held();
    let content = held.borrow().clone();
    let ended = shutdown.child_token();
    tokio::spawn(reader.run(ended.clone()));
    all.push(Kept { paths, held, _guard: ended.drop_guard(), is_used: true });
    content
}
