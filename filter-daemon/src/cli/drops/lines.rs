//! Lines out of pieces.

/// The end of what has come, up to which no line has ended.
#[derive(Debug, Default)]
pub(super) struct Lines {
    rest: Vec<u8>,
}

impl Lines {
    /// Adds a piece; answers the lines that it ends, without empty ones.
    pub(super) fn push(&mut self, piece: &[u8]) -> Vec<String> {
        self.rest.extend_from_slice(piece);
        let Some(last) = self.rest.iter().rposition(|byte| *byte == b'\n') else {
            return Vec::new();
        };
        let rest = self.rest.split_off(last + 1);
        let ended = std::mem::replace(&mut self.rest, rest);
        String::from_utf8_lossy(&ended)
            .lines()
            .filter(|line| !line.trim().is_empty())
            .map(str::to_owned)
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_may_end_anywhere() {
        let mut lines = Lines::default();
        assert_eq!(lines.push(b"{\"a\":"), Vec::<String>::new());
        assert_eq!(
            lines.push("1}\n\n{\"b\":\"ä".as_bytes().split_last().expect("text").1),
            ["{\"a\":1}"]
        );
        assert_eq!(lines.push(b"\xa4\"}\nrest"), ["{\"b\":\"ä\"}"]);
    }
}
