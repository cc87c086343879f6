//! Secrets, as they are made.

use crate::key::{PUBLIC_LETTERS, SecretHash};

/// A secret that nobody has been told yet.
pub struct NewSecret(String);

impl NewSecret {
    /// The private half of a key: 128 random bits, in the form of a UUID.
    pub fn private_half() -> Self {
        let digits = format!("{:032x}", rand::random::<u128>());
        let groups = [0..8, 8..12, 12..16, 16..20, 20..32];
        Self(groups.map(|group| &digits[group]).join("-"))
    }

    /// The secret of a token: 256 random bits.
    pub(super) fn token() -> Self {
        let [first, second]: [u128; 2] = rand::random();
        Self(format!("{first:032x}{second:032x}"))
    }

    /// What is to be told, once.
    pub fn text(&self) -> &str {
        &self.0
    }

    /// What is to be kept.
    pub fn hash(&self) -> SecretHash {
        SecretHash::of(&self.0)
    }
}

/// The public half of a key: random letters.
pub fn public_half() -> String {
    (0..PUBLIC_LETTERS).map(|_| rand::random_range('a'..='z')).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_have_their_forms_and_differ() {
        let (one, other) = (NewSecret::private_half(), NewSecret::private_half());
        assert_ne!(one.text(), other.text());
        let lengths: Vec<_> = one.text().split('-').map(str::len).collect();
        assert_eq!(lengths, [8, 4, 4, 4, 12]);
        assert_eq!(NewSecret::token().text().len(), 64);
        assert_ne!(NewSecret::token().hash(), NewSecret::token().hash());
        let public = public_half();
        assert!(public.len() == 8 && public.chars().all(|letter| letter.is_ascii_lowercase()));
    }
}
