//! Rules for manifests.

/// What is wrong with one.
pub(super) fn faults(name: &str, text: &str) -> Vec<String> {
    // A manifest that is the top of a workspace has no workspace to follow.
    let is_top = text.lines().any(|line| line.trim() == "[workspace]");
    let follows = text
        .lines()
        .map(str::trim)
        .skip_while(|line| *line != "[lints]")
        .skip(1)
        .take_while(|line| !line.starts_with('['))
        .any(|line| line == "workspace = true");
    match is_top || follows {
        true => Vec::new(),
        false => {
            vec![format!("{name}: does not take the workspace's lints ([lints] workspace = true)")]
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lints_are_opted_into() {
        assert!(faults("a", "[package]\n[lints]\nworkspace = true\n").is_empty());
        assert!(faults("a", "[workspace]\nmembers = []\n").is_empty());
        assert_eq!(faults("a", "[package]\n[lints]\n[bin]\nworkspace = true\n").len(), 1);
    }
}
