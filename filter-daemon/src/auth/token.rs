//! The texts of tokens: what they are for, whose they are, and a secret. To
//! their owners they are opaque.

use std::fmt;

use crate::id::ObjectId;

/// What a token is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Access,
    Refresh,
}

/// A token taken apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Token<'a> {
    pub(super) kind: Kind,
    pub(super) session: ObjectId,
    pub(super) secret: &'a str,
}

impl Kind {
    fn name(self) -> &'static str {
        match self {
            Self::Access => "access",
            Self::Refresh => "refresh",
        }
    }
}

impl<'a> Token<'a> {
    /// Takes a text apart, if it is of this form.
    pub(super) fn parse(text: &'a str) -> Option<Self> {
        let mut parts = text.strip_prefix("filterd_")?.split('_');
        let (kind, session, secret) = (parts.next()?, parts.next()?, parts.next()?);
        let kind = [Kind::Access, Kind::Refresh].into_iter().find(|known| known.name() == kind)?;
        let token = Self { kind, session: session.parse().ok()?, secret };
        parts.next().is_none().then_some(token)
    }
}

impl fmt::Display for Token<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "filterd_{}_{}_{}", self.kind.name(), self.session, self.secret)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_are_read_as_they_are_written() {
        let session = ObjectId::from_bytes([7; 12]);
        for kind in [Kind::Access, Kind::Refresh] {
            let token = Token { kind, session, secret: "0123" };
            let text = token.to_string();
            assert_eq!(Token::parse(&text), Some(token));
            assert_eq!(Token::parse(&format!("{text}_more")), None);
        }
        for text in ["", "filterd_access", "filterd_other_070707070707070707070707_a", "a.b.c"] {
            assert_eq!(Token::parse(text), None);
        }
    }
}
