//! Which app and which group are meant.
//!
//! Owns the matching of what was typed against what exists.

use super::answers::{App, Group};
use super::failure::Failure;
use super::invocation::Invocation;
use super::terminal;

const GROUPS: &str = "/api/filter/v1/groups";

impl App {
    /// Its path among what is ours.
    pub(super) fn path(&self) -> String {
        format!("{GROUPS}/{}/apps/{}", self.group_id, self.id)
    }

    /// The path of its access list.
    pub(super) fn access_list_path(&self) -> String {
        format!("{}/access_list", self.path())
    }
}

impl Group {
    /// Its path among what is ours.
    pub(super) fn path(&self) -> String {
        format!("{GROUPS}/{}", self.id)
    }

    /// The path of its apps among what is ours.
    pub(super) fn apps_path(&self) -> String {
        format!("{}/apps", self.path())
    }
}

impl Invocation {
    /// All groups.
    async fn groups(&self) -> Result<Vec<Group>, Failure> {
        self.client.read(GROUPS).await
    }

    /// All apps of all groups.
    pub(super) async fn apps(&self) -> Result<Vec<App>, Failure> {
        let mut apps = Vec::new();
        for group in self.groups().await? {
            apps.extend(self.client.read::<Vec<App>>(&group.apps_path()).await?);
        }
        Ok(apps)
    }

    /// The app that is meant, asked for on a terminal where that is open.
    /// `argument` is what to name without one.
    pub(super) async fn app(&self, wanted: Option<&str>, argument: &str) -> Result<App, Failure> {
        if wanted.is_none() && !self.is_attended() {
            return Err(Failure::usage(format!("{argument} is missing: name the app"))
                .with_advice("`filterctl app list` shows the apps."));
        }
        let apps = self.apps().await?;
        let mut found = match wanted {
            Some(wanted) => matching(apps, wanted),
            None => apps,
        };
        match (found.len(), wanted) {
            (0, Some(wanted)) => Err(Failure::new(format!("failed to find app '{wanted}'"))
                .with_code("AppNotFound")
                .with_advice("`filterctl app list` shows the apps.")),
            (0, None) => Err(Failure::new("there is no app yet")
                .with_code("AppNotFound")
                .with_advice("Make one with `filterctl app create`.")),
            (1, _) => Ok(found.swap_remove(0)),
            (_, Some(wanted)) if !self.is_attended() => Err(ambiguous(wanted, argument, &found)),
            (_, _) => {
                let choices: Vec<String> = found
                    .iter()
                    .map(|app| format!("{} ({})", app.client_app_id, app.group_id))
                    .collect();
                Ok(found.swap_remove(terminal::ask_one("Select App", &choices)?))
            }
        }
    }

    /// The group that is meant, by name or id; the only one where none is
    /// named.
    pub(super) async fn group(&self, wanted: Option<&str>) -> Result<Group, Failure> {
        let groups = self.groups().await?;
        let names =
            groups.iter().map(|group| format!("{} ({})", group.name, group.id)).collect::<Vec<_>>();
        let mut found: Vec<Group> = groups
            .into_iter()
            .filter(|group| wanted.is_none_or(|w| group.id == w || group.name == w))
            .collect();
        match (found.len(), wanted) {
            (1, _) => Ok(found.swap_remove(0)),
            (0, None) => Err(Failure::new("there is no group").with_code("GroupNotFound")),
            (0, Some(wanted)) => Err(Failure::new(format!("failed to find group '{wanted}'"))
                .with_code("GroupNotFound")
                .with_advice(format!("There are: {}", names.join(", ")))),
            (_, _) if self.is_attended() => {
                Ok(found.swap_remove(terminal::ask_one("Select Group", &names)?))
            }
            (_, _) => Err(Failure::usage("--group is missing, and there are several groups")
                .with_advice(format!("Name one of: {}", names.join(", ")))),
        }
    }
}

/// The apps that a text may mean. A whole id goes before a whole name, and
/// that before the beginning of a `client_app_id`.
fn matching(apps: Vec<App>, wanted: &str) -> Vec<App> {
    let lower = wanted.to_lowercase();
    let by_id = |app: &App| app.id == lower || app.client_app_id == wanted;
    let by_name = |app: &App| app.name == wanted;
    let by_prefix =
        |app: &App| !wanted.is_empty() && app.client_app_id.to_lowercase().starts_with(&lower);
    let strength = |app: &App| match app {
        app if by_id(app) => 3,
        app if by_name(app) => 2,
        app if by_prefix(app) => 1,
        _ => 0,
    };
    let strongest = apps.iter().map(strength).max().unwrap_or(0);
    apps.into_iter().filter(|app| strongest > 0 && strength(app) == strongest).collect()
}

fn ambiguous(wanted: &str, argument: &str, found: &[App]) -> Failure {
    let names: Vec<&str> = found.iter().map(|app| app.client_app_id.as_str()).collect();
    Failure::usage(format!("{argument} '{wanted}' matches several apps: {}", names.join(", ")))
        .with_code("AppAmbiguous")
        .with_advice("Give more of the name, or the app's id.")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn app(id: &str, client_app_id: &str, name: &str) -> App {
        App {
            id: id.to_owned(),
            client_app_id: client_app_id.to_owned(),
            name: name.to_owned(),
            group_id: "0123456789abcdef01234567".to_owned(),
            mode: "enforce".to_owned(),
            scopes: Vec::new(),
            trusted_hops: Vec::new(),
            origins: Vec::new(),
            require_origin: false,
            proxy: crate::app::ProxyDocument::default(),
            entries: 0,
            version: 1,
        }
    }

    #[test]
    fn the_strongest_kind_of_match_decides() {
        let apps = vec![
            app("0123456789abcdef01234501", "web-aaaaa", "web"),
            app("0123456789abcdef01234502", "web2-bbbbb", "web2"),
            app("0123456789abcdef01234503", "Shop-ccccc", "Shop"),
            app("0123456789abcdef01234504", "shop-ddddd", "shop"),
        ];
        for (wanted, expected) in [
            ("web", vec!["web-aaaaa"]),
            ("we", vec!["web-aaaaa", "web2-bbbbb"]),
            ("web2", vec!["web2-bbbbb"]),
            ("Shop", vec!["Shop-ccccc"]),
            ("SHO", vec!["Shop-ccccc", "shop-ddddd"]),
            ("0123456789ABCDEF01234502", vec!["web2-bbbbb"]),
            ("web-aaaaa", vec!["web-aaaaa"]),
            ("nosuch", vec![]),
            ("", vec![]),
        ] {
            let found = matching(apps.clone(), wanted);
            let names: Vec<&str> = found.iter().map(|app| app.client_app_id.as_str()).collect();
            assert_eq!(names, expected, "{wanted:?}");
        }
    }
}
