//! The router as clients see it, without a socket.

mod admin;
pub(crate) mod bench;
mod bodies;
mod keys;
mod lists;
mod login;
mod ours;
mod outbound;

use bench::Bench;
