//! Carrying a plan out: the only effects on policy in the kernel.

use filter_common::generation::Generation;

use super::DatapathError;
use super::family::{V4, V6};
use super::generation::{Active, Before, places, read_slot};
use super::plan::{Plan, Switch, Tables};
use super::world::World;

/// Does what a plan says. On an error what was in force stays in force.
pub(super) fn carry_out(
    plan: Plan,
    world: &mut World,
    active: &mut Active,
) -> Result<(), DatapathError> {
    match plan {
        Plan::Nothing { learned } => {
            learn(world, &learned);
            Ok(())
        }
        Plan::Entry4(entry) => world.tries4.change(entry.place, &entry.keys, &entry.table),
        Plan::Entry6(entry) => world.tries6.change(entry.place, &entry.keys, &entry.table),
        Plan::Switch(switch) => {
            learn(world, &switch.learned);
            // The spare slot may have been in force a moment ago.
            clear(world, active)?;
            active.before = Before::Read;
            prepare(&switch, world, active)?;
            select(&switch.generation, world, active)
        }
    }
}

fn learn(world: &mut World, learned: &Tables) {
    learned.v4.iter().for_each(|(place, table)| world.tries4.learn(*place, table));
    learned.v6.iter().for_each(|(place, table)| world.tries6.learn(*place, table));
}

/// Writes all that the new generation needs where no packet looks.
fn prepare(switch: &Switch, world: &mut World, active: &Active) -> Result<(), DatapathError> {
    for (place, table) in &switch.build4 {
        world.tries4.build(*place, table)?;
    }
    for (place, table) in &switch.build6 {
        world.tries6.build(*place, table)?;
    }
    for app in &switch.new_apps {
        world.clear_counters(*app)?;
    }
    let slot = active.spare_slot();
    world
        .port_index
        .set(slot, *switch.port_index, 0)
        .map_err(DatapathError::map("write", "PORT_INDEX"))?;
    world
        .generations
        .set(slot, *switch.generation, 0)
        .map_err(DatapathError::map("write", "GENERATIONS"))?;
    if *read_slot(world, slot)? != *switch.generation {
        let subject = format!("slot {slot}");
        return Err(DatapathError::ReadBack { map: "GENERATIONS", subject });
    }
    Ok(())
}

/// Puts the prepared generation in force.
fn select(
    generation: &Generation,
    world: &mut World,
    active: &mut Active,
) -> Result<(), DatapathError> {
    let slot = active.spare_slot();
    world.selector.set(0, slot, 0).map_err(DatapathError::map("write", "SELECTOR"))?;
    // From here on this is what packets see, whatever the read-back says.
    active.slot = slot;
    *active.generation = *generation;
    let selected = world.selector.get(&0, 0).map_err(DatapathError::map("read", "SELECTOR"))?;
    if selected != slot {
        return Err(DatapathError::ReadBack { map: "SELECTOR", subject: format!("slot {slot}") });
    }
    world.set_complete()
}

/// Empties every place that the generation in force does not name: after a
/// switch, what was in force before; after a failure, what was built in vain.
fn clear(world: &mut World, active: &mut Active) -> Result<(), DatapathError> {
    while clear_some(world, active)? {}
    Ok(())
}

/// Goes a step further with that, which takes a grace period at most. Answers
/// whether there is another step.
pub(super) fn clear_some(world: &mut World, active: &mut Active) -> Result<bool, DatapathError> {
    match active.before {
        Before::Gone => {}
        Before::Read => {
            world.tries4.wait_for_packets()?;
            active.before = Before::Unread;
        }
        Before::Unread => {
            let more = world.tries4.retire_some(&places::<V4>(&active.generation))?
                || world.tries6.retire_some(&places::<V6>(&active.generation))?;
            if !more {
                active.before = Before::Gone;
            }
        }
    }
    Ok(active.before != Before::Gone)
}
