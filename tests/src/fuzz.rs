//! Fuzz targets: what parses what comes from outside, and what must hold of
//! every input.
//!
//! Each target is a plain function, so that cargo-fuzz (`tests/fuzz`) and the
//! smoke test (`tests/parse.rs`) run the very same one. A target panics when
//! its promise is broken.

mod api;
mod import;

use filter_daemon::access_list::{Address, Prefix};
use filter_daemon::app::Scope;
use filter_daemon::config::Config;
use filter_daemon::id::ObjectId;

pub use api::Api;
pub use import::import;

/// An address is kept as typed, and its meaning reads back as itself.
pub fn address(input: &[u8]) {
    let Ok(text) = std::str::from_utf8(input) else { return };
    if let Ok(address) = Address::parse(text) {
        let prefix = address.prefix();
        let typed = if text.trim() == "0.0.0.0" { "0.0.0.0/0" } else { text.trim() };
        assert_eq!(address.text(), typed);
        assert_eq!(prefix.network(), prefix.network().trunc(), "host bits are left");
        assert_eq!(prefix.to_string().parse::<Prefix>().expect("it reads back"), prefix);
        let again = Address::parse(address.text()).expect("it reads back");
        assert_eq!(again, address);
    }
    if let Ok(id) = text.parse::<ObjectId>() {
        assert_eq!(id.to_string(), text);
    }
}

/// A scope reads back as written.
pub fn scope(input: &[u8]) {
    let Ok(text) = std::str::from_utf8(input) else { return };
    if let Ok(scope) = text.parse::<Scope>() {
        assert_eq!(scope.to_string().parse::<Scope>().expect("it reads back"), scope);
    }
}

/// A configuration is whole or has faults, each with a place in the text.
pub fn config(input: &[u8]) {
    let Ok(text) = std::str::from_utf8(input) else { return };
    match Config::parse(text) {
        Ok(config) => {
            assert!(!config.interfaces.is_empty(), "a filter without an interface");
            assert!(config.interfaces.iter().all(|rule| rule.pattern != "lo"));
            assert!(config.fail_safe.len() <= 16);
        }
        Err(faults) => assert!(!faults.is_empty(), "refused without a fault"),
    }
}
