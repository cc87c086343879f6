//! The control socket: made so that nobody else can ever connect, served so
//! that no client can keep the administrator out.

mod connection;
mod place;

use std::io;
use std::path::PathBuf;
use std::sync::Arc;

use axum::{Extension, Router};
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::Semaphore;
use tokio::task::{JoinError, JoinSet};
use tokio_util::sync::CancellationToken;

pub(crate) use place::SOCKET_SUFFIX;

use super::fault::Fault;
use super::limits::{ACCEPT_PAUSE, GRACE};
use super::peer::{Admins, is_admin, name};
use super::router;
use crate::caller::{Caller, Source};
use crate::config::Config;
use crate::control::Control;

/// How many clients may wait for a refusal at a time; more are cut off
/// without one.
const REFUSALS: usize = 32;

/// A bound control socket, not served yet.
#[derive(Debug)]
pub struct ControlSocket {
    listener: UnixListener,
    place: place::Place,
    admins: Option<Admins>,
    connections: usize,
}

/// Why the control socket cannot be served.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// The group of filterd.toml does not exist.
    #[error(
        "control.group: there is no group {0:?}: make it with `groupadd --system {0}`, or take the key out of filterd.toml"
    )]
    UnknownGroup(String),
    /// The system's groups cannot be read.
    #[error("control.group: the system's groups cannot be read: {0}")]
    Groups(nix::Error),
    /// The group cannot be given to the socket.
    #[error("{}: cannot be given to group {group}: {source}: filterd must be a member of it (SupplementaryGroups={group} in its unit)", .path.display())]
    GiveToGroup {
        /// The socket or its directory.
        path: PathBuf,
        /// The group.
        group: String,
        /// Why.
        source: io::Error,
    },
    /// The directory is used by others too.
    #[error("{}: others may enter this directory, and it holds more than the control socket: name a directory of its own in paths.control_socket, or run `chmod {wanted:04o} {}`", .path.display(), .path.display())]
    SharedDirectory {
        /// The directory.
        path: PathBuf,
        /// The mode that it should have.
        wanted: u32,
    },
    /// What should be our directory is not.
    #[error("{}: must be a directory, not a link, and belong to the user that runs filterd", .0.display())]
    NotOurDirectory(PathBuf),
    /// Something that is no socket has the name.
    #[error("{}: exists and is not a socket: move it away, or name another place in paths.control_socket", .0.display())]
    NotASocket(PathBuf),
    /// Somebody answers there.
    #[error("{}: another process serves this socket: stop it, or name another place in paths.control_socket", .0.display())]
    InUse(PathBuf),
    /// The socket did not get the mode that it was made with.
    #[error("{}: has mode {mode:04o} instead of {wanted:04o}", .path.display())]
    WrongMode {
        /// The socket.
        path: PathBuf,
        /// What it got.
        mode: u32,
        /// What it should have.
        wanted: u32,
    },
    /// The system refuses.
    #[error("{}: {source}", .path.display())]
    File {
        /// The socket or its directory.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
}

/// Makes the directory and the socket that the configuration names. From then
/// on clients may connect, and wait.
pub fn bind(config: &Config) -> Result<ControlSocket, ServeError> {
    let admins = match &config.control_group {
        None => None,
        Some(name) => {
            let found = Admins::find(name).map_err(ServeError::Groups)?;
            Some(found.ok_or_else(|| ServeError::UnknownGroup(name.clone()))?)
        }
    };
    let (place, listener) = place::bind(&config.paths.control_socket, admins.as_ref())?;
    let of_file = |source| ServeError::File { path: config.paths.control_socket.clone(), source };
    Ok(ControlSocket {
        listener: UnixListener::from_std(listener).map_err(of_file)?,
        place,
        admins,
        connections: config.limits.control_connections,
    })
}

/// Serves until the token is cancelled, then lets open requests end and takes
/// the socket away.
pub async fn serve(socket: ControlSocket, control: Control, shutdown: CancellationToken) {
    let router = router(control).layer(Extension(shutdown.clone()));
    let gate = Arc::new(Gate {
        router,
        admins: socket.admins,
        free: Semaphore::new(socket.connections),
        refusals: Semaphore::new(REFUSALS),
        shutdown: shutdown.clone(),
    });
    let mut clients = JoinSet::new();
    loop {
        tokio::select! {
            biased;
            () = shutdown.cancelled() => break,
            Some(ended) = clients.join_next() => note_panic(ended),
            accepted = socket.listener.accept() => match accepted {
                Ok((stream, _)) => {
                    clients.spawn(Arc::clone(&gate).receive(stream));
                }
                Err(error) => {
                    tracing::warn!(%error, "the control socket cannot accept a client");
                    tokio::time::sleep(ACCEPT_PAUSE).await;
                }
            },
        }
    }
    socket.place.remove();
    drop(socket.listener);
    let all_left = async {
        while let Some(ended) = clients.join_next().await {
            note_panic(ended);
        }
    };
    if tokio::time::timeout(GRACE, all_left).await.is_err() {
        tracing::info!(left = clients.len(), "clients of the control socket are cut off");
        clients.shutdown().await;
    }
}

fn note_panic(ended: Result<(), JoinError>) {
    if let Err(error) = ended {
        tracing::error!(%error, "a connection to the control socket ended in a panic");
    }
}

/// What every client has to pass.
struct Gate {
    router: Router,
    admins: Option<Admins>,
    free: Semaphore,
    refusals: Semaphore,
    shutdown: CancellationToken,
}

impl Gate {
    /// Who may not come in is turned away before it takes a place.
    async fn receive(self: Arc<Self>, stream: UnixStream) {
        let peer = match stream.peer_cred() {
            Ok(peer) => peer,
            Err(error) => {
                return tracing::debug!(%error, "a client of the control socket left at once");
            }
        };
        let (uid, gid, pid) = (peer.uid(), peer.gid(), peer.pid());
        if !is_admin(peer, self.admins.as_ref()).await {
            tracing::warn!(uid, gid, pid, "refused at the control socket");
            let text = format!("user {uid} may not use the control socket");
            return self.refuse(stream, Fault::forbidden(text)).await;
        }
        let Ok(_place) = self.free.try_acquire() else {
            tracing::warn!(uid, pid, "no connection to the control socket is free");
            return self.refuse(stream, Fault::busy()).await;
        };
        tracing::debug!(uid, pid, "a client of the control socket");
        let caller = Caller::new(name(uid).await, Source::ControlSocket);
        connection::serve(stream, self.router.clone(), caller, &self.shutdown).await;
    }

    async fn refuse(&self, stream: UnixStream, fault: Fault) {
        if let Ok(_place) = self.refusals.try_acquire() {
            connection::refuse(stream, &fault).await;
        }
    }
}

#[cfg(test)]
mod tests;
