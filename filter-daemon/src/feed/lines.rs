//! Lists of one address a line, and the two block lists that are lines of
//! more than that.

use super::fault::quote;
use super::filter::Says;
use super::intake::{Intake, Note, Place};

/// What starts a comment.
pub(super) const COMMENT_STARTS: [&str; 3] = ["#", ";", "//"];

/// A line that says something.
#[derive(Clone, Copy, Debug)]
pub(super) struct Line<'a> {
    /// Where it begins.
    pub(super) at: usize,
    /// What stands in front of a comment, without white space around it.
    pub(super) content: &'a str,
    /// The comment with what it starts with.
    pub(super) comment: Option<&'a str>,
}

/// The lines of a text that are neither blank nor comments as a whole.
pub(super) fn lines(text: &str) -> impl Iterator<Item = Line<'_>> {
    all_lines(text).filter(|line| !line.content.is_empty())
}

/// The lines of a text.
pub(super) fn all_lines(text: &str) -> impl Iterator<Item = Line<'_>> {
    let mut next = 0;
    text.split_inclusive('\n').map(move |whole| {
        let at = next;
        next += whole.len();
        let comment = COMMENT_STARTS.iter().filter_map(|start| whole.find(start)).min();
        let (content, comment) = whole.split_at(comment.unwrap_or(whole.len()));
        let comment = Some(comment.trim()).filter(|comment| !comment.is_empty());
        Line { at, content: content.trim(), comment }
    })
}

/// Reads addresses, CIDRs and ranges, each with the comment behind it.
pub(super) fn read_text(intake: &mut Intake<'_>) {
    for line in lines(intake.text()) {
        let place = Place::at(line.at);
        let comment = line.comment.map(|comment| comment.trim_start_matches(['#', ';', '/']));
        let comment = comment.map(str::trim).filter(|comment| !comment.is_empty());
        if let Some(hidden) = hidden_address(line) {
            let why = format!(
                "{hidden} stands behind a semicolon, as a comment would: one address a line"
            );
            intake.refuse(place, why);
            continue;
        }
        let is_range = line.content.contains('-');
        match line.content.split_once(char::is_whitespace) {
            Some((address, _)) if !is_range => {
                let why = format!(
                    "text behind {}: one address a line; #, ; or // start a comment",
                    quote(address)
                );
                intake.refuse(place, why);
            }
            Some(_) | None => {
                let note = Note { comment, ..Note::default() };
                intake.take_range(place, line.content, Says::default(), note);
            }
        }
    }
}

/// An address that a semicolon makes a comment of: a table whose columns are
/// parted by semicolons, more likely than a remark.
fn hidden_address(line: Line<'_>) -> Option<&str> {
    let rest = line.comment?.strip_prefix(';')?;
    let mut words = rest.split([';', ',', ' ', '\t']).filter(|word| !word.is_empty());
    words.next().filter(|word| super::rows::is_meant_as_address(word))
}

/// Reads Tor's exit nodes: blocks with an `ExitAddress`, or bare addresses.
pub(super) fn read_tor(intake: &mut Intake<'_>) {
    for line in lines(intake.text()) {
        let place = Place::at(line.at);
        let mut words = line.content.split_whitespace();
        match (words.next(), words.next()) {
            (Some("ExitAddress"), Some(address)) => {
                intake.take(place, address, Says::default(), Note::default());
            }
            (Some("ExitNode" | "Published" | "LastStatus"), _) => {}
            (Some(address), None) => intake.take(place, address, Says::default(), Note::default()),
            (Some(_) | None, _) => {
                let why = format!(
                    "{} is no line of a Tor exit list: ExitNode, Published, LastStatus, ExitAddress or one address",
                    quote(line.content)
                );
                intake.refuse(place, why);
            }
        }
    }
}

/// Reads DShield's table: first address, last address, and more.
pub(super) fn read_dshield(intake: &mut Intake<'_>) {
    for line in lines(intake.text()) {
        // Names of networks may hold what would start a comment elsewhere,
        // but stand behind both addresses.
        let mut words = line.content.split_whitespace();
        let (Some(first), Some(last)) = (words.next(), words.next()) else {
            let why = format!(
                "{} is no row of DShield's list: first address, last address, prefix length",
                quote(line.content)
            );
            intake.refuse(Place::at(line.at), why);
            continue;
        };
        if first.eq_ignore_ascii_case("start") && last.eq_ignore_ascii_case("end") {
            continue;
        }
        let range = format!("{first}-{last}");
        intake.take_range(Place::at(line.at), &range, Says::default(), Note::default());
    }
}
