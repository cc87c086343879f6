//! Abuse of the control socket: whatever a client does, memory stays bounded,
//! the next administrator is served, and the filter goes on.

#[path = "control/client.rs"]
mod client;
#[path = "control/garbage.rs"]
mod garbage;
#[path = "control/peers.rs"]
mod peers;
#[path = "control/places.rs"]
mod places;
#[path = "control/weight.rs"]
mod weight;
