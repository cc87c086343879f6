//! The socket's directory and file: right before anybody can reach them.

use std::fs::{self, DirBuilder, Permissions};
use std::io;
use std::os::fd::AsRawFd as _;
use std::os::unix::fs::{
    DirBuilderExt as _, FileTypeExt as _, MetadataExt as _, PermissionsExt as _,
};
use std::os::unix::net::UnixListener;
use std::path::{Path, PathBuf};

use nix::errno::Errno;
use nix::sys::socket::{
    AddressFamily, Backlog, SockFlag, SockType, UnixAddr, bind as bind_socket, connect, listen,
    socket,
};
use nix::sys::stat::{Mode, fchmod};
use nix::unistd::{Gid, geteuid};

use super::ServeError;
use crate::api::peer::Admins;

/// What the socket is called until everything about it is right.
pub(crate) const SOCKET_SUFFIX: &str = ".new";

const BACKLOG: i32 = 128;

/// Where a socket is, and which one it is.
#[derive(Debug)]
pub(super) struct Place {
    path: PathBuf,
    device: u64,
    inode: u64,
}

/// Who may reach the socket: root alone, or a group too.
struct Access<'a> {
    directory_mode: u32,
    socket_mode: u32,
    admins: Option<&'a Admins>,
}

impl Place {
    /// Takes the socket away, unless another daemon has put its own there.
    pub(super) fn remove(&self) {
        let ours = fs::symlink_metadata(&self.path)
            .is_ok_and(|found| found.dev() == self.device && found.ino() == self.inode);
        if ours && let Err(error) = fs::remove_file(&self.path) {
            tracing::warn!(%error, socket = %self.path.display(), "the control socket cannot be removed");
        }
    }
}

/// Binds and listens.
pub(super) fn bind(
    path: &Path,
    admins: Option<&Admins>,
) -> Result<(Place, UnixListener), ServeError> {
    let access = match admins {
        None => Access { directory_mode: 0o700, socket_mode: 0o600, admins },
        Some(_) => Access { directory_mode: 0o750, socket_mode: 0o660, admins },
    };
    let mut new = path.as_os_str().to_owned();
    new.push(SOCKET_SUFFIX);
    let new = PathBuf::from(new);
    prepare_directory(path, &new, &access)?;
    refuse_living(path)?;
    refuse_living(&new)?;
    remove_dead(&new)?;
    let listener = listener(&new, &access)?;
    let of_file = |source| ServeError::File { path: path.to_owned(), source };
    let metadata = fs::symlink_metadata(&new).map_err(of_file)?;
    let mode = metadata.mode() & 0o7777;
    if mode != access.socket_mode {
        return Err(ServeError::WrongMode { path: new, mode, wanted: access.socket_mode });
    }
    // Takes the place of a dead daemon's socket in one step.
    fs::rename(&new, path).map_err(of_file)?;
    let place = Place { path: path.to_owned(), device: metadata.dev(), inode: metadata.ino() };
    Ok((place, listener))
}

/// Makes the directory, or makes sure of it. Its mode is changed only when it
/// holds nothing but our socket: it could be /run.
fn prepare_directory(path: &Path, new: &Path, access: &Access<'_>) -> Result<(), ServeError> {
    let directory = path.parent().unwrap_or(Path::new("/"));
    let of_file = |source| ServeError::File { path: directory.to_owned(), source };
    if let Some(above) = directory.parent() {
        fs::create_dir_all(above).map_err(of_file)?;
    }
    match DirBuilder::new().mode(0o700).create(directory) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(of_file(error)),
        Ok(()) | Err(_) => {}
    }
    let metadata = fs::symlink_metadata(directory).map_err(of_file)?;
    if !metadata.is_dir() || metadata.uid() != geteuid().as_raw() {
        return Err(ServeError::NotOurDirectory(directory.to_owned()));
    }
    let wanted = access.directory_mode;
    let right_group = access.admins.is_none_or(|admins| metadata.gid() == admins.gid.as_raw());
    if metadata.mode() & 0o7777 == wanted && right_group {
        return Ok(());
    }
    for entry in fs::read_dir(directory).map_err(of_file)? {
        let entry = entry.map_err(of_file)?.path();
        if entry != path && entry != new {
            return Err(ServeError::SharedDirectory { path: directory.to_owned(), wanted });
        }
    }
    give_to_group(directory, access)?;
    fs::set_permissions(directory, Permissions::from_mode(wanted)).map_err(of_file)
}

/// Refuses a path where somebody answers, or where something else is.
fn refuse_living(path: &Path) -> Result<(), ServeError> {
    let of_file = |source| ServeError::File { path: path.to_owned(), source };
    match fs::symlink_metadata(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(of_file(error)),
        Ok(found) if !found.file_type().is_socket() => {
            return Err(ServeError::NotASocket(path.to_owned()));
        }
        Ok(_) => {}
    }
    let flags = SockFlag::SOCK_CLOEXEC | SockFlag::SOCK_NONBLOCK;
    let probe = socket(AddressFamily::Unix, SockType::Stream, flags, None)
        .map_err(|errno| of_file(errno.into()))?;
    let address = UnixAddr::new(path).map_err(|errno| of_file(errno.into()))?;
    match connect(probe.as_raw_fd(), &address) {
        Err(Errno::ECONNREFUSED | Errno::ENOENT) => Ok(()),
        // A full queue is somebody too.
        Ok(()) | Err(Errno::EAGAIN) => Err(ServeError::InUse(path.to_owned())),
        Err(errno) => Err(of_file(errno.into())),
    }
}

fn remove_dead(path: &Path) -> Result<(), ServeError> {
    match fs::remove_file(path) {
        Err(source) if source.kind() != io::ErrorKind::NotFound => {
            Err(ServeError::File { path: path.to_owned(), source })
        }
        Ok(()) | Err(_) => Ok(()),
    }
}

/// The mode goes to the socket itself before it has a name: Linux makes the
/// file with it, so that there is no moment with another one.
fn listener(path: &Path, access: &Access<'_>) -> Result<UnixListener, ServeError> {
    let of_file = |errno: Errno| ServeError::File { path: path.to_owned(), source: errno.into() };
    let flags = SockFlag::SOCK_CLOEXEC | SockFlag::SOCK_NONBLOCK;
    let descriptor = socket(AddressFamily::Unix, SockType::Stream, flags, None).map_err(of_file)?;
    fchmod(&descriptor, Mode::from_bits_truncate(access.socket_mode)).map_err(of_file)?;
    let address = UnixAddr::new(path).map_err(of_file)?;
    bind_socket(descriptor.as_raw_fd(), &address).map_err(of_file)?;
    give_to_group(path, access)?;
    // A strict umask took bits away; now that the group is right, they may come.
    let mode = Permissions::from_mode(access.socket_mode);
    fs::set_permissions(path, mode)
        .map_err(|source| ServeError::File { path: path.to_owned(), source })?;
    listen(&descriptor, Backlog::new(BACKLOG).map_err(of_file)?).map_err(of_file)?;
    Ok(UnixListener::from(descriptor))
}

fn give_to_group(path: &Path, access: &Access<'_>) -> Result<(), ServeError> {
    let Some(Admins { name, gid }) = access.admins else { return Ok(()) };
    std::os::unix::fs::lchown(path, None, Some(Gid::as_raw(*gid))).map_err(|source| {
        ServeError::GiveToGroup { path: path.to_owned(), group: name.clone(), source }
    })
}
