//! Which few lengths keys have, and how many keys there are.

use filter_common::sieve::MAX_DEPTHS;

use crate::access_list::PrefixTable;
use crate::policy::poptrie::Net;

/// Prefixes of a list by their length.
pub(super) type Counts = [u64; 129];

/// Another depth is worth its memory read if it saves so much of the keys.
const WORTH: u64 = 4;

/// A choice of depths, and the keys that it takes.
type Choice = (Vec<u32>, u64);

/// How many prefixes a list has of each length.
pub(super) fn counts<N: Net>(table: &PrefixTable<N>) -> Counts {
    let mut counts = [0; 129];
    for net in table.prefixes().keys() {
        counts[net.length() as usize] += 1;
    }
    counts
}

/// The depths that take the fewest keys, but for depths that save little;
/// nothing for a list that is empty or admits everybody.
pub(super) fn fewest_keys(counts: &Counts) -> Option<Choice> {
    if counts[0] != 0 {
        return None;
    }
    let choices = (1..=MAX_DEPTHS).filter_map(|depths| choose(counts, depths));
    choices.reduce(|best, next| if next.1 < best.1 - best.1 / WORTH { next } else { best })
}

/// The best of so many depths, the deepest that of the longest prefixes.
fn choose(counts: &Counts, depths: usize) -> Option<Choice> {
    let lengths: Vec<u32> =
        (0..).zip(counts).filter(|(_, count)| **count > 0).map(|(l, _)| l).collect();
    // For each length, the best choice of which it is the deepest.
    let mut best: Vec<Choice> =
        lengths.iter().map(|deepest| (vec![*deepest], keys(counts, 0, *deepest))).collect();
    for _ in 1..depths {
        best = (1..lengths.len())
            .filter_map(|place| {
                let deepest = lengths[place];
                let deeper = best.iter().filter(|(depths, _)| depths.last() < Some(&deepest));
                let deeper = deeper.map(|(depths, before)| {
                    let last = depths.last().map_or(0, |last| last + 1);
                    (
                        [depths.as_slice(), &[deepest]].concat(),
                        before.saturating_add(keys(counts, last, deepest)),
                    )
                });
                deeper.min_by_key(|(_, keys)| *keys)
            })
            .collect();
    }
    best.pop()
}

/// The keys of one depth that all prefixes leave, at most.
pub(super) fn keys_at(counts: &Counts, depth: u32) -> u64 {
    let longer: u64 = counts[depth as usize + 1..].iter().sum();
    keys(counts, 0, depth).saturating_add(longer)
}

/// The keys of one depth that the prefixes from a length on are split into.
fn keys(counts: &Counts, from: u32, depth: u32) -> u64 {
    (from..=depth).fold(0, |all, length| {
        let each = 1_u64.checked_shl(depth - length).unwrap_or(u64::MAX);
        all.saturating_add(counts[length as usize].saturating_mul(each))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(lengths: &[(usize, u64)]) -> Counts {
        let mut counts = [0; 129];
        lengths.iter().for_each(|(length, count)| counts[*length] = *count);
        counts
    }

    #[test]
    fn lengths_are_depths_while_there_are_few() {
        assert_eq!(fewest_keys(&of(&[(24, 500), (32, 500)])), Some((vec![24, 32], 1000)));
        assert_eq!(fewest_keys(&of(&[(64, 9)])), Some((vec![64], 9)));
        assert_eq!(fewest_keys(&of(&[])), None);
    }

    #[test]
    fn of_many_lengths_those_are_depths_that_take_the_fewest_keys() {
        let counts = of(&[(8, 1), (15, 1), (16, 100), (23, 10), (24, 100), (32, 1000)]);
        let keys = 256 + 2 + 100 + 20 + 100 + 1000;
        assert_eq!(fewest_keys(&counts), Some((vec![16, 24, 32], keys)));
    }

    #[test]
    fn what_saves_little_is_no_depth() {
        assert_eq!(fewest_keys(&of(&[(31, 10), (32, 1000)])), Some((vec![32], 1020)));
    }

    #[test]
    fn a_list_of_everybody_has_none() {
        assert_eq!(fewest_keys(&of(&[(0, 1), (32, 5)])), None);
    }
}
