//! The installed daemon in namespaces, with real traffic. Everything goes
//! through its configuration, its control socket and `filterctl`.

#[path = "endtoend/alive.rs"]
mod alive;
#[path = "endtoend/asked.rs"]
mod asked;
#[path = "endtoend/commands.rs"]
mod commands;
#[path = "endtoend/declared.rs"]
mod declared;
#[path = "endtoend/faults.rs"]
mod faults;
#[path = "endtoend/feed.rs"]
mod feed;
#[path = "endtoend/hits.rs"]
mod hits;
#[path = "endtoend/imports.rs"]
mod imports;
#[path = "endtoend/interfaces.rs"]
mod interfaces;
#[path = "endtoend/lists.rs"]
mod lists;
#[path = "endtoend/origins.rs"]
mod origins;
#[path = "endtoend/restart.rs"]
mod restart;
#[path = "endtoend/sequences.rs"]
mod sequences;
#[path = "endtoend/shapes.rs"]
mod shapes;
#[path = "endtoend/stage.rs"]
mod stage;
#[path = "endtoend/temporary.rs"]
mod temporary;
#[path = "endtoend/traffic.rs"]
mod traffic;
#[path = "endtoend/versions.rs"]
mod versions;
#[path = "endtoend/views.rs"]
mod views;
