//! The floor: an XDP program that drops without a look. Its row is what the
//! generator and the wire cost.

use anyhow::Result;
use filter_tests::world::World;

use super::filter::{Filter, Held};
use crate::lists::List;
use crate::object::BenchObject;

/// The name of its rows.
pub(crate) const NAME: &str = "floor: XDP that drops";

/// The floor in a world of its own.
pub(crate) struct Floor {
    world: World,
}

impl Floor {
    pub(crate) fn new(object: &mut BenchObject) -> Result<Self> {
        let world = World::new();
        let ifindex = world.host_index();
        world.host.run(|| object.attach_floor(ifindex))?;
        Ok(Self { world })
    }
}

impl Filter for Floor {
    fn name(&self) -> &'static str {
        NAME
    }

    fn world(&self) -> &World {
        &self.world
    }

    fn hold(&mut self, _list: &List) -> Result<Held> {
        Ok(Held::Whole)
    }
}
