//! What has to be done to make the kernel hold a policy: data, no effects.

use filter_common::generation::{AppRecord, Generation, MAX_APPS, PortIndex};
use filter_common::trie::{ACCELERATED, TRIE_CAPACITY};

use super::DatapathError;
use super::family::{Family, Kind, V4, V6};
use super::generation::Active;
use super::trie::KeyChange;
use super::tries::Tries;
use super::world::World;
use crate::access_list::PrefixTable;
use crate::policy::{AppPolicy, Policy, first_portless, port_index};

/// What has to be done.
#[derive(Debug)]
pub(super) enum Plan {
    /// The kernel holds it already.
    Nothing { learned: Tables },
    /// One entry of one list, changed in place.
    Entry4(Change<V4>),
    /// The same for IPv6.
    Entry6(Change<V6>),
    /// A new generation, built aside and selected by one write.
    Switch(Box<Switch>),
}

/// The keys of one entry in a list in force.
#[derive(Debug)]
pub(super) struct Change<F: Family> {
    pub(super) place: u32,
    pub(super) keys: Vec<KeyChange<F::Net>>,
    pub(super) table: PrefixTable<F::Net>,
}

/// A generation and the tries that it needs.
#[derive(Debug)]
pub(super) struct Switch {
    pub(super) generation: Box<Generation>,
    pub(super) port_index: Box<PortIndex>,
    pub(super) build4: Placed<V4>,
    pub(super) build6: Placed<V6>,
    pub(super) learned: Tables,
    /// Indexes that are used anew, whose counters must start at zero.
    pub(super) new_apps: Vec<u32>,
}

/// What tries that stay are now known to hold.
#[derive(Debug, Default)]
pub(super) struct Tables {
    pub(super) v4: Placed<V4>,
    pub(super) v6: Placed<V6>,
}

/// What becomes of the tables of one family.
struct Draft<F: Family> {
    learned: Placed<F>,
    changes: Vec<Change<F>>,
    builds: Vec<Build<F>>,
}

/// Tables by the place of their trie.
type Placed<F> = Vec<(u32, PrefixTable<<F as Family>::Net>)>;

/// A table of an app that needs another trie than it has.
struct Build<F: Family> {
    app: usize,
    kind: Kind,
    table: PrefixTable<F::Net>,
}

impl Active {
    /// Compares a policy with what is in force.
    pub(super) fn plan(&self, policy: &Policy, world: &World) -> Result<Plan, DatapathError> {
        let mut generation = Box::new(self.skeleton(policy));
        let mut v4 = draft(&self.generation, policy, &world.tries4, &mut generation);
        let mut v6 = draft(&self.generation, policy, &world.tries6, &mut generation);
        let unbuilt = v4.builds.is_empty() && v6.builds.is_empty();
        let same = unbuilt && world.is_complete()? && self.is_same(&generation);
        let learned =
            Tables { v4: std::mem::take(&mut v4.learned), v6: std::mem::take(&mut v6.learned) };
        match (same, v4.changes.len(), v6.changes.len()) {
            (true, 0, 0) => return Ok(Plan::Nothing { learned }),
            (true, 1, 0) => return Ok(Plan::Entry4(v4.changes.remove(0))),
            (true, 0, 1) => return Ok(Plan::Entry6(v6.changes.remove(0))),
            _ => {}
        }
        v4.rebuild(&self.generation);
        v6.rebuild(&self.generation);
        let build4 = place(v4.builds, &world.tries4, self.places::<V4>(), &mut generation)?;
        let build6 = place(v6.builds, &world.tries6, self.places::<V6>(), &mut generation)?;
        let new_apps = self.new_apps(policy);
        let port_index = port_index(&policy.scopes, &policy.fail_safe);
        Ok(Plan::Switch(Box::new(Switch {
            generation,
            port_index,
            build4,
            build6,
            learned,
            new_apps,
        })))
    }

    /// The generation of a policy, without places for tries.
    fn skeleton(&self, policy: &Policy) -> Generation {
        let mut generation = Generation::EMPTY;
        generation.revision = policy.revision;
        generation.flags = policy.flags;
        generation.slot = self.spare_slot();
        generation.scope_count = fill(&mut generation.scopes, &policy.scopes);
        generation.first_portless = first_portless(&policy.scopes);
        generation.cover_count = fill(&mut generation.covers, &policy.covers);
        generation.fail_safe_count = fill(&mut generation.fail_safe, &policy.fail_safe);
        for app in &policy.apps {
            let record = &mut generation.apps[app.index as usize % MAX_APPS];
            record.mode = app.mode as u32;
            record.identity = app.identity;
        }
        generation
    }

    fn is_same(&self, generation: &Generation) -> bool {
        let mut generation = Box::new(*generation);
        generation.revision = self.generation.revision;
        generation.slot = self.generation.slot;
        *generation == *self.generation
    }

    fn new_apps(&self, policy: &Policy) -> Vec<u32> {
        let known = |app: &AppPolicy| self.generation.apps[app.index as usize % MAX_APPS].identity;
        let is_new = |app: &&AppPolicy| known(app) != app.identity;
        policy.apps.iter().filter(is_new).map(|app| app.index).collect()
    }
}

fn fill<T: Copy>(table: &mut [T], records: &[T]) -> u32 {
    let count = records.len().min(table.len());
    table[..count].copy_from_slice(&records[..count]);
    u32::try_from(count).unwrap_or(0)
}

/// Sorts the tables of a family into those that stay, those that one entry
/// would mend, and those that need a new trie.
fn draft<F: Family>(
    active: &Generation,
    policy: &Policy,
    tries: &Tries<F>,
    generation: &mut Generation,
) -> Draft<F> {
    let mut draft = Draft { learned: Vec::new(), changes: Vec::new(), builds: Vec::new() };
    for policy in &policy.apps {
        let app = policy.index as usize % MAX_APPS;
        for (kind, set) in [(Kind::List, &policy.list), (Kind::Hops, &policy.hops)] {
            let table = F::table(set);
            let place = place_of::<F>(&active.apps[app], kind);
            if draft.keeps(tries, kind, place, table) {
                *F::place(&mut generation.apps[app], kind) = place;
            } else {
                draft.builds.push(Build { app, kind, table: table.clone() });
            }
        }
    }
    draft
}

fn place_of<F: Family>(record: &AppRecord, kind: Kind) -> u32 {
    *F::place(&mut record.clone(), kind)
}

impl<F: Family> Draft<F> {
    /// Whether what is in a place will do, as it is or with one entry changed.
    fn keeps(
        &mut self,
        tries: &Tries<F>,
        kind: Kind,
        place: u32,
        table: &PrefixTable<F::Net>,
    ) -> bool {
        if place == 0 {
            return table.prefixes().is_empty();
        }
        let has_table = place & ACCELERATED != 0;
        let entries = table.prefixes().len();
        if kind == Kind::List && tries.accelerates(entries, has_table) != has_table {
            return false;
        }
        if tries.holds(place, table) {
            self.learned.push((place, table.clone()));
            return true;
        }
        let Some(keys) = tries.entry_change(place, table) else { return false };
        self.changes.push(Change { place, keys, table: table.clone() });
        true
    }

    /// Turns changes of one entry into new lists: with other changes beside
    /// them, they must come into force together.
    fn rebuild(&mut self, active: &Generation) {
        for Change { place, table, .. } in self.changes.drain(..) {
            let slots = active.apps.iter().enumerate();
            let slots = slots
                .flat_map(|(app, record)| [(app, record, Kind::List), (app, record, Kind::Hops)]);
            let of_place = slots.filter(|(_, record, kind)| place_of::<F>(record, *kind) == place);
            self.builds.extend(of_place.map(|(app, _, kind)| Build {
                app,
                kind,
                table: table.clone(),
            }));
        }
    }
}

/// Gives every new list a place; an empty one needs none.
fn place<F: Family>(
    builds: Vec<Build<F>>,
    tries: &Tries<F>,
    mut named: Vec<u32>,
    generation: &mut Generation,
) -> Result<Placed<F>, DatapathError> {
    let mut placed = Vec::new();
    for Build { app, kind, table } in builds {
        let place = F::place(&mut generation.apps[app], kind);
        *place = 0;
        let entries = table.prefixes().len();
        if entries > TRIE_CAPACITY as usize {
            return Err(DatapathError::ListTooLong { entries, limit: TRIE_CAPACITY });
        }
        if entries > 0 {
            *place = tries.free_place(&named)?;
            named.push(*place);
            if kind == Kind::List && tries.accelerates(entries, false) {
                *place |= ACCELERATED;
            }
            placed.push((*place, table));
        }
    }
    Ok(placed)
}
