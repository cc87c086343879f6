//! The kernel side: the program, its maps, its pins and its links. The only
//! place that names aya.
//!
//! Owns everything under the pin directory. Never decides policy: it makes the
//! kernel hold what it is given, reads it back, and says what it found.
//!
//! Invariants: a generation is written where no packet looks and then selected
//! by one write; its place is written again only after a grace period; kernel
//! state is adopted only when stamp and layout match; nothing is attached
//! before the maps hold a whole policy.
//!
//! Layout of the pin directory:
//! `world-N/` holds one set of maps, its tries and its program; `links/IFINDEX`
//! holds the link of an interface. Removing a link's file takes the filter off.

mod apply;
mod counters;
mod diagnosis;
mod error;
mod events;
mod family;
mod generation;
mod hits;
mod kernel;
mod links;
mod lock;
mod mapping;
mod object;
mod outer;
mod pins;
mod plan;
mod reaper;
mod syscall;
mod table;
mod tables;
mod trie;
mod tries;
mod world;

use std::path::{Path, PathBuf};

pub use counters::CounterReader;
pub use error::DatapathError;
pub use events::EventSource;
pub use hits::HitTable;
pub use links::{AttachError, AttachMode};
pub use object::{OBJECT_DIGEST, PacketLog, TOOLCHAIN};
pub use syscall::program_name;

use crate::policy::Policy;
use generation::Active;
use links::Links;
use object::Program;
use world::World;

/// What the data path is opened with.
#[derive(Clone, Debug)]
pub struct DatapathOptions {
    /// The pin directory, on a BPF file system.
    pub pins: PathBuf,
    /// Log every packet at debug level: for finding faults, slow.
    pub packet_log: bool,
    /// From how many entries of a family on an access list gets a table in
    /// front of its trie.
    pub accelerate_from: usize,
}

/// Facts about the loaded program.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ProgramFacts {
    /// SHA-256 of the embedded object, in hex.
    pub object_digest: &'static str,
    /// What built the object.
    pub toolchain: &'static str,
    /// Instructions that the verifier processed at load.
    pub instructions_verified: u32,
    /// The program's id in the kernel.
    pub id: u32,
}

/// The program, its maps and its links.
pub struct Datapath {
    program: Program,
    world: World,
    active: Active,
    links: Links,
    hits: HitTable,
    /// Held for life: two daemons on one pin directory would take each other's
    /// links and remove each other's maps.
    _lock: lock::PinLock,
}

/// Whether pins could be in a directory, as far as that is seen without making
/// it.
pub fn check_pins(pins: &Path) -> Result<(), DatapathError> {
    kernel::check_place(pins)
}

/// Whether pinned links carry a policy that holds packets, or one of another
/// release. Changes nothing.
pub fn is_in_force(pins: &Path) -> bool {
    Links::are_pinned(pins) && world::hold_scopes(pins)
}

impl Datapath {
    /// Opens the pin directory: takes over what an earlier daemon left there,
    /// or makes a new set of maps. Links are not touched yet.
    pub fn open(options: &DatapathOptions) -> Result<Self, DatapathError> {
        kernel::check(&options.pins)?;
        let lock = lock::take(&options.pins)?;
        let directory = world::choose(&options.pins)?;
        let program = Program::load(&directory, options.packet_log)?;
        let mut world = World::open(&options.pins, directory, options.accelerate_from)?;
        let active = Active::read(&mut world)?;
        let links = Links::new(&options.pins)?;
        let hits = HitTable::open(world.directory())?;
        Ok(Self { program, world, active, links, hits, _lock: lock })
    }

    /// Makes the kernel hold a policy, whole, and reads it back.
    pub fn apply(&mut self, policy: &Policy) -> Result<(), DatapathError> {
        let plan = self.active.plan(policy, &self.world)?;
        apply::carry_out(plan, &mut self.world, &mut self.active)
    }

    /// Brings tables up to date, as far as a few milliseconds go. Answers
    /// whether there is more to do.
    pub fn mend(&mut self) -> Result<bool, DatapathError> {
        let more = [self.world.tries4.mend()?, self.world.tries6.mend()?];
        Ok(more.contains(&true))
    }

    /// Frees some of what is out of force, so that the next change of a whole
    /// list needs not wait for it; a change of an entry meanwhile waits for a
    /// grace period at most. Answers whether there is more to do.
    pub fn free_some(&mut self) -> Result<bool, DatapathError> {
        apply::clear_some(&mut self.world, &mut self.active)
    }

    /// Takes over the pinned links, which swaps their program without a gap,
    /// and removes what an earlier daemon left behind. Needs a policy in place.
    /// Answers what went wrong with single links; they go on as they were.
    pub fn adopt_links(&mut self) -> Result<Vec<DatapathError>, DatapathError> {
        self.world.require_complete()?;
        let failures = self.links.adopt(&mut self.program)?;
        if failures.is_empty() {
            self.world.remove_others()?;
        }
        Ok(failures)
    }

    /// The interfaces that the filter is on, by index.
    pub fn attached(&self) -> impl Iterator<Item = u32> + '_ {
        self.links.attached()
    }

    /// Puts the filter on an interface. Needs a policy in place.
    ///
    /// Answers the mode that it got.
    pub fn attach(&mut self, ifindex: u32, mode: AttachMode) -> Result<AttachMode, AttachError> {
        self.world.require_complete()?;
        self.links.attach(&mut self.program, ifindex, mode)
    }

    /// Takes the filter off every interface, adopted or not.
    pub fn detach_all(&mut self) -> Result<(), DatapathError> {
        self.links.detach_all()
    }

    /// Whether the link of an interface still sits on it.
    pub fn is_alive(&self, ifindex: u32) -> bool {
        self.links.is_alive(ifindex)
    }

    /// Takes the filter off an interface, or forgets one that is gone.
    pub fn detach(&mut self, ifindex: u32) -> Result<(), DatapathError> {
        self.links.detach(ifindex)
    }

    /// Puts back the pins of links that somebody removed; answers which.
    pub fn restore_pins(&mut self) -> Result<Vec<u32>, DatapathError> {
        self.links.restore_pins()
    }

    /// Reads the counters from now on.
    pub fn counters(&self) -> Result<CounterReader, DatapathError> {
        CounterReader::open(self.world.directory(), self.hits.clone())
    }

    /// The hits of single entries.
    pub fn hits(&self) -> &HitTable {
        &self.hits
    }

    /// The revision of the policy in force.
    pub fn revision(&self) -> u64 {
        self.active.generation.revision
    }

    /// Bytes that tables in front of lists take in the kernel.
    pub fn table_bytes(&self) -> u64 {
        self.world.tries4.table_bytes() + self.world.tries6.table_bytes()
    }

    /// The sampled refusals. There is one reader.
    pub fn events(&self) -> Result<EventSource, DatapathError> {
        EventSource::open(self.world.directory())
    }

    /// Facts about the loaded program.
    pub fn facts(&self) -> ProgramFacts {
        self.program.facts()
    }

    /// Where the program is pinned.
    pub fn program_pin(&self) -> PathBuf {
        object::pin_path(self.world.directory())
    }

    /// Starts to log packets, when asked for at the start.
    pub fn start_packet_log(&mut self) -> Result<Option<PacketLog>, DatapathError> {
        self.program.start_packet_log()
    }
}

/// Names a file operation's subject in an error.
fn file_error(action: &'static str, path: &Path) -> impl FnOnce(std::io::Error) -> DatapathError {
    let path = path.to_owned();
    move |source| DatapathError::File { action, path, source }
}
