//! Processes as /proc shows them: names, parents, environments, sockets.

use std::fs;
use std::path::{Path, PathBuf};

use super::tcp_table;
use crate::command::Session;

/// More ancestors than any login has.
const MAX_ANCESTORS: usize = 64;

/// A running process.
#[derive(Debug)]
pub(super) struct Process {
    pid: u32,
    name: String,
    parent: u32,
    folder: PathBuf,
}

impl Process {
    /// The ancestors of a process, its parent first.
    pub(super) fn ancestors(proc: &Path, pid: u32) -> Vec<Self> {
        let parent = |process: &Self| Self::open(proc, process.parent);
        let first = Self::open(proc, pid).and_then(|process| parent(&process));
        std::iter::successors(first, parent).take(MAX_ANCESTORS).collect()
    }

    fn open(proc: &Path, pid: u32) -> Option<Self> {
        if pid == 0 {
            return None;
        }
        let folder = proc.join(pid.to_string());
        let stat = fs::read(folder.join("stat")).ok()?;
        let (name, parent) = parse_stat(&String::from_utf8_lossy(&stat))?;
        Some(Self { pid, name, parent, folder })
    }

    /// Its id.
    pub(super) fn pid(&self) -> u32 {
        self.pid
    }

    /// Its name, up to 15 characters.
    pub(super) fn name(&self) -> &str {
        &self.name
    }

    /// Whether it is an SSH server's process. OpenSSH splits a session over
    /// several, of one name or of `sshd-session` and `sshd-auth` since 9.8.
    pub(super) fn is_ssh_server(&self) -> bool {
        self.name == "sshd" || self.name.starts_with("sshd-") || self.name == "dropbear"
    }

    /// A variable of the environment that it was started with, where we may
    /// read it.
    pub(super) fn variable(&self, name: &str) -> Option<String> {
        let environment = fs::read(self.folder.join("environ")).ok()?;
        environment.split(|byte| *byte == 0).find_map(|line| {
            let value = line.strip_prefix(name.as_bytes())?.strip_prefix(b"=")?;
            String::from_utf8(value.to_vec()).ok()
        })
    }

    /// The established TCP connection that it has held for longest. Forwarded
    /// connections come after the session's own, with higher descriptors.
    pub(super) fn oldest_tcp_connection(&self) -> Option<Session> {
        let tables: Vec<String> = ["net/tcp", "net/tcp6"]
            .iter()
            .filter_map(|table| fs::read_to_string(self.folder.join(table)).ok())
            .collect();
        self.sockets()
            .into_iter()
            .find_map(|inode| tables.iter().find_map(|table| tcp_table::established(table, inode)))
    }

    /// The inodes of its sockets, by descriptor.
    fn sockets(&self) -> Vec<u64> {
        let folder = fs::read_dir(self.folder.join("fd"));
        let mut sockets: Vec<(u32, u64)> = folder
            .into_iter()
            .flatten()
            .filter_map(|entry| {
                let entry = entry.ok()?;
                let descriptor = entry.file_name().to_str()?.parse().ok()?;
                let target = fs::read_link(entry.path()).ok()?;
                let inode = target.to_str()?.strip_prefix("socket:[")?.strip_suffix(']')?;
                Some((descriptor, inode.parse().ok()?))
            })
            .collect();
        sockets.sort_unstable();
        sockets.into_iter().map(|(_, inode)| inode).collect()
    }
}

/// Name and parent from `/proc/PID/stat`. The name stands in parentheses and
/// may hold some itself.
fn parse_stat(stat: &str) -> Option<(String, u32)> {
    let (_, rest) = stat.split_once('(')?;
    let (name, rest) = rest.rsplit_once(')')?;
    let parent = rest.split_ascii_whitespace().nth(1)?.parse().ok()?;
    Some((name.to_owned(), parent))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_with_parentheses_do_not_confuse() {
        assert_eq!(parse_stat("12 (a) S 9 (b)) S 7 1 1"), Some(("a) S 9 (b)".to_owned(), 7)));
        assert_eq!(parse_stat("12 (sshd) S 1 12"), Some(("sshd".to_owned(), 1)));
        assert_eq!(parse_stat("12 sshd"), None);
    }
}
