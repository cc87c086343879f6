//! On what terms a change is asked for: why, and of which version.

use clap::Args;

use super::client::Call;
use super::failure::Failure;

const REASON: &str = "filterd-reason";
const IF_MATCH: &str = "if-match";

/// The longest reason that the daemon takes.
const LONGEST_REASON_BYTES: usize = 1024;

/// Why something is changed.
#[derive(Args, Clone, Debug, Default)]
pub(super) struct Reason {
    /// Why: kept in the list's history and in the audit log
    #[arg(long, value_name = "TEXT", value_parser = reason)]
    reason: Option<String>,
}

/// Why something is changed, and of which version.
#[derive(Args, Clone, Debug, Default)]
pub(super) struct Terms {
    #[command(flatten)]
    reason: Reason,

    /// Change the list only if this is its version, as `filterctl history`
    /// and `filterctl app show` tell it
    #[arg(long, value_name = "VERSION")]
    if_version: Option<u64>,
}

impl Reason {
    /// The terms of a change that is made for a version.
    pub(super) fn of_version(&self, version: Option<u64>) -> Terms {
        Terms { reason: self.clone(), if_version: version }
    }
}

impl Terms {
    /// The terms of the next of several changes, when the one before it made
    /// a version.
    pub(super) fn after(&self, version: Option<u64>) -> Self {
        let if_version = self.if_version.and(version);
        Self { reason: self.reason.clone(), if_version }
    }

    /// Puts them on a call.
    pub(super) fn put_on<'a>(&self, mut call: Call<'a>) -> Result<Call<'a>, Failure> {
        if let Some(reason) = &self.reason.reason {
            call = call.with_header(REASON, reason)?;
        }
        if let Some(version) = self.if_version {
            call = call.with_header(IF_MATCH, &format!("\"{version}\""))?;
        }
        Ok(call)
    }
}

fn reason(text: &str) -> Result<String, String> {
    if text.len() > LONGEST_REASON_BYTES {
        return Err(format!("it is {} bytes long: at most {LONGEST_REASON_BYTES}", text.len()));
    }
    if text.chars().any(char::is_control) {
        return Err("it holds a line break or another control character: give one line".to_owned());
    }
    Ok(text.trim().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reason_is_one_line() {
        assert_eq!(reason(" früh am Morgen "), Ok("früh am Morgen".to_owned()));
        for bad in ["a\nb", "a\u{7f}", &"x".repeat(1025)] {
            assert!(reason(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn each_of_several_changes_is_for_the_version_that_the_last_one_made() {
        let terms = Reason::default().of_version(Some(3));
        assert_eq!(terms.after(Some(4)).if_version, Some(4));
        assert_eq!(Terms::default().after(Some(4)).if_version, None, "nobody asked for it");
    }
}
