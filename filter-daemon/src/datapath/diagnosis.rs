//! Which gate is closed when the kernel says "operation not permitted".

use std::fs;

const NEEDED: [(u32, &str); 3] = [(39, "CAP_BPF"), (12, "CAP_NET_ADMIN"), (38, "CAP_PERFMON")];

/// What to do about a refusal, or nothing when it was none of permission.
pub(super) fn hint(denied: bool) -> String {
    if !denied {
        return String::new();
    }
    let missing = missing_capabilities();
    if !missing.is_empty() {
        return format!(
            "; this process lacks {}: run filterd as root or under its unit",
            missing.join(", ")
        );
    }
    match fs::read_to_string("/sys/kernel/security/lockdown") {
        Ok(text) if text.contains("[confidentiality]") => {
            "; kernel lockdown is in confidentiality mode, which forbids BPF".to_owned()
        }
        Ok(_) | Err(_) => String::new(),
    }
}

fn missing_capabilities() -> Vec<&'static str> {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let effective = status
        .lines()
        .find_map(|line| line.strip_prefix("CapEff:"))
        .and_then(|digits| u64::from_str_radix(digits.trim(), 16).ok())
        .unwrap_or(u64::MAX);
    let missing = NEEDED.into_iter().filter(|(bit, _)| effective & (1 << bit) == 0);
    missing.map(|(_, name)| name).collect()
}
