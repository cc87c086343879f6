//! The SSH session that filterctl runs in, if it does.
//!
//! Reads the environment and /proc, and never guesses: what is found names
//! its source. `sudo` strips `SSH_CONNECTION`, so the ancestors are looked
//! at too: first their environments, up to the SSH server, then the TCP
//! connection that the SSH server itself holds.

mod connection;
mod process;
mod tcp_table;

use std::fmt;
use std::path::Path;

use crate::command::Session;
use process::Process;

/// A session, and how it was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Discovery {
    /// Both ends.
    pub(super) session: Session,
    /// How it was found.
    pub(super) source: Source,
}

/// How a session was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Source {
    /// Our own environment.
    Environment,
    /// The environment of an ancestor.
    Ancestor {
        /// Its name.
        name: String,
        /// Its id.
        pid: u32,
    },
    /// The TCP connection of an SSH server among the ancestors.
    Server {
        /// Its name.
        name: String,
        /// Its id.
        pid: u32,
    },
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Environment => f.write_str("SSH_CONNECTION"),
            Self::Ancestor { name, pid } => write!(f, "SSH_CONNECTION of {name}, process {pid}"),
            Self::Server { name, pid } => write!(f, "the TCP connection of {name}, process {pid}"),
        }
    }
}

/// Finds the session that this process belongs to.
pub(super) fn discover(proc: &Path) -> Option<Discovery> {
    let own = std::env::var(connection::VARIABLE).ok();
    match own.as_deref().and_then(connection::parse) {
        Some(session) => Some(Discovery { session, source: Source::Environment }),
        None => discover_above(proc, std::process::id()),
    }
}

fn discover_above(proc: &Path, pid: u32) -> Option<Discovery> {
    let ancestors = Process::ancestors(proc, pid);
    // What started the SSH server has nothing to do with its session, though
    // it may have been a session itself.
    let (shells, servers) = match ancestors.iter().position(Process::is_ssh_server) {
        Some(first) => ancestors.split_at(first),
        None => (ancestors.as_slice(), &[][..]),
    };
    let inherited = shells.iter().find_map(|process| {
        let session = connection::parse(&process.variable(connection::VARIABLE)?)?;
        let source = Source::Ancestor { name: process.name().to_owned(), pid: process.pid() };
        Some(Discovery { session, source })
    });
    inherited.or_else(|| {
        servers.iter().take_while(|process| process.is_ssh_server()).find_map(|process| {
            let session = process.oldest_tcp_connection()?;
            let source = Source::Server { name: process.name().to_owned(), pid: process.pid() };
            Some(Discovery { session, source })
        })
    })
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::symlink;

    use super::*;

    const TCP: &str = "\
  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 00000000:0016 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 100 1 0 100 0 0 10 0
   1: 0A02000A:0016 070071CB:D431 01 00000000:00000000 02:000AFD5E 00000000     0        0 200 4 0 20 4 30 10 -1
";

    fn process(proc: &Path, pid: u32, name: &str, parent: u32, environment: &str) {
        let folder = proc.join(pid.to_string());
        fs::create_dir_all(folder.join("fd")).expect("folder");
        fs::create_dir_all(folder.join("net")).expect("folder");
        fs::write(folder.join("stat"), format!("{pid} ({name}) S {parent} 1 1 0 -1"))
            .expect("stat");
        fs::write(folder.join("environ"), environment).expect("environ");
        fs::write(folder.join("net/tcp"), TCP).expect("tcp");
    }

    #[test]
    fn sudo_between_is_looked_through() {
        let proc = tempfile::tempdir().expect("folder");
        process(proc.path(), 9, "filterctl", 8, "PATH=/bin\0");
        process(proc.path(), 8, "sudo", 7, "A=b\0SSH_CONNECTION=2001:db8::7 5000 2001:db8::1 22\0");
        process(proc.path(), 7, "bash", 6, "");
        process(proc.path(), 6, "sshd-session", 1, "SSH_CONNECTION=192.0.2.66 1 192.0.2.1 22\0");
        let found = discover_above(proc.path(), 9).expect("a session");
        assert_eq!(found.session.peer.to_string(), "[2001:db8::7]:5000");
        assert_eq!(found.source, Source::Ancestor { name: "sudo".to_owned(), pid: 8 });
    }

    #[test]
    fn the_servers_own_connection_is_the_last_resort() {
        let proc = tempfile::tempdir().expect("folder");
        process(proc.path(), 9, "filterctl", 8, "");
        process(proc.path(), 8, "a) b (c", 7, "");
        process(proc.path(), 7, "sshd", 1, "SSH_CONNECTION=192.0.2.66 1 192.0.2.1 22\0");
        let fd = proc.path().join("7/fd");
        symlink("socket:[100]", fd.join("3")).expect("link");
        symlink("socket:[200]", fd.join("4")).expect("link");
        symlink("/dev/null", fd.join("0")).expect("link");
        let found = discover_above(proc.path(), 9).expect("a session");
        assert_eq!(found.session.peer.to_string(), "203.113.0.7:54321");
        assert_eq!(found.session.local.to_string(), "10.0.2.10:22");
        assert_eq!(found.source.to_string(), "the TCP connection of sshd, process 7");
    }

    #[test]
    fn a_console_login_is_no_session() {
        let proc = tempfile::tempdir().expect("folder");
        process(proc.path(), 9, "filterctl", 8, "");
        process(proc.path(), 8, "login", 1, "");
        process(proc.path(), 1, "systemd", 0, "");
        assert_eq!(discover_above(proc.path(), 9), None);
    }
}
