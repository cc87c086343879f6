//! How much is measured.

use filter_tests::world::Family;

use crate::lists::List;
use crate::options::Options;

/// The sizes that the project states its figures for.
const SIZES: [usize; 5] = [1, 1_000, 10_000, 100_000, 1_000_000];

/// The sizes of `--quick`.
const QUICK_SIZES: [usize; 3] = [1, 1_000, 10_000];

/// Every random list is drawn from this.
const SEED: u64 = 0x5eed_0001;

/// Sizes, rounds, and frames or runs a round.
#[derive(Clone, Debug)]
pub(crate) struct Effort {
    pub(crate) sizes: Vec<usize>,
    pub(crate) rounds: usize,
    /// Frames or runs a round.
    pub(crate) frames: u32,
    /// How often one entry is changed.
    pub(crate) changes: usize,
    /// How often a list is replaced, and the daemon started.
    pub(crate) repeats: usize,
    /// The routing table, as it is and aggregated, of both families.
    pub(crate) tables: Vec<List>,
}

impl Effort {
    /// What the options ask for.
    pub(crate) fn new(options: &Options, tables: Vec<List>) -> Self {
        let usual: &[usize] = if options.quick { &QUICK_SIZES } else { &SIZES };
        let sizes = if options.sizes.is_empty() { usual.to_vec() } else { options.sizes.clone() };
        match options.quick {
            true => Self { sizes, rounds: 3, frames: 1 << 17, changes: 10, repeats: 2, tables },
            false => Self { sizes, rounds: 7, frames: 1 << 19, changes: 50, repeats: 5, tables },
        }
    }

    /// The lists of a family, shortest first, then the routing table's.
    pub(crate) fn lists(&self, family: Family) -> Vec<List> {
        let random = self.sizes.iter().map(|size| List::random(family, *size, SEED));
        let tables = self.tables.iter().filter(|list| list.family == family).cloned();
        random.chain(tables).collect()
    }
}
