//! The Admin API of the installed daemon: over TLS 1.3, by plain HTTP and by
//! programs of others, as they are.

#[path = "admin/certificates.rs"]
mod certificates;
#[path = "admin/clients.rs"]
mod clients;
#[path = "admin/keys.rs"]
mod keys;
#[path = "admin/replay.rs"]
mod replay;
#[path = "admin/sessions.rs"]
mod sessions;
#[path = "admin/stage.rs"]
mod stage;
