//! The two flat forms of a list in a file: a JSON array of address strings,
//! and one address a line.
//!
//! Pure. A file with any fault yields no address.

mod json;
mod lines;

use std::borrow::Cow;
use std::collections::HashMap;
use std::collections::hash_map::Entry;

use crate::access_list::{Address, Prefix};

/// Something in a file that is not an address.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Fault {
    /// Where, from 1.
    pub(super) line: usize,
    /// What is wrong.
    pub(super) why: String,
}

/// Every fault of a file, in order, at least one.
pub(super) type Faults = Vec<Fault>;

/// A text that should be an address, and its line.
type Candidate<'a> = (usize, Cow<'a, str>);

/// Reads either form.
pub(super) fn read(bytes: &[u8]) -> Result<Vec<Address>, Faults> {
    let text = std::str::from_utf8(bytes).map_err(|error| {
        let line = bytes[..error.valid_up_to()].iter().filter(|byte| **byte == b'\n').count() + 1;
        vec![Fault { line, why: "this is not UTF-8 text".to_owned() }]
    })?;
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let (candidates, mut faults) = match text.trim_start().starts_with(['[', '{']) {
        true => json::read(text),
        false => lines::read(text),
    };
    let mut first_lines: HashMap<Prefix, usize> = HashMap::with_capacity(candidates.len());
    let mut addresses = Vec::with_capacity(candidates.len());
    for (line, candidate) in candidates {
        match accept(&mut first_lines, line, &candidate) {
            Ok(address) => addresses.push(address),
            Err(why) => faults.push(Fault { line, why }),
        }
    }
    if faults.is_empty() {
        return Ok(addresses);
    }
    faults.sort_by_key(|fault| fault.line);
    Err(faults)
}

fn accept(
    first_lines: &mut HashMap<Prefix, usize>,
    line: usize,
    candidate: &str,
) -> Result<Address, String> {
    let address = Address::parse(candidate).map_err(|error| error.to_string())?;
    match first_lines.entry(address.prefix()) {
        Entry::Vacant(place) => {
            place.insert(line);
            Ok(address)
        }
        Entry::Occupied(first) => {
            let (first, prefix) = (first.get(), address.prefix());
            Err(format!("{candidate:?} stands for {prefix}, as line {first} does already"))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(text: &str) -> Vec<usize> {
        let faults = read(text.as_bytes()).expect_err("faults");
        faults.into_iter().map(|fault| fault.line).collect()
    }

    #[test]
    fn both_forms_say_the_same() {
        let typed = |text: &&str| Address::parse(text).expect(text);
        let expected = Ok(["192.0.2.1", "2001:DB8::/32"].iter().map(typed).collect());
        for text in [
            "192.0.2.1\n2001:DB8::/32\n",
            "# a list\r\n\r\n  192.0.2.1  \r\n\t# more\r\n2001:DB8::/32",
            "\u{feff}192.0.2.1\n2001:DB8::/32",
            r#"["192.0.2.1","2001:DB8::/32"]"#,
            "[\r\n  \"192.0.2.1\",\r\n  \"2001:DB8::\\/32\"\r\n]\r\n",
        ] {
            assert_eq!(read(text.as_bytes()), expected, "{text:?}");
        }
        for text in ["", "\n# nothing\n", "[]", " [ ] "] {
            assert_eq!(read(text.as_bytes()), Ok(Vec::new()), "{text:?}");
        }
    }

    #[test]
    fn every_fault_has_its_line() {
        assert_eq!(lines("192.0.2.1\nnonsense\n10.0.0.1/8\n192.0.2.2 office\n"), [2, 3, 4]);
        assert_eq!(lines("[\n\"192.0.2.1\",\n7,\n\"nonsense\",\n[\"192.0.2.2\"]\n]"), [3, 4, 5]);
        assert_eq!(lines("[\"192.0.2.1\",\n\"192.0.2.2\"\n"), [3]);
        assert_eq!(lines("{\"prefixes\": []}"), [1]);
        assert_eq!(read(b"192.0.2.1\n\xff\n").expect_err("not UTF-8")[0].line, 2);
    }

    #[test]
    fn duplicates_name_both_lines() {
        for text in ["192.0.2.1\n# x\n192.0.2.1/32", "[\"192.0.2.1\",\n\n\"::ffff:192.0.2.1\"]"] {
            let faults = read(text.as_bytes()).expect_err("a duplicate");
            assert_eq!((faults.len(), faults[0].line), (1, 3));
            assert!(faults[0].why.contains("line 1"), "{}", faults[0].why);
        }
    }
}
