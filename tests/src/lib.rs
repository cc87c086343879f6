//! Fixtures of the tests.
//!
//! Owns the packet builder, the table of scenarios, network namespaces, packet
//! sockets, and the installed daemon as a fixture. Never sends anything
//! outside the namespaces that it made itself, and nothing in it outlives the
//! process: namespaces are anonymous and end with their last descriptor.

pub mod bpf_link;
pub mod counter_table;
pub mod daemon;
pub mod deadline;
pub mod emulator;
pub mod frame;
pub mod fuzz;
mod kernel;
pub mod loaded;
pub mod measure;
pub mod namespace;
pub mod packet_socket;
pub mod pins;
pub mod program;
pub mod pulse;
pub mod receiver;
pub mod scenario;
pub mod test_run;
pub mod wire;
pub mod world;
