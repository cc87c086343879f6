//! What is measured: a filter on the host of a world.

use anyhow::Result;
use filter_tests::world::World;

use crate::lists::List;

/// What a filter made of a list.
pub(crate) enum Held {
    /// It admits what the list covers.
    Whole,
    /// It holds another list of the same length.
    Instead(List),
    /// It cannot, for a reason; it is not measured with this list.
    Nothing(String),
}

/// A filter that is on.
pub(crate) trait Filter {
    /// The name of its rows.
    fn name(&self) -> &'static str;

    /// The world that it is in.
    fn world(&self) -> &World;

    /// Takes a list in the place of the one before.
    fn hold(&mut self, list: &List) -> Result<Held>;

    /// How many frames it says that it has refused; nothing when it counts
    /// none.
    fn refused(&self) -> Result<Option<u64>> {
        Ok(None)
    }
}
