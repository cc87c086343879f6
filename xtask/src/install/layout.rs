//! What is installed where.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, ensure};

use super::Built;
use crate::workspace;

/// Where things go that the distribution did not bring.
pub(super) const DEFAULT_PREFIX: &str = "/usr/local";

/// The shells whose completions are installed, as `filterctl` calls them.
pub(super) const SHELLS: [&str; 3] = ["bash", "zsh", "fish"];

const PROGRAM: &str = "0755";
const TEXT: &str = "0644";

/// Everything that is installed.
#[derive(Debug)]
pub(super) struct Layout {
    /// One for each file.
    pub(super) items: Vec<Item>,
}

/// One file.
#[derive(Debug)]
pub(super) struct Item {
    /// Where it is now.
    pub(super) source: PathBuf,
    /// Where it goes, from the root on.
    pub(super) target: PathBuf,
    /// Its mode, in octal.
    pub(super) mode: &'static str,
    /// Whether one that is there already stays.
    pub(super) keep_existing: bool,
}

impl Layout {
    /// Lays out what was built. Writes the unit, which names the prefix.
    pub(super) fn new(prefix: &Path, built: &Built) -> Result<Self> {
        ensure!(prefix.is_absolute(), "--prefix must be absolute, and {} is not", prefix.display());
        let dist = workspace::dist();
        let share = prefix.join("share");
        let mut layout = Self { items: Vec::new() };
        layout.add(built.binaries.join("filterd"), prefix.join("sbin/filterd"), PROGRAM);
        layout.add(built.binaries.join("filterctl"), prefix.join("bin/filterctl"), PROGRAM);
        // The folder that systemd reads whatever the prefix is.
        let unit = write_unit(prefix, &built.generated)?;
        layout.add(unit, "/etc/systemd/system/filterd.service", TEXT);
        layout.add_pages(&built.generated.join("man"), &share.join("man"))?;
        for (shell, script) in SHELLS.into_iter().zip([
            "bash-completion/completions/filterctl",
            "zsh/site-functions/_filterctl",
            "fish/vendor_completions.d/filterctl.fish",
        ]) {
            layout.add(built.generated.join(shell), share.join(script), TEXT);
        }
        let documents = share.join("doc/filterd");
        for example in ["examples/app-services.json", "examples/apps.toml"] {
            layout.add(dist.join(example), documents.join(example), TEXT);
        }
        let openapi = dist.join("openapi.json");
        layout.add(openapi, documents.join("openapi.json"), TEXT);
        for document in ["README.md", "CHANGELOG.md", "LICENSE"] {
            layout.add(workspace::root().join(document), documents.join(document), TEXT);
        }
        let config = dist.join("filterd.toml");
        layout.add(config.clone(), "/etc/filterd/filterd.toml.example", TEXT);
        layout.add(config, "/etc/filterd/filterd.toml", TEXT);
        layout.items.last_mut().expect("just added").keep_existing = true;
        Ok(layout)
    }

    fn add(&mut self, source: PathBuf, target: impl Into<PathBuf>, mode: &'static str) {
        self.items.push(Item { source, target: target.into(), mode, keep_existing: false });
    }

    fn add_pages(&mut self, pages: &Path, target: &Path) -> Result<()> {
        let mut files: Vec<PathBuf> =
            fs::read_dir(pages)?.flatten().map(|file| file.path()).collect();
        files.sort_unstable();
        for page in files {
            let name = page.file_name().context("a page has a name")?.to_owned();
            let section = page.extension().context("a page has a section")?.to_string_lossy();
            let folder = target.join(format!("man{section}"));
            self.add(page, folder.join(name), TEXT);
        }
        Ok(())
    }
}

fn write_unit(prefix: &Path, generated: &Path) -> Result<PathBuf> {
    let text = fs::read_to_string(workspace::dist().join("filterd.service"))?;
    let own = |folder: &str| format!("{folder}/sbin/filterd");
    let path = generated.join("filterd.service");
    let prefix = prefix.to_string_lossy();
    fs::write(&path, text.replace(&own(DEFAULT_PREFIX), &own(&prefix)))?;
    Ok(path)
}
