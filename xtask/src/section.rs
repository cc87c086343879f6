//! The generated parts of the README, each between its two markers.

use std::fs;
use std::path::Path;

use anyhow::{Context as _, Result};

/// Puts a text in the place of a part.
pub(crate) fn write(root: &Path, name: &str, content: &str) -> Result<()> {
    let path = root.join("README.md");
    let text = replace(&fs::read_to_string(&path)?, name, content)?;
    Ok(fs::write(path, text)?)
}

/// A README with another text in the place of a part.
pub(crate) fn replace(readme: &str, name: &str, content: &str) -> Result<String> {
    let (begin, end) = (format!("<!-- {name}:begin -->\n"), format!("<!-- {name}:end -->\n"));
    let (before, rest) =
        readme.split_once(&begin).with_context(|| format!("README.md has no {name}:begin"))?;
    let (_, after) =
        rest.split_once(&end).with_context(|| format!("README.md has no {name}:end"))?;
    Ok(format!("{before}{begin}{content}{end}{after}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn content_replaces_what_stood_there() {
        let text = "a\n<!-- x:begin -->\nstale\n<!-- x:end -->\nb\n";
        let new = replace(text, "x", "fresh\n").expect("has markers");
        assert_eq!(new, "a\n<!-- x:begin -->\nfresh\n<!-- x:end -->\nb\n");
        assert_eq!(replace(&new, "x", "fresh\n").expect("has markers"), new);
        assert!(replace("no markers", "x", "").is_err());
    }
}
