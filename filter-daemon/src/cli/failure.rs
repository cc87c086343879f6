//! How a task ends badly: what is said, and the exit code.
//!
//! Owns the exit codes and the form of every error on stderr.

use std::io::{self, Write as _};
use std::process::ExitCode;

use serde_json::json;

/// Why a task was not done, and what to do about it.
#[derive(Debug)]
pub(super) struct Failure {
    kind: Kind,
    why: String,
    code: Option<String>,
    advice: Option<String>,
}

/// The kinds of failure that a script tells apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// Refused, or tried in vain.
    Failed,
    /// Asked for in a way that cannot be understood.
    Usage,
    /// Saved by the daemon, not in force in the kernel.
    NotInForce,
    /// The daemon does not answer.
    Unreachable,
    /// Made for a version that is no longer the latest.
    Outdated,
    /// Broken off by Ctrl-C.
    Interrupted,
    /// Whoever read stdout has gone: no failure of ours.
    OutputClosed,
}

impl Failure {
    /// Something refused, or tried in vain.
    pub(super) fn new(why: impl Into<String>) -> Self {
        Self::of_kind(Kind::Failed, why)
    }

    /// A command line that lacks something or contradicts itself.
    pub(super) fn usage(why: impl Into<String>) -> Self {
        Self::of_kind(Kind::Usage, why).with_code("Usage")
    }

    /// A change that is saved and not in force.
    pub(super) fn not_in_force(reason: impl Into<String>) -> Self {
        Self::of_kind(Kind::NotInForce, reason).with_code("NotInForce").with_advice(
            "`filterctl status` shows what is in force; filterd tries again by itself.",
        )
    }

    /// No daemon to talk to.
    pub(super) fn unreachable(why: impl Into<String>) -> Self {
        Self::of_kind(Kind::Unreachable, why).with_code("DaemonUnreachable")
    }

    /// A change of something that others have changed meanwhile.
    pub(super) fn outdated(why: impl Into<String>) -> Self {
        Self::of_kind(Kind::Outdated, why)
            .with_code("VersionMismatch")
            .with_advice("`filterctl history` and `filterctl audit` show what others did.")
    }

    /// Ctrl-C.
    pub(super) fn interrupted() -> Self {
        Self::of_kind(Kind::Interrupted, "interrupted").with_code("Interrupted")
    }

    fn of_kind(kind: Kind, why: impl Into<String>) -> Self {
        Self { kind, why: why.into(), code: None, advice: None }
    }

    /// Names the error for programs.
    pub(super) fn with_code(mut self, code: impl Into<String>) -> Self {
        self.code = Some(code.into());
        self
    }

    /// Says what to do about it.
    pub(super) fn with_advice(mut self, advice: impl Into<String>) -> Self {
        self.advice = Some(advice.into());
        self
    }

    /// What kind of failure it is.
    pub(super) fn kind(&self) -> Kind {
        self.kind
    }

    /// Why.
    pub(super) fn why(&self) -> &str {
        &self.why
    }

    /// Whether the daemon named the error so.
    pub(super) fn has_code(&self, code: &str) -> bool {
        self.code.as_deref() == Some(code)
    }

    /// Says it on stderr and answers the exit code.
    pub(super) fn report(&self, title: &str, json: bool) -> ExitCode {
        if self.kind != Kind::OutputClosed {
            let text = if json { self.json() } else { self.text(title) };
            // With stderr gone too there is nobody left to tell.
            let _ = writeln!(io::stderr(), "{text}");
        }
        ExitCode::from(self.exit_code())
    }

    fn exit_code(&self) -> u8 {
        match self.kind {
            Kind::OutputClosed => 0,
            Kind::Failed => 1,
            Kind::Usage => 2,
            Kind::NotInForce => 3,
            Kind::Unreachable => 4,
            Kind::Outdated => 5,
            // 128 + SIGINT, as a shell has it.
            Kind::Interrupted => 130,
        }
    }

    fn json(&self) -> String {
        json!({ "error": self.why, "error_code": self.code }).to_string()
    }

    fn text(&self, title: &str) -> String {
        let end = match self.kind {
            Kind::Usage => " setup failed",
            Kind::NotInForce => ": saved, but not in force",
            Kind::Failed
            | Kind::Unreachable
            | Kind::Outdated
            | Kind::Interrupted
            | Kind::OutputClosed => " failed",
        };
        let mut text = format!("filterctl: {title}{end}: {}", self.why);
        if let Some(advice) = &self.advice {
            text.push('\n');
            text.push_str(advice);
        }
        text
    }
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        if error.kind() == io::ErrorKind::BrokenPipe {
            return Self::of_kind(Kind::OutputClosed, "stdout was closed");
        }
        Self::new(format!("cannot write to stdout: {error}"))
    }
}

/// Reports a command line that clap refused, or prints the help that was
/// asked for.
pub(super) fn usage(error: &clap::Error) -> ExitCode {
    let json = std::env::args_os().any(|argument| argument == "--json");
    if json && error.use_stderr() {
        let text = error.to_string();
        // The usage that follows is for people.
        let why = text.split("\n\n").next().unwrap_or_default().trim_start_matches("error: ");
        return Failure::usage(why).report("", true);
    }
    // A reader that has gone away is no failure.
    let _ = error.print();
    ExitCode::from(if error.use_stderr() { 2 } else { 0 })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_say_what_why_and_what_to_do() {
        let failure = Failure::new("no such app").with_advice("Try `filterctl app list`.");
        assert_eq!(
            failure.text("app show"),
            "filterctl: app show failed: no such app\nTry `filterctl app list`.",
        );
        let usage = Failure::usage("--app is missing");
        assert_eq!(usage.text("drops"), "filterctl: drops setup failed: --app is missing");
        assert_eq!(usage.json(), r#"{"error":"--app is missing","error_code":"Usage"}"#);
    }

    #[test]
    fn exit_codes_are_the_documented_ones() {
        let codes = [
            (Failure::new(""), 1),
            (Failure::usage(""), 2),
            (Failure::not_in_force(""), 3),
            (Failure::unreachable(""), 4),
            (Failure::outdated(""), 5),
            (io::Error::from(io::ErrorKind::BrokenPipe).into(), 0),
        ];
        for (failure, code) in codes {
            assert_eq!(failure.exit_code(), code, "{failure:?}");
        }
    }
}
