//! Known lists of sources to keep out, which must not become lists of sources
//! to let in.

use std::fmt;

use super::detect;
use super::lines::all_lines;

/// A list that was recognised.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BlockList {
    list: &'static str,
    sign: String,
}

impl BlockList {
    /// What it is called.
    pub fn list(&self) -> &'static str {
        self.list
    }
}

impl fmt::Display for BlockList {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { list, sign } = self;
        write!(
            f,
            "this is {list} ({sign}): it names sources to keep out, and an entry of an access list lets its source in"
        )
    }
}

const TOR: &str = "a list of Tor's exit nodes";
const SPAMHAUS: &str = "Spamhaus's DROP list";
const DSHIELD: &str = "DShield's block list";
const FIREHOL: &str = "a block list of FireHOL's collection";
const BOGONS: &str = "a list of bogons";
const ANY: &str = "a block list";

/// Words of file names and of headers, and whose they are; the first that
/// fits decides.
const WORDS: [(&str, &str); 13] = [
    ("torbulkexit", TOR),
    ("torexit", TOR),
    ("torproject", TOR),
    ("spamhaus", SPAMHAUS),
    ("dshield", DSHIELD),
    ("firehol", FIREHOL),
    ("bogons", BOGONS),
    ("blocklist", ANY),
    ("block list", ANY),
    ("blacklist", ANY),
    ("black list", ANY),
    ("denylist", ANY),
    ("deny list", ANY),
];

/// What follows upon Tor's name where it is not that of a gate.
const TOR_WORDS: [&str; 7] = ["bulk", "exit", "exits", "node", "nodes", "relay", "relays"];

/// Whole names of Spamhaus's files, which say little.
const SPAMHAUS_FILES: [&str; 6] = ["drop", "edrop", "dropv6", "drop v4", "drop v6", "asndrop"];

/// Categories of FireHOL's collection that hold block lists.
const HARMFUL: [&str; 7] =
    ["abuse", "anonymizers", "attacks", "malware", "reputation", "spam", "unroutable"];

/// Its categories of whole countries and organisations.
const HARMLESS: [&str; 2] = ["geolocation", "organizations"];

/// The list that a file is, if it is a known one.
pub(super) fn recognise(name: Option<&str>, text: &str) -> Option<BlockList> {
    let by_content = [
        (detect::is_tor(text), TOR, "it has ExitNode blocks"),
        (detect::is_dshield(text), DSHIELD, "it has DShield's columns"),
        (detect::is_spamhaus_json(text), SPAMHAUS, "it has `sblid` fields"),
    ];
    let by_content = by_content.into_iter().find(|(fits, _, _)| *fits);
    by_content
        .map(|(_, list, sign)| BlockList { list, sign: sign.to_owned() })
        .or_else(|| by_comments(text))
        .or_else(|| name.and_then(by_name))
}

/// By the comments above the first address, and the one behind it.
fn by_comments(text: &str) -> Option<BlockList> {
    let mut header = Vec::new();
    for line in all_lines(text) {
        let comment = line.comment.unwrap_or_default();
        let comment = comment.trim_start_matches(['#', ';', '/']).trim();
        if !line.content.is_empty() {
            let is_spamhaus = comment.strip_prefix("SBL").is_some_and(|rest| {
                !rest.is_empty() && rest.bytes().all(|byte| byte.is_ascii_digit())
            });
            let sign = format!("its comments are such as {comment}");
            if is_spamhaus {
                return Some(BlockList { list: SPAMHAUS, sign });
            }
            break;
        }
        header.push(comment);
    }
    if let Some(category) = header.iter().find_map(|comment| category(comment)) {
        let is_among = |known: &[&str]| {
            let mut names = category.split(',').map(|name| name.trim().to_ascii_lowercase());
            names.any(|name| known.contains(&name.as_str()))
        };
        if is_among(&HARMFUL) {
            let sign = format!("its header says Category: {category}");
            return Some(BlockList { list: whose(&header), sign });
        }
        if is_among(&HARMLESS) {
            return None;
        }
    }
    header.into_iter().find_map(|comment| {
        let list = by_words(comment)?;
        Some(BlockList { list, sign: format!("its header says {}", super::fault::quote(comment)) })
    })
}

/// `Category : attacks`.
fn category(comment: &str) -> Option<&str> {
    let (key, value) = comment.split_once(':')?;
    let value = value.trim();
    (key.trim().eq_ignore_ascii_case("category") && !value.is_empty()).then_some(value)
}

/// Whose list of FireHOL's collection it is, by the title of its header.
fn whose(header: &[&str]) -> &'static str {
    let title = header.iter().find(|comment| !comment.is_empty());
    title.and_then(|title| by_name(title)).map_or(FIREHOL, |named| named.list)
}

fn by_name(name: &str) -> Option<BlockList> {
    let (whole, stem) = (plain(name), plain(name.split('.').next().unwrap_or_default()));
    let is_tor = whole.split(' ').any(|word| word == "tor");
    let is_spamhaus = SPAMHAUS_FILES.contains(&stem.as_str());
    let list = is_tor.then_some(TOR).or(is_spamhaus.then_some(SPAMHAUS)).or(by_words(name))?;
    Some(BlockList { list, sign: format!("its name is {name}") })
}

fn by_words(text: &str) -> Option<&'static str> {
    let plain = plain(text);
    let words: Vec<&str> = plain.split(' ').collect();
    let is_tor = |pair: &[&str]| pair[0] == "tor" && TOR_WORDS.contains(&pair[1]);
    if words.windows(2).any(is_tor) {
        return Some(TOR);
    }
    WORDS.into_iter().find(|(word, _)| plain.contains(word)).map(|(_, list)| list)
}

/// In lower case, with one space for whatever stands between words.
fn plain(text: &str) -> String {
    let text = text.to_ascii_lowercase();
    let words: Vec<&str> =
        text.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()).collect();
    words.join(" ")
}
