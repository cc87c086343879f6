//! Long lists: as whole and as careful as single entries.

use rusqlite::Connection;

use super::*;

/// Enough for the state to be made while the rows are written.
const MANY: u32 = 6000;

fn many(salt: u8) -> Vec<NewEntry> {
    let text = |n: u32| match n % 3 {
        0 => format!("2001:db8:{salt:x}::{n:x}"),
        _ => std::net::Ipv4Addr::from(u32::from(salt) << 24 | n).to_string(),
    };
    (0..MANY).map(|n| entry(&text(n))).collect()
}

fn replace(app: AppRef, entries: Vec<NewEntry>) -> Command {
    import_of(app, entries, true)
}

fn bench_with_many() -> (Bench, AppRef) {
    let bench = Bench::with(Limits { entries: MANY as usize, ..LIMITS });
    let app = bench.app("web");
    bench.execute(replace(app, many(10))).expect("as many as there may be");
    (bench, app)
}

#[test]
fn a_long_import_is_one_change_that_survives_a_crash() {
    let (bench, app) = bench_with_many();
    let before = bench.state().revision;
    let (outcome, revision) = bench.execute(replace(app, many(11))).expect("imported");
    // What a disk holds when the process dies now.
    let after = tempfile::tempdir().expect("a directory");
    for file in ["filterd.db", "filterd.db-wal"] {
        std::fs::copy(bench.path().join(file), after.path().join(file)).expect("copied");
    }
    let count = MANY as usize;
    assert_eq!(counted(outcome), (count, count, 0));
    assert_eq!(revision, before + 1);
    let wanted: Vec<_> = many(11).iter().map(|entry| entry.address.text().to_owned()).collect();
    assert_eq!(bench.addresses(app), wanted, "in their order");
    let reopened = open(after.path(), LIMITS, Vec::new()).expect("recovered").0;
    assert_eq!(*reopened.state(), *bench.state());
}

#[test]
fn one_too_many_touches_nothing() {
    let (mut bench, app) = bench_with_many();
    let before = bench.state();
    let mut more = many(11);
    more.push(entry("::1"));
    for command in [replace(app, more.clone()), import_of(app, more, false), create(app, "::1")] {
        let error = bench.execute(command).expect_err("refused");
        assert!(error.to_string().contains("limit of 6000"), "{error}");
        assert_eq!(*bench.state(), *before);
    }
    assert_eq!(*bench.reopen(), *before);
}

#[test]
fn a_long_import_that_cuts_the_session_is_taken_back() {
    let (mut bench, app) = bench_with_many();
    let session = Session {
        peer: "10.0.0.1:50000".parse().expect("valid"),
        local: "198.51.100.1:22".parse().expect("valid"),
    };
    let before = bench.state();
    let error = bench.execute_protected(replace(app, many(11)), Some(session)).expect_err("cut");
    assert!(matches!(error, StoreError::WouldCutSession(_)), "{error}");
    assert_eq!(*bench.state(), *before);
    let mut with_the_session = many(11);
    with_the_session[0] = entry("10.0.0.0/8");
    bench.execute_protected(replace(app, with_the_session), Some(session)).expect("not cut");
    let after = bench.state();
    assert_eq!(*bench.reopen(), *after);
}

#[test]
fn what_stays_on_a_list_is_not_written_again() {
    let (mut bench, app) = bench_with_many();
    let other = bench.execute(bench.new_app("other", "port=1")).expect("a second app").0;
    let Outcome::App(other) = other else { panic!("{other:?}") };
    bench.add(AppRef { group: other.group, app: other.id }, "10.0.0.1").expect("new");
    let kept = bench.state().apps[&app.app].list.entries().nth(1).cloned();
    let log = Connection::open(bench.path().join("filterd.db")).expect("opened");
    log.execute_batch(
        "CREATE TABLE written (number INTEGER);
         CREATE TRIGGER a AFTER INSERT ON entries BEGIN INSERT INTO written VALUES (NEW.number); END;
         CREATE TRIGGER b AFTER UPDATE ON entries BEGIN INSERT INTO written VALUES (NEW.number); END;
         CREATE TRIGGER c AFTER DELETE ON entries BEGIN INSERT INTO written VALUES (OLD.number); END;",
    )
    .expect("somebody looks on");
    let mut wanted = many(10);
    for at in [0, 2, 3, 4, 999, MANY as usize - 1] {
        wanted[at] = entry(&format!("192.0.2.{}", at % 256));
    }
    wanted.reverse();
    bench.execute(replace(app, wanted)).expect("imported");
    let written: i64 =
        log.query_row("SELECT count(*) FROM written", [], |row| row.get(0)).expect("read");
    assert_eq!(written, 12, "six are gone and six are new");
    let state = bench.state();
    assert_eq!(state.apps[&app.app].list.entries().next().cloned(), kept, "it has its id");
    assert_eq!(state.apps[&other.id].list.len(), 1, "another app's entries are in between");
    drop(log);
    assert_eq!(*bench.reopen(), *state);
}

#[test]
fn a_long_list_goes_with_its_app() {
    let (mut bench, app) = bench_with_many();
    bench.execute(Command::DeleteApp { app }).expect("deleted");
    assert!(bench.state().apps.is_empty());
    let after = bench.state();
    assert_eq!(*bench.reopen(), *after);
    let left: i64 = Connection::open(bench.path().join("filterd.db"))
        .and_then(|reader| reader.query_row("SELECT count(*) FROM entries", [], |row| row.get(0)))
        .expect("read");
    assert_eq!(left, 0);
}

#[test]
fn a_new_app_refuses_a_list_with_an_address_twice() {
    let mut bench = Bench::new();
    let Command::CreateApp { group, mut app } = bench.new_app("web", "host") else {
        panic!("another command")
    };
    app.entries = many(10);
    app.entries.push(entry("2001:db8:a::0/128"));
    let before = bench.state();
    let error = bench.execute(Command::CreateApp { group, app: app.clone() }).expect_err("twice");
    assert!(matches!(error, StoreError::List(ListError::Duplicate { .. })), "{error}");
    assert!(error.to_string().contains("2001:db8:a::0/128 is already on the list"), "{error}");
    app.entries.pop();
    let (outcome, _) = bench.execute(Command::CreateApp { group, app }).expect("new");
    let Outcome::App(app) = outcome else { panic!("{outcome:?}") };
    assert_eq!(app.list.len(), MANY as usize, "it is answered with its list");
    assert_eq!(before.revision + 1, bench.state().revision);
    let after = bench.state();
    assert_eq!(*bench.reopen(), *after);
}
