//! Links: which interfaces the filter is on.

use std::collections::BTreeMap;
use std::fs;
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};

use aya::programs::links::{FdLink, PinnedLink};
use aya::programs::xdp::XdpLink;
use aya::programs::{ProgramError, XdpMode};

use super::error::chain;
use super::object::Program;
use super::world::make_directory;
use super::{DatapathError, file_error, syscall};

/// Where a frame meets the program.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AttachMode {
    /// In the driver, or else in the stack; `status` says which.
    Auto,
    /// In the driver.
    Native,
    /// In the stack, after the frame has got a socket buffer.
    Generic,
}

/// Why the filter is not on an interface.
#[derive(Debug, thiserror::Error)]
pub enum AttachError {
    /// Another program is there.
    #[error(
        "another XDP program is attached: detach it first, or leave this interface out of filterd.toml"
    )]
    Busy,
    /// The driver has no native mode and no other was asked for.
    #[error("the driver does not take the program in {mode} mode: {reason}")]
    Refused {
        /// The mode.
        mode: &'static str,
        /// What the kernel said.
        reason: String,
    },
    /// The link cannot be pinned.
    #[error(
        "the kernel offers no link for this interface, so the filter could not outlive the daemon: it is not attached"
    )]
    NoLink,
    /// Anything about the pins.
    #[error(transparent)]
    Datapath(#[from] DatapathError),
}

impl AttachMode {
    /// The lower-case word used in every front end.
    pub fn name(self) -> &'static str {
        match self {
            Self::Auto => "auto",
            Self::Native => "native",
            Self::Generic => "generic",
        }
    }

    /// Reads a name.
    pub fn parse(text: &str) -> Option<Self> {
        [Self::Auto, Self::Native, Self::Generic].into_iter().find(|mode| mode.name() == text)
    }

    /// The modes to try, in their order.
    fn attempts(self) -> &'static [(Self, XdpMode)] {
        match self {
            Self::Auto => &[(Self::Native, XdpMode::Driver), (Self::Generic, XdpMode::Skb)],
            Self::Native => &[(Self::Native, XdpMode::Driver)],
            Self::Generic => &[(Self::Generic, XdpMode::Skb)],
        }
    }
}

/// Where they are pinned.
const DIRECTORY: &str = "links";

/// Links by interface index. The files hold them when the daemon is gone; the
/// descriptors hold them when the files are.
#[derive(Debug)]
pub(super) struct Links {
    directory: PathBuf,
    held: BTreeMap<u32, OwnedFd>,
}

impl Links {
    pub(super) fn new(pins: &Path) -> Result<Self, DatapathError> {
        let directory = pins.join(DIRECTORY);
        make_directory(&directory)?;
        Ok(Self { directory, held: BTreeMap::new() })
    }

    /// Whether any link is pinned.
    pub(super) fn are_pinned(pins: &Path) -> bool {
        fs::read_dir(pins.join(DIRECTORY)).is_ok_and(|mut links| links.next().is_some())
    }

    pub(super) fn attached(&self) -> impl Iterator<Item = u32> + '_ {
        self.held.keys().copied()
    }

    /// Asks the link itself: it is dead when its interface is gone, or when
    /// somebody forced it off.
    pub(super) fn is_alive(&self, ifindex: u32) -> bool {
        let found = self.held.get(&ifindex).and_then(|link| syscall::link_ifindex(link).ok());
        found == Some(ifindex)
    }

    /// Swaps the program of every pinned link for this one, in one step each.
    /// Links whose interface is gone are removed. Answers what went wrong with
    /// single links: they stay as they are, and the others go on.
    pub(super) fn adopt(
        &mut self,
        program: &mut Program,
    ) -> Result<Vec<DatapathError>, DatapathError> {
        let files = self.files()?;
        let adopted = files.iter().map(|path| self.adopt_file(program, path));
        Ok(adopted.filter_map(Result::err).collect())
    }

    fn adopt_file(&mut self, program: &mut Program, path: &Path) -> Result<(), DatapathError> {
        let failed = |error: std::io::Error| link_error(path, error.to_string());
        let link = syscall::open_pin(path).map_err(failed)?;
        match syscall::link_ifindex(&link).map_err(failed)? {
            0 => fs::remove_file(path).map_err(file_error("remove", path)),
            ifindex => {
                swap_program(program, path)?;
                tracing::info!(ifindex, "took over the filter on an interface");
                self.held.insert(ifindex, link);
                Ok(())
            }
        }
    }

    fn files(&self) -> Result<Vec<PathBuf>, DatapathError> {
        let listing = fs::read_dir(&self.directory).map_err(file_error("list", &self.directory))?;
        listing
            .map(|entry| entry.map(|entry| entry.path()))
            .collect::<Result<_, _>>()
            .map_err(file_error("list", &self.directory))
    }

    pub(super) fn attach(
        &mut self,
        program: &mut Program,
        ifindex: u32,
        mode: AttachMode,
    ) -> Result<AttachMode, AttachError> {
        let mut refusals = Vec::new();
        for (mode, flags) in mode.attempts() {
            match try_attach(program, ifindex, *flags) {
                Ok(link) => return self.keep(ifindex, *mode, link),
                Err(AttachError::Refused { reason, .. }) => {
                    refusals.push(AttachError::Refused { mode: mode.name(), reason });
                }
                Err(error) => return Err(error),
            }
        }
        Err(refusals.pop().unwrap_or(AttachError::NoLink))
    }

    fn keep(
        &mut self,
        ifindex: u32,
        mode: AttachMode,
        link: FdLink,
    ) -> Result<AttachMode, AttachError> {
        let path = self.path(ifindex);
        make_directory(&self.directory)?;
        remove_if_there(&path)?;
        link.pin(&path).map_err(|error| link_error(&path, chain(&error)))?;
        let link = syscall::open_pin(&path).map_err(|e| link_error(&path, e.to_string()))?;
        self.held.insert(ifindex, link);
        Ok(mode)
    }

    pub(super) fn detach(&mut self, ifindex: u32) -> Result<(), DatapathError> {
        remove_if_there(&self.path(ifindex))?;
        self.held.remove(&ifindex);
        Ok(())
    }

    /// Takes the filter off every interface, also where an earlier daemon put
    /// it and this one could not take it over.
    pub(super) fn detach_all(&mut self) -> Result<(), DatapathError> {
        self.files()?.iter().try_for_each(|path| remove_if_there(path))?;
        self.held.clear();
        Ok(())
    }

    /// Pins links again whose file somebody removed; answers which. While the
    /// daemon holds a link the filter stays on; without a pin it would end
    /// with the daemon.
    pub(super) fn restore_pins(&mut self) -> Result<Vec<u32>, DatapathError> {
        let lost = |ifindex: &u32| !self.path(*ifindex).exists();
        let lost: Vec<u32> = self.held.keys().copied().filter(lost).collect();
        if !lost.is_empty() {
            // The folder around it may be gone as well.
            self.directory.parent().map_or(Ok(()), make_directory)?;
            make_directory(&self.directory)?;
        }
        for (ifindex, link) in self.held.iter().filter(|(ifindex, _)| lost.contains(ifindex)) {
            let path = self.path(*ifindex);
            syscall::pin(link, &path).map_err(|e| link_error(&path, e.to_string()))?;
        }
        Ok(lost)
    }

    fn path(&self, ifindex: u32) -> PathBuf {
        self.directory.join(ifindex.to_string())
    }
}

fn remove_if_there(path: &Path) -> Result<(), DatapathError> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(file_error("remove", path)(error))
        }
        Ok(()) | Err(_) => Ok(()),
    }
}

/// Swaps the program of a pinned link for this one.
fn swap_program(program: &mut Program, path: &Path) -> Result<(), DatapathError> {
    let failed = |error: &(dyn std::error::Error + 'static)| link_error(path, chain(error));
    let pinned = PinnedLink::from_pin(path).map_err(|e| failed(&e))?;
    let link = XdpLink::try_from(FdLink::from(pinned)).map_err(|e| failed(&e))?;
    let xdp = program.xdp()?;
    let id = xdp.attach_to_link(link).map_err(|e| failed(&e))?;
    // The caller holds a descriptor of its own.
    xdp.take_link(id).map(drop).map_err(|e| failed(&e))
}

/// Attaches in one mode. aya falls back to an attachment without a link when
/// the kernel answers EINVAL; that one is undone at once.
fn try_attach(program: &mut Program, ifindex: u32, mode: XdpMode) -> Result<FdLink, AttachError> {
    let xdp = program.xdp()?;
    let id = xdp.attach_to_if_index(ifindex, mode).map_err(attach_error)?;
    let link = xdp.take_link(id).map_err(attach_error)?;
    FdLink::try_from(link).map_err(|_| AttachError::NoLink)
}

fn attach_error(error: ProgramError) -> AttachError {
    let refused = if let ProgramError::SyscallError(error) = &error { Some(error) } else { None };
    match refused.and_then(|error| error.io_error.raw_os_error()) {
        Some(libc::EBUSY | libc::EEXIST) => AttachError::Busy,
        _ => AttachError::Refused { mode: "", reason: chain(&error) },
    }
}

fn link_error(path: &Path, reason: String) -> DatapathError {
    DatapathError::Link { path: path.to_owned(), reason }
}
