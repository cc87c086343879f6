//! Who may use the control socket.
//!
//! The modes of the socket and its directory say it first; this says it again
//! by what the kernel knows of the peer, in case somebody changes a mode.

use std::ffi::CString;
use std::sync::Arc;

use nix::unistd::{Gid, Group, Uid, User, geteuid, getgrouplist};
use tokio::net::unix::UCred;
use tokio::task::spawn_blocking;

/// A group whose members are administrators.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Admins {
    pub(super) name: String,
    pub(super) gid: Gid,
}

impl Admins {
    /// Finds a group by its name.
    pub(super) fn find(name: &str) -> nix::Result<Option<Self>> {
        let group = Group::from_name(name)?;
        Ok(group.map(|group| Self { name: name.to_owned(), gid: group.gid }))
    }

    /// Whether a user is a member, by the process's own group or by the
    /// user's.
    fn include(&self, peer: &UCred) -> bool {
        self.gid.as_raw() == peer.gid() || self.list(Uid::from_raw(peer.uid()))
    }

    fn list(&self, user: Uid) -> bool {
        let Ok(Some(user)) = User::from_uid(user) else { return false };
        let Ok(name) = CString::new(user.name) else { return false };
        getgrouplist(&name, user.gid).is_ok_and(|groups| groups.contains(&self.gid))
    }
}

/// Whether a peer is an administrator.
pub(super) async fn is_admin(peer: UCred, admins: Option<&Admins>) -> bool {
    if peer.uid() == 0 || peer.uid() == geteuid().as_raw() {
        return true;
    }
    let Some(admins) = admins.cloned() else { return false };
    // Reads the user database, which may be a slow file.
    spawn_blocking(move || admins.include(&peer)).await.unwrap_or(false)
}

/// What a user of this host is called.
pub(super) async fn name(uid: u32) -> Arc<str> {
    if uid == 0 {
        return "root".into();
    }
    // Reads the user database, which may be a slow file.
    let user = spawn_blocking(move || User::from_uid(Uid::from_raw(uid))).await;
    match user {
        Ok(Ok(Some(user))) => user.name.into(),
        Ok(Ok(None) | Err(_)) | Err(_) => format!("user {uid}").into(),
    }
}
