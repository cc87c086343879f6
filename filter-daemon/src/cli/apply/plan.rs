//! What applying a file comes to.

use serde::{Deserialize, Serialize};

use crate::cli::answers::Imported;
use crate::cli::failure::Failure;
use crate::cli::output;

/// As many addresses of each kind are shown of an app; `--json` has all.
const ADDRESSES_SHOWN: usize = 20;

/// What becomes of each app.
#[derive(Debug, Deserialize, Serialize)]
#[serde(transparent)]
pub(super) struct Plan(Vec<AppChange>);

/// What becomes of an app.
#[derive(Debug, Deserialize, Serialize)]
struct AppChange {
    action: Action,
    name: String,
    client_app_id: String,
    /// What of it is new, beside its list.
    detail: String,
    list: Imported,
}

#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
enum Action {
    Create,
    Update,
    Keep,
    Delete,
}

impl Plan {
    /// Whether everything stays as it is.
    pub(super) fn is_empty(&self) -> bool {
        self.0.iter().all(|change| change.action == Action::Keep && !change.changes_list())
    }

    /// How many apps are deleted.
    pub(super) fn deleted(&self) -> usize {
        self.0.iter().filter(|change| change.action == Action::Delete).count()
    }

    /// Prints it for people.
    pub(super) fn print(&self, file: &str) -> Result<(), Failure> {
        if self.0.is_empty() {
            return output::line(&format!("{file} holds no app"));
        }
        self.0.iter().try_for_each(AppChange::print)
    }
}

impl AppChange {
    fn changes_list(&self) -> bool {
        let Imported { added, removed, changed, .. } = self.list;
        added + removed + changed > 0
    }

    fn print(&self) -> Result<(), Failure> {
        output::line(&output::harmless(&self.title()))?;
        if !self.changes_list() {
            return Ok(());
        }
        let Imported { added, removed, changed, unchanged, .. } = self.list;
        output::line(&format!(
            "  list: {added} added, {removed} removed, {changed} changed, {unchanged} unchanged"
        ))?;
        for (sign, addresses) in [
            ('-', &self.list.removed_addresses),
            ('~', &self.list.changed_addresses),
            ('+', &self.list.added_addresses),
        ] {
            print_addresses(sign, addresses.as_deref().unwrap_or_default())?;
        }
        Ok(())
    }

    fn title(&self) -> String {
        let Self { name, client_app_id, detail, list, .. } = self;
        let detail = if detail.is_empty() { String::new() } else { format!(": {detail}") };
        match self.action {
            // Its client app id is not known before it is made.
            Action::Create => format!("create {name}{detail}"),
            Action::Update => format!("update {client_app_id}{detail}"),
            Action::Keep if self.changes_list() => format!("keep {client_app_id}"),
            Action::Keep => format!("keep {client_app_id} with its {} entries", list.unchanged),
            Action::Delete => format!("delete {client_app_id} with its list"),
        }
    }
}

fn print_addresses(sign: char, addresses: &[String]) -> Result<(), Failure> {
    for address in addresses.iter().take(ADDRESSES_SHOWN) {
        output::line(&format!("  {sign} {}", output::harmless(address)))?;
    }
    match addresses.len().saturating_sub(ADDRESSES_SHOWN) {
        0 => Ok(()),
        more => output::line(&format!("  {sign} and {more} more; --json shows all")),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn plan(action: &str, detail: &str, added: u64) -> Plan {
        let list =
            json!({ "version": 1, "added": added, "removed": 0, "changed": 0, "unchanged": 4 });
        let change = json!({
            "action": action, "name": "web", "client_app_id": "web-aaaaa", "detail": detail,
            "list": list,
        });
        serde_json::from_value(Value::Array(vec![change])).expect("a plan")
    }

    #[test]
    fn titles_say_what_becomes_of_an_app() {
        for (plan, title) in [
            (plan("create", "mode observe", 2), "create web: mode observe"),
            (
                plan("update", "mode off; origins none", 0),
                "update web-aaaaa: mode off; origins none",
            ),
            (plan("keep", "", 1), "keep web-aaaaa"),
            (plan("keep", "", 0), "keep web-aaaaa with its 4 entries"),
            (plan("delete", "", 0), "delete web-aaaaa with its list"),
        ] {
            assert_eq!(plan.0[0].title(), title);
        }
    }

    #[test]
    fn a_plan_is_empty_when_nothing_is_different() {
        assert!(plan("keep", "", 0).is_empty() && plan("keep", "", 0).deleted() == 0);
        assert!(!plan("keep", "", 1).is_empty());
        assert!(!plan("delete", "", 0).is_empty() && plan("delete", "", 0).deleted() == 1);
    }
}
