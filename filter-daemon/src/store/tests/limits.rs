//! How much of each thing there may be.

use super::*;

#[test]
fn entries_and_apps_are_counted_before_anything_is_touched() {
    let bench = Bench::with(Limits { entries: 3, apps: 2, ..LIMITS });
    let app = bench.app("web");
    bench.execute(import(app, &["10.0.0.1", "10.0.0.2"], false)).expect("two of three");
    let before = bench.state();
    let error = bench.execute(import(app, &["10.0.0.2", "10.0.0.3", "10.0.0.4"], false));
    let text = error.expect_err("four").to_string();
    assert!(text.contains('4') && text.contains('3') && text.contains("limits.entries"), "{text}");
    assert_eq!(*bench.state(), *before);
    bench.execute(import(app, &["::1", "::2", "::3"], true)).expect("three instead of two");
    let error = bench.add(app, "::4").expect_err("four");
    assert!(matches!(error, StoreError::LimitExceeded { count: 4, limit: 3, .. }), "{error}");
    bench.execute(bench.new_app("second", "port=1")).expect("two of two");
    let error = bench.execute(bench.new_app("third", "port=2")).expect_err("three");
    assert!(
        matches!(error, StoreError::LimitExceeded { what: "apps", count: 3, limit: 2, .. }),
        "{error}"
    );
}

#[test]
fn numbers_that_run_out_are_refused() {
    let mut bench = Bench::new();
    let app = bench.app("web");
    bench.close();
    let last = u32::MAX - 1;
    // As a store would be after so many entries: the seal goes with it.
    super::damage::rewrite_host(bench.path(), |host| host.next_number = last);
    bench.reopen();
    assert_eq!(bench.add(app, "::1").expect("the last").number(), last);
    let before = bench.state();
    let error = bench.add(app, "::2").expect_err("none left");
    assert!(matches!(error, StoreError::LimitExceeded { .. }), "{error}");
    assert_eq!(*bench.reopen(), *before);
}

#[test]
fn a_second_store_in_the_directory_is_refused_and_names_the_first() {
    let mut bench = Bench::new();
    let error = open(bench.path(), LIMITS, Vec::new()).expect_err("held");
    let pid = std::process::id();
    assert!(matches!(error, OpenError::Held { pid: Some(found), .. } if found == pid), "{error}");
    assert!(error.to_string().contains(&pid.to_string()), "{error}");
    bench.app("web");
    bench.reopen();
}

#[test]
fn a_directory_that_others_may_enter_is_refused() {
    use std::os::unix::fs::PermissionsExt as _;
    let directory = tempfile::tempdir().expect("a directory");
    let open_to_all = std::fs::Permissions::from_mode(0o755);
    std::fs::set_permissions(directory.path(), open_to_all.clone()).expect("set");
    std::fs::write(directory.path().join("another"), "file").expect("written");
    let error = open(directory.path(), LIMITS, Vec::new()).expect_err("exposed");
    assert!(matches!(error, OpenError::Exposed { mode: 0o755, .. }), "{error}");
    assert_eq!(std::fs::read_dir(directory.path()).expect("read").count(), 1);

    let inner = directory.path().join("state");
    std::fs::create_dir(&inner).expect("made");
    std::fs::set_permissions(&inner, open_to_all).expect("set");
    drop(open(&inner, LIMITS, Vec::new()).expect("ours alone: closed to others"));
    let mode = |path: &Path| path.metadata().expect("there").permissions().mode() & 0o7777;
    assert_eq!(mode(&inner), 0o700);
    assert_eq!(mode(&inner.join("filterd.db")), 0o600);
}
