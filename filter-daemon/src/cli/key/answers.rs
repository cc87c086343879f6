//! What the daemon answers about API keys.

use serde::{Deserialize, Serialize};

/// An API key.
#[derive(Debug, Deserialize, Serialize)]
pub(super) struct Key {
    /// 24 hex digits.
    #[serde(rename = "_id")]
    pub(super) id: String,
    /// Eight letters.
    pub(super) public_key: String,
    /// Only when it was made just now.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) private_key: Option<String>,
    /// Free text.
    pub(super) description: String,
    /// Whether it can be used.
    pub(super) enabled: bool,
    /// When it was made.
    pub(super) created: String,
    /// By whom.
    pub(super) created_by: String,
    /// From where it can be used; from anywhere if empty.
    pub(super) access_list: Vec<Source>,
    /// How often it was used, and when and from where last.
    #[serde(flatten)]
    pub(super) seen: Use,
}

/// An entry of a key's access list.
#[derive(Debug, Deserialize, Serialize)]
pub(super) struct Source {
    /// 24 hex digits.
    #[serde(rename = "_id")]
    pub(super) id: String,
    /// The address as typed.
    pub(super) address: String,
    /// Free text.
    pub(super) comment: String,
    /// When it was made.
    pub(super) created: String,
    /// How often it let somebody in, and when and from where last.
    #[serde(flatten)]
    pub(super) seen: Use,
}

/// How often something was used, and when and from where last.
#[derive(Debug, Deserialize, Serialize)]
pub(super) struct Use {
    /// Requests.
    pub(super) count: u64,
    /// When the last one came.
    pub(super) last_used: Option<String>,
    /// From where it came.
    pub(super) last_used_address: Option<String>,
}

impl Key {
    /// Whether a word on the command line means it.
    pub(super) fn is_called(&self, word: &str) -> bool {
        self.public_key == word || self.id == word
    }
}

impl Use {
    /// How often, when, from where: a cell each.
    pub(super) fn cells(&self) -> [String; 3] {
        let last = self.last_used.clone().unwrap_or_else(|| "never".to_owned());
        let address = self.last_used_address.clone().unwrap_or_default();
        [self.count.to_string(), last, address]
    }
}
