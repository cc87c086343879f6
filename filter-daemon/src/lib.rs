//! filterd: lets only listed sources in.
//!
//! The library behind the daemon `filterd` and its command line `filterctl`.
//! One folder a concern; `access_list`, `app`, `feed` and `policy` are pure: they
//! do no IO, read no clock, and name neither tokio nor aya. Only `datapath` names
//! aya, only `reconcile` writes policy into BPF maps, only `store` changes
//! state.

pub mod access_list;
pub mod api;
pub mod app;
pub mod auth;
pub mod caller;
pub mod cli;
pub mod command;
pub mod config;
pub mod control;
pub mod daemon;
pub mod datapath;
pub mod expiry;
pub mod feed;
pub mod id;
pub mod key;
pub mod key_use;
pub mod observe;
pub mod origin;
pub mod policy;
mod priority;
mod private_file;
pub mod proxy;
pub mod reconcile;
pub mod server_name;
mod source;
pub mod state;
pub mod store;
pub mod tls;
mod unread;
