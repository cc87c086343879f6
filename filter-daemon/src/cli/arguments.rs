//! The command line's grammar above the single tasks.
//!
//! Owns the global flags and the list of tasks; each task's own flags are in
//! the file that carries it out.

use std::path::PathBuf;

use clap::{Parser, Subcommand};

use super::{
    access_list, app, apply, audit, counters, diff, drops, history, interface, key, names, origins,
    outbound, proxy, restore, settings,
};

const EXIT_CODES: &str = "\
Exit codes:
  0  done
  1  refused or failed
  2  wrong usage, or a question without a terminal to ask it on
  3  saved, but not in force in the kernel; the reason is printed
  4  filterd does not answer on its control socket
  5  others have changed it since the version that the change was made for

A change that would cut your own SSH session is refused; -y does it all the same.";

/// The heading of the flags that every task has.
const EVERYWHERE: &str = "Options of every command";

/// The configuration of a daemon that was told nothing else.
pub(super) const CONFIG: &str = "/etc/filterd/filterd.toml";

/// Says who gets in: the command line of filterd.
#[derive(Debug, Parser)]
#[command(name = "filterctl", version, after_help = EXIT_CODES, propagate_version = true)]
pub(super) struct Arguments {
    /// The daemon's configuration; only its paths are used
    #[arg(
        long,
        global = true,
        value_name = "PATH",
        default_value = CONFIG,
        help_heading = EVERYWHERE
    )]
    pub(super) config: PathBuf,

    /// The daemon's control socket [default: what the configuration says]
    #[arg(long, global = true, value_name = "PATH", help_heading = EVERYWHERE)]
    pub(super) socket: Option<PathBuf>,

    /// Print JSON, one document a line, and ask nothing
    #[arg(long, global = true, help_heading = EVERYWHERE)]
    pub(super) json: bool,

    /// Do not ask, and do it even if it cuts your own SSH session
    #[arg(short, long, global = true, help_heading = EVERYWHERE)]
    pub(super) yes: bool,

    /// What to do.
    #[command(subcommand)]
    pub(super) task: Task,
}

/// Everything that filterctl does.
#[derive(Debug, Subcommand)]
pub(super) enum Task {
    /// Show what is in force, and what is not
    Status,
    /// Network interfaces and the filter on them
    Interface {
        /// What to do.
        #[command(subcommand)]
        task: interface::Task,
    },
    /// What holds for the whole host
    Settings {
        /// What to do.
        #[command(subcommand)]
        task: settings::Task,
    },
    /// Protected services
    App {
        /// What to do.
        #[command(subcommand)]
        task: app::Task,
    },
    /// The addresses that an app lets in
    #[command(name = "accesslist", visible_aliases = ["accessList", "access-list"])]
    AccessList {
        /// What to do.
        #[command(subcommand)]
        task: access_list::Task,
    },
    /// List the versions of an app's access list
    History(history::Options),
    /// Show what is different between two versions of an access list
    Diff(diff::Options),
    /// Make an access list what it was at an earlier version
    Restore(restore::Options),
    /// Show who changed what
    Audit(audit::Options),
    /// The server names that the proxy answers to for an app
    Names {
        /// What to do.
        #[command(subcommand)]
        task: names::Task,
    },
    /// What the proxy does for an app, and what it counted
    Proxy {
        /// What to do.
        #[command(subcommand)]
        task: proxy::Task,
    },
    /// The web pages that may call an app: its allowed request origins
    Origins {
        /// What to do.
        #[command(subcommand)]
        task: origins::Task,
    },
    /// Make apps and their lists what a file says, as one change
    Apply(apply::Options),
    /// The addresses that the proxy sends from
    Outbound {
        /// What to do.
        #[command(subcommand)]
        task: outbound::Task,
    },
    /// API keys, by which programs use the Admin API
    Key {
        /// What to do.
        #[command(subcommand)]
        task: key::Task,
    },
    /// Show refused packets, and what the proxy refuses, as they come, until Ctrl-C
    Drops(drops::Options),
    /// Show what was counted, by app and reason
    Counters(counters::Options),
    /// Take the filter off every interface: all traffic is open then
    ///
    /// Works without the daemon too: then the links pinned in the BPF file
    /// system are removed.
    Detach,
    /// Put the filter back on every interface
    Attach,
    /// Print the completion script of a shell
    Completions {
        /// The shell
        shell: clap_complete::Shell,
    },
}

impl Task {
    /// What a failure is said to be a failure of.
    pub(super) fn title(&self) -> String {
        match self {
            Self::Status => "status".to_owned(),
            Self::Interface { task } => format!("interface {}", task.title()),
            Self::Settings { task } => format!("settings {}", task.title()),
            Self::App { task } => format!("app {}", task.title()),
            Self::AccessList { task } => format!("accesslist {}", task.title()),
            Self::History(_) => "history".to_owned(),
            Self::Diff(_) => "diff".to_owned(),
            Self::Restore(_) => "restore".to_owned(),
            Self::Audit(_) => "audit".to_owned(),
            Self::Names { task } => format!("names {}", task.title()),
            Self::Proxy { task } => format!("proxy {}", task.title()),
            Self::Origins { task } => format!("origins {}", task.title()),
            Self::Apply(_) => "apply".to_owned(),
            Self::Outbound { task } => format!("outbound {}", task.title()),
            Self::Key { task } => format!("key {}", task.title()),
            Self::Drops(_) => "drops".to_owned(),
            Self::Counters(_) => "counters".to_owned(),
            Self::Detach => "detach".to_owned(),
            Self::Attach => "attach".to_owned(),
            Self::Completions { .. } => "completions".to_owned(),
        }
    }

    /// Whether Ctrl-C is its ordinary end.
    pub(super) fn ends_by_interrupt(&self) -> bool {
        matches!(self, Self::Drops(_))
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    #[test]
    fn grammar_is_sound() {
        Arguments::command().debug_assert();
    }

    #[test]
    fn every_name_of_the_access_list_is_known() {
        for name in ["accesslist", "accessList", "access-list"] {
            for list in ["list", "ls"] {
                let arguments = Arguments::try_parse_from(["filterctl", name, list, "-a", "web"]);
                assert_eq!(arguments.expect(name).task.title(), "accesslist list");
            }
        }
    }

    #[test]
    fn global_flags_stand_anywhere() {
        let arguments = Arguments::try_parse_from(["filterctl", "app", "list", "--json", "-y"]);
        let arguments = arguments.expect("valid");
        assert!(arguments.json && arguments.yes);
    }
}
