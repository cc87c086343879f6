//! A list compiled for look-ups in user space.

use std::net::IpAddr;

use filter_common::poptrie::{Answer, Cell, ROOT_REFUSED, ROOT_WORDS, follow, root_index};
use filter_common::trie::TrieValue;

use super::{Net, Part, compile, halves};
use crate::access_list::{PrefixSet, PrefixTable};

/// A list of both families, for quick answers about many addresses: some tens
/// of nanoseconds each, however long the list is.
#[derive(Clone, Debug)]
pub struct LookupTable {
    v4: Cells,
    v6: Cells,
    /// Asked where it depends on the time.
    list: PrefixSet,
}

#[derive(Clone, Debug)]
struct Cells {
    root: Vec<u32>,
    nodes: Vec<Cell>,
}

/// Words of the root that are no region, and so no index of a node.
const RESERVED: u32 = 4;

impl LookupTable {
    /// Compiles a list.
    pub fn new(list: &PrefixSet) -> Self {
        Self { v4: Cells::new(list.v4()), v6: Cells::new(list.v6()), list: list.clone() }
    }

    /// Whether the list admits an address at a second of the boot clock. An
    /// IPv4-mapped address is looked up among the IPv4 prefixes.
    pub fn admits(&self, address: IpAddr, now_boot_s: u32) -> bool {
        let answer = match address.to_canonical() {
            IpAddr::V4(v4) => self.v4.look_up(u64::from(v4.to_bits()) << u32::BITS, 0),
            IpAddr::V6(v6) => {
                let [high, low] = halves(v6.to_bits());
                self.v6.look_up(high, low)
            }
        };
        match answer {
            Answer::Refused => false,
            Answer::Admitted => true,
            Answer::Ask => {
                let found = self.list.lookup(address);
                found.is_some_and(|(_, value)| is_valid(value, now_boot_s))
            }
        }
    }
}

fn is_valid(value: TrieValue, now_boot_s: u32) -> bool {
    value.expires_boot_s == 0 || now_boot_s < value.expires_boot_s
}

impl Cells {
    fn new<N: Net>(prefixes: &PrefixTable<N>) -> Self {
        let mut cells = Self { root: vec![ROOT_REFUSED; ROOT_WORDS as usize], nodes: Vec::new() };
        compile(prefixes, |word, part| cells.put(word, part));
        cells
    }

    fn put(&mut self, word: u32, part: Part) {
        let start = u32::try_from(self.nodes.len()).expect("a list is shorter than that");
        self.root[word as usize] = part.root_word(start + RESERVED);
        if let Part::Region(cells) = part {
            self.nodes.extend(cells);
        }
    }

    fn look_up(&self, high: u64, low: u64) -> Answer {
        let root = self.root[root_index(high) as usize];
        follow(root, |index| self.nodes.get(index.wrapping_sub(RESERVED) as usize), high, low)
    }
}
