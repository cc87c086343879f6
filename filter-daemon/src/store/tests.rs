//! The store through its one door: what it keeps, refuses and survives.

mod bulk;
mod damage;
mod full;
mod keys;
mod limits;
mod random;

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use super::*;
use crate::access_list::{Address, EntryFields, ListError};
use crate::app::{Mode, Scope};
use crate::caller::Caller;
use crate::command::{
    AppFields, AppRef, Command, Import, ListChange, NewApp, NewEntry, Outcome, Request, Session,
    Terms,
};
use crate::id::ObjectId;
use crate::state::Settings;

const LIMITS: Limits = Limits {
    entries: 1_000_000,
    apps: 127,
    control_connections: 64,
    admin_connections: 64,
    accelerate_from: 1000,
    versions: 1000,
    proxy_connections: 65_536,
};

/// A state directory and the store in it.
struct Bench {
    directory: tempfile::TempDir,
    handle: Option<Handle>,
    limits: Limits,
}

impl Bench {
    fn new() -> Self {
        Self::with(LIMITS)
    }

    fn with(limits: Limits) -> Self {
        let directory = tempfile::tempdir().expect("a directory");
        let handle = open(directory.path(), limits, Vec::new()).expect("a new store").0;
        Self { directory, handle: Some(handle), limits }
    }

    fn path(&self) -> &Path {
        self.directory.path()
    }

    fn handle(&self) -> &Handle {
        self.handle.as_ref().expect("the store is open")
    }

    fn state(&self) -> Arc<State> {
        self.handle().state()
    }

    fn execute(&self, command: Command) -> Result<(Outcome, u64), StoreError> {
        self.execute_protected(command, None)
    }

    fn execute_protected(
        &self,
        command: Command,
        protect: Option<Session>,
    ) -> Result<(Outcome, u64), StoreError> {
        self.request(command, Terms { protect, ..Terms::default() })
    }

    fn request(&self, command: Command, terms: Terms) -> Result<(Outcome, u64), StoreError> {
        let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
        let caller = Caller::daemon();
        let done = runtime.block_on(self.handle().execute(Request { command, caller, terms }))?;
        Ok((done.outcome, done.revision))
    }

    fn close(&mut self) {
        let handle = self.handle.take().expect("the store is open");
        let mut watch = handle.watch();
        drop(handle);
        let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
        runtime.block_on(async { while watch.changed().await.is_ok() {} });
    }

    fn reopen(&mut self) -> Arc<State> {
        if self.handle.is_some() {
            self.close();
        }
        // The writer lets go of the lock last of all.
        let deadline = Instant::now() + Duration::from_secs(10);
        loop {
            match open(self.path(), self.limits, Vec::new()) {
                Ok((handle, _)) => {
                    self.handle = Some(handle);
                    return self.state();
                }
                Err(OpenError::Held { .. }) if Instant::now() < deadline => {
                    std::thread::yield_now();
                }
                Err(error) => panic!("{error}"),
            }
        }
    }

    fn group(&self) -> ObjectId {
        *self.state().groups.keys().next().expect("the default group")
    }

    fn app(&self, name: &str) -> AppRef {
        let (outcome, _) = self.execute(self.new_app(name, "host")).expect("a new app");
        let Outcome::App(app) = outcome else { panic!("{outcome:?}") };
        AppRef { group: app.group, app: app.id }
    }

    fn new_app(&self, name: &str, scope: &str) -> Command {
        Command::CreateApp {
            group: self.group(),
            app: NewApp {
                fields: AppFields {
                    name: Some(name.to_owned()),
                    scopes: Some(vec![scope.parse::<Scope>().expect(scope)]),
                    ..AppFields::default()
                },
                entries: Vec::new(),
            },
        }
    }

    fn add(
        &self,
        app: AppRef,
        address: &str,
    ) -> Result<Arc<crate::access_list::Entry>, StoreError> {
        let (outcome, _) = self.execute(create(app, address))?;
        let Outcome::Entry(entry) = outcome else { panic!("{outcome:?}") };
        Ok(entry)
    }

    fn addresses(&self, app: AppRef) -> Vec<String> {
        let state = self.state();
        let list = &state.apps[&app.app].list;
        list.entries().map(|entry| entry.address.text().to_owned()).collect()
    }
}

fn entry(address: &str) -> NewEntry {
    NewEntry::new(Address::parse(address).expect(address))
}

fn create(app: AppRef, address: &str) -> Command {
    Command::CreateEntry { app, entry: entry(address) }
}

fn import(app: AppRef, addresses: &[&str], replace: bool) -> Command {
    let entries = addresses.iter().map(|address| entry(address)).collect();
    import_of(app, entries, replace)
}

fn import_of(app: AppRef, entries: Vec<NewEntry>, replace: bool) -> Command {
    let import = Import { entries, replace, shrink_guard_percent: None };
    Command::ImportEntries { app, import }
}

/// Another address, comment, or both.
fn update(app: AppRef, entry: ObjectId, address: Option<&str>, comment: Option<&str>) -> Command {
    let address = address.map(|text| Address::parse(text).expect(text));
    let fields = EntryFields { comment: comment.map(str::to_owned), ..EntryFields::default() };
    Command::UpdateEntry { app, entry, address, fields }
}

#[test]
fn a_new_store_has_one_group_and_nothing_else() {
    let mut bench = Bench::new();
    let state = bench.state();
    assert_eq!(state.revision, 0);
    assert_eq!(state.groups.values().map(|g| g.name.as_str()).collect::<Vec<_>>(), ["default"]);
    assert!(state.apps.is_empty());
    assert_eq!(*bench.reopen(), *state);
}

#[test]
fn what_is_acknowledged_is_there_after_reopening() {
    let mut bench = Bench::new();
    let app = bench.app("Web");
    let first = bench.add(app, "10.0.0.0/8").expect("new");
    let second = bench.add(app, "2001:DB8::/32").expect("new");
    let change = update(app, first.id, Some("192.0.2.1"), Some("office"));
    bench.execute(change).expect("changed");
    bench.execute(Command::DeleteEntry { app, entry: second.id }).expect("deleted");
    bench.add(app, "::/0").expect("new");
    let change = Command::UpdateSettings { dhcp: Some(false), non_ip: Some(false) };
    let (_, revision) = bench.execute(change).expect("changed");
    let before = bench.state();
    assert_eq!(revision, 7);
    assert_eq!(*bench.reopen(), *before);
    assert_eq!(bench.addresses(app), ["192.0.2.1", "::/0"], "an update keeps its place");
    let kept = &bench.state().apps[&app.app];
    assert!(kept.client_app_id.starts_with("web-") && kept.client_app_id.len() == 9);
    assert_eq!((kept.name.as_str(), kept.index), ("Web", 1));
}

#[test]
fn a_change_that_changes_nothing_makes_no_revision() {
    let bench = Bench::new();
    let app = bench.app("web");
    let entry = bench.add(app, "10.0.0.0/8").expect("new");
    let revision = bench.state().revision;
    let same = [
        update(app, entry.id, None, Some("")),
        Command::UpdateApp {
            app,
            fields: AppFields { mode: Some(Mode::Enforce), ..AppFields::default() },
        },
        Command::UpdateSettings { dhcp: None, non_ip: Some(true) },
        import(app, &["10.0.0.0/8"], true),
    ];
    for command in same {
        let (_, answered) = bench.execute(command.clone()).expect("nothing to do");
        assert_eq!((answered, bench.state().revision), (revision, revision), "{command:?}");
    }
}

#[test]
fn refusals_leave_everything_as_it_was() {
    let mut bench = Bench::new();
    let app = bench.app("web");
    let first = bench.add(app, "10.0.0.0/8").expect("new");
    let other = AppRef { app: bench.group(), ..app };
    let nowhere = AppRef { group: app.app, ..app };
    let before = bench.state();
    type Expected = fn(&StoreError) -> bool;
    let refused: [(Command, Expected); 10] = [
        (create(app, "::ffff:10.0.0.0/104"), |e| {
            matches!(e, StoreError::List(ListError::Duplicate { .. }))
        }),
        (create(other, "::/0"), |e| matches!(e, StoreError::AppNotFound(_))),
        (create(nowhere, "::/0"), |e| matches!(e, StoreError::GroupNotFound(_))),
        (Command::DeleteEntry { app, entry: app.app }, |e| {
            matches!(e, StoreError::List(ListError::UnknownEntry(_)))
        }),
        (bench.new_app("web", "port=1"), |e| matches!(e, StoreError::AppAlreadyExists { .. })),
        (bench.new_app("1web", "port=1"), |e| matches!(e, StoreError::InvalidName(_))),
        (bench.new_app("", "port=1"), |e| matches!(e, StoreError::InvalidName(_))),
        (bench.new_app("other", "host"), |e| matches!(e, StoreError::Policy(_))),
        (Command::DeleteApp { app: other }, |e| matches!(e, StoreError::AppNotFound(_))),
        (update(app, first.id, None, Some(&"x".repeat(1025))), |e| {
            matches!(e, StoreError::CommentTooLong(1025))
        }),
    ];
    for (command, expected) in refused {
        let error = bench.execute(command.clone()).expect_err("refused");
        assert!(expected(&error), "{command:?}: {error}");
    }
    assert_eq!(*bench.state(), *before);
    assert_eq!(*bench.reopen(), *before);
}

#[test]
fn numbers_are_never_given_out_twice() {
    let mut bench = Bench::new();
    let app = bench.app("web");
    let gone = bench.add(app, "10.0.0.0/8").expect("new");
    bench.execute(Command::DeleteEntry { app, entry: gone.id }).expect("deleted");
    bench.reopen();
    let next = bench.add(app, "10.0.0.0/8").expect("new");
    assert!(next.number() > gone.number() && next.id > gone.id, "{gone:?} {next:?}");
}

#[test]
fn app_places_are_filled_from_below() {
    let bench = Bench::new();
    let place = |app: AppRef| bench.state().apps[&app.app].index;
    let first = bench.app("a");
    bench.execute(bench.new_app("b", "port=1")).expect("new");
    assert_eq!(place(first), 1);
    bench.execute(Command::DeleteApp { app: first }).expect("deleted");
    assert_eq!(place(bench.app("c")), 1);
}

fn counted(outcome: Outcome) -> (usize, usize, usize) {
    let change = outcome.into_list().expect("a list was changed");
    let ListChange { added, removed, unchanged, .. } = change;
    (added.len(), removed.len(), unchanged)
}

#[test]
fn imports_add_replace_and_count() {
    let mut bench = Bench::new();
    let app = bench.app("web");
    let kept = bench.add(app, "10.0.0.0/8").expect("new");
    bench.add(app, "192.0.2.0/24").expect("new");
    let counts = |command| {
        let (outcome, _) = bench.execute(command).expect("imported");
        counted(outcome)
    };
    assert_eq!(counts(import(app, &["10.0.0.0/8", "::1", "::1/128"], false)), (1, 0, 2));
    assert_eq!(bench.addresses(app), ["10.0.0.0/8", "192.0.2.0/24", "::1"]);
    assert_eq!(counts(import(app, &["::2", "10.0.0.0/8"], true)), (1, 2, 1));
    assert_eq!(bench.addresses(app), ["10.0.0.0/8", "::2"]);
    assert_eq!(counts(import(app, &["::3"], true)), (1, 2, 0));
    assert_eq!(counts(import(app, &["10.0.0.0/8"], true)), (1, 1, 0));
    let before = bench.state();
    assert_ne!(
        before.apps[&app.app].list.entries().next().map(|e| e.number()),
        Some(kept.number())
    );
    assert_eq!(*bench.reopen(), *before);
    let emptied = bench.execute(import(app, &[], true)).expect("imported").0;
    assert_eq!(counted(emptied), (0, 1, 0));
    assert!(bench.reopen().apps[&app.app].list.is_empty());
}

#[test]
fn a_change_that_cuts_the_session_is_refused() {
    let bench = Bench::new();
    let app = bench.app("web");
    let session = Session {
        peer: "[::ffff:203.0.113.7]:50000".parse::<SocketAddr>().expect("valid"),
        local: "198.51.100.1:22".parse().expect("valid"),
    };
    let change = |command| bench.execute_protected(command, Some(session));
    // The list was empty: the session is cut already, and nothing worse comes.
    change(create(app, "10.0.0.0/8")).expect("nothing to protect");
    let entry = bench.add(app, "203.0.113.0/24").expect("new");
    for command in [
        Command::DeleteEntry { app, entry: entry.id },
        update(app, entry.id, Some("::1"), None),
        import(app, &["10.0.0.0/8"], true),
    ] {
        let error = change(command).expect_err("cut");
        assert!(matches!(error, StoreError::WouldCutSession(s) if s == session), "{error}");
    }
    change(create(app, "203.0.113.7")).expect("still admitted");
    change(Command::DeleteEntry { app, entry: entry.id }).expect("still admitted");
    change(Command::DeleteApp { app }).expect("no app, no filter");
}

#[test]
fn readers_hear_of_a_change_after_it_is_on_disk() {
    let bench = Bench::new();
    let mut watch = bench.handle().watch();
    let (_, revision) = bench.execute(bench.new_app("web", "host")).expect("new");
    assert_eq!(watch.borrow_and_update().revision, revision);
    let other = rusqlite::Connection::open(bench.path().join("filterd.db")).expect("opened");
    let kept: i64 =
        other.query_row("SELECT revision FROM host", [], |row| row.get(0)).expect("read");
    assert_eq!(kept.cast_unsigned(), revision);
}
