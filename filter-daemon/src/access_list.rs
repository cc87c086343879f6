//! Access lists: what an operator wrote, and what it means. Pure.
//!
//! Owns the address grammar, the entries in their order, and the set of
//! prefixes that the entries stand for. Never does IO and reads no clock.
//!
//! Invariants: one key an enabled entry (no two entries share a prefix, enabled
//! or not), the
//! two families never share a table, an address is kept as it was typed.

mod comparison;
mod effective;
mod enforced;
mod entry;
mod list;
#[cfg(test)]
mod listing;
mod prefix;
mod prefix_set;
mod sorted;

pub use comparison::Comparison;
pub use effective::{Effective, Merged};
pub use entry::{Entry, EntryFields};
pub use list::{AccessList, ListError};
pub use prefix::{Address, AddressError, Prefix};
pub use prefix_set::{PrefixSet, PrefixTable};
