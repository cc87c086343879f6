//! The certificates that the proxy shows: those of files, looked after while an
//! app uses them, and for each app without one of the daemon's own authority.

use std::path::PathBuf;
use std::time::SystemTime;

use tokio_util::sync::CancellationToken;

use crate::app::Pair;
use crate::id::ObjectId;
use crate::tls::{Keeper, PairFiles, Served, Source};

/// Certificates by what they are for.
pub(super) struct Certificates {
    /// Where the daemon's own authority is.
    directory: PathBuf,
    kept: Vec<Kept>,
    shutdown: CancellationToken,
}

struct Kept {
    what: What,
    served: Served,
    /// Ends the looking after with the value.
    _guard: tokio_util::sync::DropGuard,
    is_used: bool,
}

/// What a certificate is for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum What {
    /// Whoever names these files.
    Files(Pair),
    /// An app, by these names.
    Own(ObjectId, Vec<String>),
}

impl What {
    fn app(&self) -> Option<ObjectId> {
        match self {
            Self::Files(_) => None,
            Self::Own(app, _) => Some(*app),
        }
    }
}

/// The file of an app's certificate; no app's shows the names of another.
fn file_of(app: ObjectId) -> String {
    format!("proxy-{app}.pem")
}

/// What the authority is called, if it is made now.
fn host_name() -> String {
    let name = nix::sys::utsname::uname().ok();
    let name = name.and_then(|name| name.nodename().to_str().map(str::to_owned));
    name.unwrap_or_else(|| "this host".to_owned())
}

impl Certificates {
    pub(super) fn new(directory: PathBuf, shutdown: CancellationToken) -> Self {
        Self { directory, kept: Vec::new(), shutdown }
    }

    /// A certificate, read or made now if it is new. Reads files.
    pub(super) fn served(&mut self, what: What) -> Served {
        if let Some(kept) = self.kept.iter_mut().find(|kept| kept.what == what) {
            kept.is_used = true;
            return kept.served.clone();
        }
        let keeper = Keeper::start(self.source(&what), SystemTime::now());
        let served = keeper.served();
        let ended = self.shutdown.child_token();
        tokio::spawn(keeper.run(ended.clone()));
        let _guard = ended.drop_guard();
        self.kept.push(Kept { what, served: served.clone(), _guard, is_used: true });
        served
    }

    /// Forgets those that were not asked for since the last call, and removes
    /// what was issued for apps that have none any more.
    pub(super) fn forget_unused(&mut self) {
        let unused = self.kept.extract_if(.., |kept| !std::mem::take(&mut kept.is_used));
        let gone: Vec<ObjectId> = unused.filter_map(|kept| kept.what.app()).collect();
        for app in gone {
            if self.kept.iter().all(|kept| kept.what.app() != Some(app)) {
                // One that is left behind is no more than that.
                let _ = std::fs::remove_file(self.directory.join(file_of(app)));
            }
        }
    }

    fn source(&self, what: &What) -> Source {
        match what {
            What::Files(Pair { certificate, key }) => {
                Source::Files(PairFiles { certificate: certificate.clone(), key: key.clone() })
            }
            What::Own(app, names) => {
                let names = names.clone();
                Source::Own {
                    directory: self.directory.clone(),
                    file: file_of(*app),
                    host: host_name(),
                    names: Box::new(move || names.clone()),
                }
            }
        }
    }
}
