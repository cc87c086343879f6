//! What every task needs: the daemon's socket, the form of output, and
//! whether somebody can be asked.

use std::cell::OnceCell;
use std::io;
use std::path::{Path, PathBuf};

use serde_json::json;

use super::arguments::{Arguments, CONFIG};
use super::client::Client;
use super::failure::Failure;
use super::ssh::{self, Discovery};
use super::{output, terminal};
use crate::config::{Config, Paths};

/// One run of filterctl.
#[derive(Debug)]
pub(super) struct Invocation {
    /// The way to the daemon.
    pub(super) client: Client,
    /// Where the daemon pins its links.
    pub(super) pins: PathBuf,
    /// Print JSON.
    pub(super) json: bool,
    /// Ask nothing and protect nothing.
    pub(super) yes: bool,
    session: OnceCell<Option<Discovery>>,
}

impl Invocation {
    /// Reads the paths of the daemon's configuration.
    pub(super) fn new(arguments: &Arguments) -> Self {
        let (paths, group) = paths(&arguments.config, arguments.json);
        let socket = arguments.socket.clone().unwrap_or(paths.control_socket);
        Self {
            client: Client::new(socket, group),
            pins: paths.pins,
            json: arguments.json,
            yes: arguments.yes,
            session: OnceCell::new(),
        }
    }

    /// Whether somebody is there to answer a question.
    pub(super) fn is_attended(&self) -> bool {
        !self.json && terminal::is_attended()
    }

    /// The SSH session that this runs in.
    pub(super) fn session(&self) -> Option<&Discovery> {
        self.session.get_or_init(|| ssh::discover(Path::new("/proc"))).as_ref()
    }

    /// Says on stderr what is not as it should be and hinders nothing.
    pub(super) fn warn(&self, text: &str) {
        warn(text, self.json);
    }

    /// Has a step confirmed: by `--yes`, else by a question, else not at all.
    pub(super) fn confirm(&self, question: &str) -> Result<(), Failure> {
        if self.yes {
            return Ok(());
        }
        if !self.is_attended() {
            return Err(Failure::usage("there is no terminal to ask on: say --yes to go ahead"));
        }
        if terminal::ask_yes(question)? {
            return Ok(());
        }
        Err(Failure::new("not confirmed; nothing was changed"))
    }
}

const DEFAULT_PATHS: &str = "going on with the default paths";

fn warn(text: &str, json: bool) {
    let text = match json {
        true => json!({ "warning": text }).to_string(),
        false => format!("filterctl: warning: {text}"),
    };
    output::remark(&text);
}

/// A configuration that cannot be read must not keep the operator from the
/// daemon, least of all from `detach`.
fn paths(config: &Path, json: bool) -> (Paths, Option<String>) {
    if std::fs::metadata(config).is_err_and(|error| error.kind() == io::ErrorKind::NotFound) {
        if config != Path::new(CONFIG) {
            warn(&format!("{}: there is no such file: {DEFAULT_PATHS}", config.display()), json);
        }
        return (Paths::default(), None);
    }
    match Config::load(config) {
        Ok(config) => (config.paths, config.control_group),
        Err(error) => {
            let text = error.to_string();
            let first = text.lines().next().unwrap_or_default();
            let (paths, group) = Config::paths_alone(config);
            let going_on = match paths == Paths::default() {
                true => DEFAULT_PATHS,
                false => "going on with the paths in it",
            };
            warn(&format!("{first}: {going_on}; `filterd --check` shows every fault"), json);
            (paths, group)
        }
    }
}
