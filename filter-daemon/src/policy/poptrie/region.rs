//! The nodes of one part of a table.

use filter_common::poptrie::{Cell, MAX_SKIP, QUARTERS, ROOT_BITS, STRIDE, TOP_DEPTH};

use super::blocks::{Block, Item, State, blocks};
use super::{Net, Part};

/// Compiles the prefixes inside a part that are longer than the root, given
/// what holds where they say nothing.
pub(super) fn region<N: Net>(items: &[Item], inherited: State) -> Part {
    let mut nodes = Nodes { width: N::WIDTH, cells: vec![Cell::default(); QUARTERS as usize] };
    let quarters = blocks(items, ROOT_BITS, TOP_DEPTH - ROOT_BITS, inherited);
    let quarters: Vec<Node> =
        quarters.iter().map(|quarter| nodes.of_block(items, quarter, TOP_DEPTH)).collect();
    if let Some(state) = all_one_state(&quarters) {
        return state.into();
    }
    for (place, quarter) in quarters.into_iter().enumerate() {
        nodes.cells[place] = match quarter {
            Node::Cell(cell) => cell,
            Node::Plain(state) => plain(state),
        };
    }
    Part::Region(nodes.cells)
}

/// What a block comes to.
#[derive(Clone, Copy, Debug)]
enum Node {
    Plain(State),
    Cell(Cell),
}

struct Nodes {
    width: u32,
    /// The quarters, and the children of every node that has some.
    cells: Vec<Cell>,
}

impl Nodes {
    /// A block that lies behind so many bits of an address.
    fn of_block(&mut self, items: &[Item], block: &Block, behind: u32) -> Node {
        let longer = &items[block.longer.clone()];
        if longer.iter().all(|item| item.state == block.state) {
            return Node::Plain(block.state);
        }
        self.node(longer, behind, block.state)
    }

    fn node(&mut self, items: &[Item], behind: u32, inherited: State) -> Node {
        let depth = self.depth(items, behind, inherited);
        let blocks = blocks(items, depth, STRIDE, inherited);
        let blocks: Vec<Node> =
            blocks.iter().map(|block| self.of_block(items, block, depth + STRIDE)).collect();
        let skip = depth.saturating_sub(behind);
        if skip == 0
            && let Some(state) = all_one_state(&blocks)
        {
            return Node::Plain(state);
        }
        let mut cell = Cell {
            path: path(items, depth, skip),
            base: u32::try_from(self.cells.len()).expect("a list is shorter than that"),
            depth: narrow(depth),
            skip: narrow(skip),
            ..Cell::default()
        };
        for (place, block) in blocks.into_iter().enumerate() {
            self.put(&mut cell, place, block);
        }
        Node::Cell(cell)
    }

    /// How many bits to have behind before the next six are looked at. Where
    /// nothing is inherited, bits that all prefixes share can be skipped; and
    /// the last node ends where the address does.
    fn depth(&self, items: &[Item], behind: u32, inherited: State) -> u32 {
        let last = self.width - STRIDE;
        let (Some(first), State::Refused) = (items.first(), inherited) else {
            return behind.min(last);
        };
        let shared = items.last().map_or(0, |last| (first.bits ^ last.bits).leading_zeros());
        let shortest = items.iter().map(|item| item.length).min().unwrap_or(0);
        let farthest = shared.min(shortest.saturating_sub(STRIDE)).min(behind + MAX_SKIP);
        farthest.max(behind).min(last)
    }

    fn put(&mut self, cell: &mut Cell, place: usize, block: Node) {
        let bit = 1_u64 << place;
        match block {
            Node::Plain(State::Refused) => {}
            Node::Plain(State::Admitted) => cell.full |= bit,
            Node::Plain(State::Ask) => {
                cell.mixed |= bit;
                cell.full |= bit;
            }
            Node::Cell(child) => {
                cell.mixed |= bit;
                self.cells.push(child);
            }
        }
    }
}

/// A node of which all blocks are the same.
fn plain(state: State) -> Cell {
    let (mixed, full) = match state {
        State::Refused => (0, 0),
        State::Admitted => (0, u64::MAX),
        State::Ask => (u64::MAX, u64::MAX),
    };
    Cell { mixed, full, depth: narrow(TOP_DEPTH), ..Cell::default() }
}

fn all_one_state(nodes: &[Node]) -> Option<State> {
    let Some(Node::Plain(first)) = nodes.first() else { return None };
    let is_same = |node: &Node| matches!(node, Node::Plain(state) if state == first);
    nodes.iter().all(is_same).then_some(*first)
}

/// The `skip` bits in front of `depth`, which all items share.
fn path(items: &[Item], depth: u32, skip: u32) -> u64 {
    let bits = items.first().map_or(0, |item| item.bits);
    let before = bits.checked_shr(u128::BITS - depth).unwrap_or(0);
    let path = before & ((1 << skip) - 1);
    u64::try_from(path).expect("skipped bits fit a word")
}

fn narrow(bits: u32) -> u8 {
    u8::try_from(bits).expect("an address has at most 128 bits")
}
