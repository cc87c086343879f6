//! The embedded program: loaded, and pinned beside its maps.

use std::fs;
use std::path::{Path, PathBuf};

use aya::programs::{ProgramError, Xdp};
use aya::{Ebpf, EbpfError, EbpfLoader, include_bytes_aligned};
use aya_log::EbpfLogger;
use tokio::io::Interest;
use tokio::io::unix::AsyncFd;

use super::error::chain;
use super::world::LAYOUT;
use super::{DatapathError, ProgramFacts, file_error};

static OBJECT: &[u8] = include_bytes_aligned!(env!("FILTERD_BPF_OBJECT"));

/// SHA-256 of the embedded object, in hex.
pub const OBJECT_DIGEST: &str = env!("FILTERD_BPF_DIGEST");

/// What built the embedded object.
pub const TOOLCHAIN: &str = env!("FILTERD_BPF_TOOLCHAIN_USED");

const PROGRAM: &str = "filterd";

/// Everything that aya-log can say, and nothing.
const LOG_ALL: u8 = u8::MAX;
const LOG_NOTHING: u8 = 0;

/// The loaded program.
#[derive(Debug)]
pub(super) struct Program {
    ebpf: Ebpf,
    packet_log: bool,
    facts: ProgramFacts,
}

/// Carries the program's log lines to the daemon's log.
pub struct PacketLog(AsyncFd<EbpfLogger<&'static dyn log::Log>>);

impl Program {
    /// Loads the program over the maps of a directory, making those that are
    /// not there, and pins it beside them.
    pub(super) fn load(directory: &Path, packet_log: bool) -> Result<Self, DatapathError> {
        let level = if packet_log { LOG_ALL } else { LOG_NOTHING };
        let paths = LAYOUT.map(|(name, ..)| (name, directory.join(name)));
        let mut loader = EbpfLoader::new();
        loader.override_global("AYA_LOG_LEVEL", &level, true);
        let logs_packets = u8::from(packet_log);
        loader.override_global("PACKET_LOG", &logs_packets, true);
        for (name, path) in &paths {
            loader.map_pin_path(name, path.as_path());
        }
        let mut ebpf = loader.load(OBJECT).map_err(refused_object)?;
        let xdp = xdp(&mut ebpf)?;
        xdp.load().map_err(refused_program)?;
        let info = xdp.info().map_err(refused_program)?;
        let facts = ProgramFacts {
            object_digest: OBJECT_DIGEST,
            toolchain: TOOLCHAIN,
            instructions_verified: info.verified_instruction_count().unwrap_or(0),
            id: info.id(),
        };
        pin(xdp, directory)?;
        Ok(Self { ebpf, packet_log, facts })
    }

    pub(super) fn facts(&self) -> ProgramFacts {
        self.facts
    }

    pub(super) fn xdp(&mut self) -> Result<&mut Xdp, DatapathError> {
        xdp(&mut self.ebpf)
    }

    pub(super) fn start_packet_log(&mut self) -> Result<Option<PacketLog>, DatapathError> {
        if !self.packet_log {
            return Ok(None);
        }
        let refused = |reason: String| DatapathError::Load { reason, denied: false };
        let logger = EbpfLogger::init(&mut self.ebpf).map_err(|e| refused(chain(&e)))?;
        // SAFETY: the logger owns its descriptor and keeps the same one for life.
        let logger = unsafe { AsyncFd::register_with_interest(logger, Interest::READABLE) };
        logger.map(PacketLog).map(Some).map_err(|e| refused(e.to_string()))
    }
}

impl PacketLog {
    /// Logs until the descriptor fails.
    pub async fn run(mut self) -> std::io::Result<()> {
        loop {
            let mut ready = self.0.readable_mut().await?;
            ready.get_inner_mut().flush();
            ready.clear_ready();
        }
    }
}

fn xdp(ebpf: &mut Ebpf) -> Result<&mut Xdp, DatapathError> {
    let program = ebpf.program_mut(PROGRAM).ok_or_else(|| DatapathError::Load {
        reason: format!("the embedded object has no program {PROGRAM}"),
        denied: false,
    })?;
    program.try_into().map_err(refused_program)
}

/// Where the program of a directory is pinned.
pub(super) fn pin_path(directory: &Path) -> PathBuf {
    directory.join("program")
}

/// Pins under a temporary name and renames over the old pin, so that there is
/// one at any moment.
fn pin(xdp: &mut Xdp, directory: &Path) -> Result<(), DatapathError> {
    let (fresh, path) = (directory.join("program-new"), pin_path(directory));
    match fs::remove_file(&fresh) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            return Err(file_error("remove", &fresh)(error));
        }
        Ok(()) | Err(_) => {}
    }
    xdp.pin(&fresh).map_err(|error| DatapathError::Map {
        operation: "pin",
        map: PROGRAM.to_owned(),
        reason: chain(&error),
    })?;
    fs::rename(&fresh, &path).map_err(file_error("rename the pin to", &path))
}

fn refused_object(error: EbpfError) -> DatapathError {
    let reason = chain(&error);
    DatapathError::Load { denied: is_denied(&reason), reason }
}

fn refused_program(error: ProgramError) -> DatapathError {
    let reason = chain(&error);
    DatapathError::Load { denied: is_denied(&reason), reason }
}

fn is_denied(reason: &str) -> bool {
    reason.contains("Operation not permitted") || reason.contains("Permission denied")
}
