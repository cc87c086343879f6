//! What the installed systemd unit grants.

use std::fs;
use std::path::Path;

const PLACES: [&str; 2] =
    ["etc/systemd/system/filterd.service", "usr/local/lib/systemd/system/filterd.service"];

/// The unit's CapabilityBoundingSet in the form that setpriv takes, such as
/// `,+bpf,+net_admin`.
pub fn capabilities(root: &Path) -> String {
    let text = PLACES
        .iter()
        .find_map(|place| fs::read_to_string(root.join(place)).ok())
        .unwrap_or_else(|| panic!("no filterd.service under {}", root.display()));
    let names: Vec<&str> = text
        .lines()
        .filter_map(|line| line.trim().strip_prefix("CapabilityBoundingSet="))
        .flat_map(str::split_ascii_whitespace)
        .collect();
    assert!(!names.is_empty(), "the unit bounds no capabilities");
    names
        .into_iter()
        .map(|name| {
            let short = name.strip_prefix("CAP_").expect("capabilities start with CAP_");
            format!(",+{}", short.to_ascii_lowercase())
        })
        .collect()
}
