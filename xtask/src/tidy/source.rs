//! Rules for Rust source files.

/// The longest file.
const MOST_LINES: usize = 400;

/// What must not be left in the tree. Cut in two, so that this file may
/// contain them.
const LEFT_OVERS: [(&str, &str); 6] = [
    ("todo", "!("),
    ("unimplemented", "!("),
    ("dbg", "!("),
    ("#[ign", "ore"),
    ("FIX", "ME"),
    ("TO", "DO"),
];

/// Below here lie the daemon's sources.
const DAEMON: &str = "filter-daemon/src/";

/// Modules of the daemon that do no IO and read no clock, and the words that
/// would give them away.
const PURE_MODULES: [&str; 7] = ["access_list", "app", "command", "feed", "id", "policy", "state"];
const IMPURE_WORDS: [&str; 8] =
    ["tokio", "aya", "std::fs", "std::process", "std::env", "Instant", "SystemTime", "tracing"];

/// The module of the daemon that alone names aya.
const AYA_MODULE: &str = "datapath";

/// What is wrong with a file.
pub(super) fn faults(name: &str, text: &str) -> Vec<String> {
    let mut faults = Vec::new();
    let mut fault = |line: usize, what: &str| faults.push(format!("{name}:{line}: {what}"));
    if !text.starts_with("//!") {
        fault(1, "does not open with a //! line that says what it owns");
    }
    if name.ends_with("/mod.rs") {
        fault(1, "is a mod.rs: name it after its module");
    }
    let lines = text.lines().count();
    if lines > MOST_LINES {
        fault(lines, &format!("has more than {MOST_LINES} lines: is it still one concept?"));
    }
    let forbidden = forbidden_words(name);
    for (number, line) in (1..).zip(text.lines()) {
        for (start, end) in LEFT_OVERS {
            if line.contains(&format!("{start}{end}")) {
                fault(number, &format!("{start}{end} was left undone"));
            }
        }
        if line.trim_start().starts_with("//") {
            continue;
        }
        for word in forbidden.iter().filter(|word| names(line, word)) {
            fault(number, &format!("names {word}, which this module must not"));
        }
    }
    faults
}

fn forbidden_words(name: &str) -> &'static [&'static str] {
    let Some(below) = name.strip_prefix(DAEMON) else { return &[] };
    let module = below.split(['/', '.']).next().unwrap_or_default();
    match module {
        module if PURE_MODULES.contains(&module) => &IMPURE_WORDS,
        AYA_MODULE => &[],
        _ => &["aya", "aya_log"],
    }
}

/// Whether a line has the word as a word.
fn names(line: &str, word: &str) -> bool {
    let is_part = |c: char| c.is_alphanumeric() || c == '_';
    line.match_indices(word).any(|(start, _)| {
        let before = line[..start].chars().next_back();
        let after = line[start + word.len()..].chars().next();
        !before.is_some_and(is_part) && !after.is_some_and(is_part)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pure_modules_name_no_runtime() {
        let text = "//! Pure: no tokio.\nuse tokio::sync;\nuse notokio::x;\n";
        assert_eq!(faults("filter-daemon/src/policy/compile.rs", text).len(), 1);
        assert_eq!(faults("filter-daemon/src/policy.rs", text).len(), 1);
        assert!(faults("filter-daemon/src/store.rs", text).is_empty());
    }

    #[test]
    fn one_module_names_aya() {
        let text = "//! X.\nuse aya::maps;\n";
        assert!(faults("filter-daemon/src/datapath/links.rs", text).is_empty());
        assert_eq!(faults("filter-daemon/src/observe.rs", text).len(), 1);
        assert!(faults("filter-common/src/lib.rs", text).is_empty());
    }

    #[test]
    fn heads_and_left_overs_are_seen() {
        assert_eq!(faults("a.rs", "fn main() {}\n").len(), 1);
        let left = format!("//! X.\nfn f() {{ {}{} }}\n", "todo", "!()");
        assert_eq!(faults("a.rs", &left).len(), 1);
        assert_eq!(faults("a.rs", &format!("//! X.\n{}", "\n".repeat(400))).len(), 1);
        assert_eq!(faults("a/mod.rs", "//! X.\n").len(), 1);
    }
}
