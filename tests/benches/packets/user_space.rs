//! The compiled table that the proxy and checks ask, in user space.

use std::hint::black_box;
use std::net::IpAddr;
use std::time::Instant;

use anyhow::{Context as _, Result};
use filter_common::trie::TrieValue;
use filter_daemon::access_list::{Address, PrefixSet};
use filter_daemon::policy::LookupTable;
use filter_tests::measure::{Spread, cpu};
use filter_tests::world::Family;
use serde::Serialize;

use crate::effort::Effort;
use crate::lists::{List, Origin};
use crate::object::draws;
use crate::sources::Sources;

/// One line of figures.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Row {
    pub(crate) family: &'static str,
    pub(crate) list: Origin,
    pub(crate) entries: usize,
    pub(crate) sources: Sources,
    /// Nanoseconds of one look-up.
    pub(crate) ns: Spread,
}

/// Measures every list of both families, on a thread of its own: whatever is
/// started later may run on any CPU.
pub(crate) fn run(effort: &Effort) -> Result<Vec<Row>> {
    std::thread::scope(|scope| {
        scope.spawn(|| measure(effort)).join().expect("measuring does not panic")
    })
}

fn measure(effort: &Effort) -> Result<Vec<Row>> {
    cpu::stay_on(cpu::MEASURED);
    let mut rows = Vec::new();
    for family in Family::BOTH {
        for list in effort.lists(family) {
            eprintln!("user space: {list}");
            let table = LookupTable::new(&prefixes(&list)?);
            for sources in [Sources::Unlisted, Sources::Listed, Sources::Adversarial] {
                let Some(drawn) = sources.draw(&list, &[], draws(family)) else { continue };
                let is_listed = sources == Sources::Listed;
                let rounds = (0..effort.rounds).map(|_| round(&table, &drawn, is_listed));
                rows.push(Row {
                    family: family.name(),
                    list: list.origin,
                    entries: list.networks.len(),
                    sources,
                    ns: Spread::of(rounds),
                });
            }
        }
    }
    Ok(rows)
}

fn prefixes(list: &List) -> Result<PrefixSet> {
    let mut set = PrefixSet::default();
    for (entry, text) in (1..).zip(list.texts()) {
        let address = Address::parse(&text).with_context(|| text.clone())?;
        set.insert(address.prefix(), TrieValue { entry, expires_boot_s: 0 });
    }
    Ok(set)
}

/// Asks about every source once; answers what one look-up took.
fn round(table: &LookupTable, sources: &[IpAddr], is_listed: bool) -> f64 {
    let began = Instant::now();
    let admitted = sources.iter().filter(|source| table.admits(black_box(**source), 0)).count();
    let took = began.elapsed();
    let expected = if is_listed { sources.len() } else { 0 };
    assert_eq!(admitted, expected, "sources that are let in");
    took.as_secs_f64() * 1e9 / sources.len() as f64
}
