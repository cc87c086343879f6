//! Takes entries off their lists some time after they have ended.
//!
//! Who they admitted is refused by the kernel from the end on, whatever
//! becomes of this daemon; here only the lists are tidied up. An ended entry
//! is shown as such for a while.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use tokio::sync::watch;
use tokio::time::sleep;

use crate::app::App;
use crate::caller::Caller;
use crate::command::{AppRef, Command, Request, Terms};
use crate::state::State;
use crate::store::{Handle, StoreError};

/// For how long an ended entry stays on its list, seconds.
const SHOWN_S: i64 = 60;

/// The clock is looked at again after this at the latest: it may be set.
const LOOK: Duration = Duration::from_secs(30);

/// Runs until the store stops.
pub async fn tidy(store: Handle) {
    let mut state = store.watch();
    loop {
        let next = due(&state.borrow_and_update(), Timestamp::now().as_second());
        let wait = match next {
            Next::Now(apps) => {
                for app in apps {
                    drop_expired(&store, app).await;
                }
                continue;
            }
            Next::In(wait) => wait,
            Next::Never => Duration::MAX,
        };
        if !changes_within(&mut state, wait.min(LOOK)).await {
            return;
        }
    }
}

enum Next {
    Now(Vec<AppRef>),
    In(Duration),
    Never,
}

/// When there is something to do next, and what, if it is now.
fn due(state: &State, now: i64) -> Next {
    let mut apps = Vec::new();
    let mut next: Option<i64> = None;
    for app in state.apps.values() {
        let Some(due) = first_end(app).map(|end| end.saturating_add(SHOWN_S)) else { continue };
        if due <= now {
            apps.push(AppRef::of(app));
        }
        next = Some(next.map_or(due, |next| next.min(due)));
    }
    match next {
        _ if !apps.is_empty() => Next::Now(apps),
        Some(due) => Next::In(Duration::from_secs(due.abs_diff(now))),
        None => Next::Never,
    }
}

fn first_end(app: &Arc<App>) -> Option<i64> {
    app.list.temporary().map(|(_, end)| end).min()
}

/// Waits; answers whether the store still runs.
async fn changes_within(state: &mut watch::Receiver<Arc<State>>, wait: Duration) -> bool {
    tokio::select! {
        changed = state.changed() => changed.is_ok(),
        () = sleep(wait) => true,
    }
}

async fn drop_expired(store: &Handle, app: AppRef) {
    let terms = Terms { reason: "the time of the entry is over".to_owned(), ..Terms::default() };
    let request =
        Request { command: Command::DropExpired { app }, caller: Caller::daemon(), terms };
    match store.execute(request).await {
        Ok(_) => {}
        // The app has gone meanwhile, with its list.
        Err(StoreError::AppNotFound(_) | StoreError::GroupNotFound(_)) => {}
        Err(error) => {
            tracing::warn!(%error, "entries whose time is over cannot be taken off their list");
            sleep(LOOK).await;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::access_list::{AccessList, Address, Entry};
    use crate::app::Mode;
    use crate::id::ObjectId;

    fn state(ends: &[Option<i64>]) -> State {
        let mut list = AccessList::default();
        for (number, expires) in (1..).zip(ends) {
            let entry = Entry {
                id: ObjectId::from_parts(7, number, [1; 4]),
                address: Address::parse(&format!("192.0.2.{number}")).expect("valid"),
                comment: "".into(),
                enabled: true,
                expires: *expires,
                author: "root".into(),
                changed: 7,
            };
            list.extend(&[Arc::new(entry)]).expect("new");
        }
        let id = ObjectId::from_parts(1, 1, [1; 4]);
        let app = App {
            id,
            client_app_id: "web-aaaaa".into(),
            name: "web".into(),
            group: id,
            index: 1,
            mode: Mode::Enforce,
            scopes: Vec::new(),
            trusted_hops: Vec::new(),
            origins: Vec::new(),
            require_origin: false,
            proxy: crate::app::ProxySettings::default(),
            list,
            last_modified: 7,
        };
        State { apps: [(id, Arc::new(app))].into_iter().collect(), ..State::default() }
    }

    #[test]
    fn the_first_end_is_waited_for() {
        assert!(matches!(due(&state(&[None]), 1000), Next::Never));
        let wait = Duration::from_secs(u64::try_from(SHOWN_S).expect("positive") + 5);
        let next = due(&state(&[Some(2000), Some(1005), None]), 1000);
        assert!(matches!(next, Next::In(found) if found == wait));
        let next = due(&state(&[Some(2000), Some(1000 - SHOWN_S)]), 1000);
        assert!(matches!(next, Next::Now(apps) if apps.len() == 1));
    }
}
