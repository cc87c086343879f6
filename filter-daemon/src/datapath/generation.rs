//! The generation in force, as read from the kernel.

use filter_common::generation::{AppRecord, Generation};

use super::DatapathError;
use super::family::{Family, Kind, V4, V6};
use super::world::World;

/// The generation in force and its slot.
#[derive(Debug)]
pub(super) struct Active {
    pub(super) slot: u32,
    pub(super) generation: Box<Generation>,
    /// What is left of the generation before.
    pub(super) before: Before,
}

/// What is left of a generation that is out of force.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Before {
    /// Packets may still be judged by it.
    Read,
    /// Its lists are still there.
    Unread,
    /// Nothing.
    Gone,
}

impl Active {
    /// Reads what is in force, and takes over the tries that it names.
    pub(super) fn read(world: &mut World) -> Result<Self, DatapathError> {
        let slot = world.selector.get(&0, 0).map_err(DatapathError::map("read", "SELECTOR"))?;
        let generation = match world.is_complete()? {
            true => read_slot(world, slot)?,
            false => Box::new(Generation::EMPTY),
        };
        let active = Self { slot, generation, before: Before::Read };
        world.tries4.adopt(&active.places::<V4>())?;
        world.tries6.adopt(&active.places::<V6>())?;
        Ok(active)
    }

    /// The places that the generation names for a family.
    pub(super) fn places<F: Family>(&self) -> Vec<u32> {
        places::<F>(&self.generation)
    }

    /// The slot that no packet looks at.
    pub(super) fn spare_slot(&self) -> u32 {
        1 - self.slot.min(1)
    }
}

/// The places that a generation names for a family.
pub(super) fn places<F: Family>(generation: &Generation) -> Vec<u32> {
    let records = generation.apps.iter().copied();
    let places = records.flat_map(|mut record: AppRecord| {
        [Kind::List, Kind::Hops].map(|kind| *F::place(&mut record, kind))
    });
    places.filter(|place| *place != 0).collect()
}

/// Reads a slot back.
pub(super) fn read_slot(world: &World, slot: u32) -> Result<Box<Generation>, DatapathError> {
    let read = world.generations.get(&slot, 0);
    read.map(Box::new).map_err(DatapathError::map("read", "GENERATIONS"))
}
