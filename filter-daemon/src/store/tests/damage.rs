//! Files that are not what they should be: named, refused, left alone.

use rusqlite::{Connection, params};

use super::*;
use crate::store::seal::{self, Seal};

/// The host's row.
pub(super) struct Host {
    pub(super) revision: u64,
    pub(super) next_number: u32,
    pub(super) settings: Settings,
}

/// Rewrites the host's row and its part of the seal.
pub(super) fn rewrite_host(directory: &Path, rewrite: impl FnOnce(&mut Host)) {
    let connection = Connection::open(directory.join("filterd.db")).expect("opened");
    let (mut host, old_seal) = connection
        .query_row("SELECT revision, next_number, dhcp, non_ip, seal FROM host", [], |row| {
            let settings = Settings { dhcp: row.get(2)?, non_ip: row.get(3)? };
            let revision = row.get::<_, i64>(0)?.cast_unsigned();
            Ok((Host { revision, next_number: row.get(1)?, settings }, row.get::<_, i64>(4)?))
        })
        .expect("read");
    let of_row = |host: &Host| seal::of_host(host.revision, host.next_number, host.settings);
    let mut rest = Seal::from_sql(old_seal);
    rest.remove(of_row(&host));
    rewrite(&mut host);
    connection
        .execute(
            "UPDATE host SET revision = ?1, next_number = ?2, seal = ?3",
            params![
                host.revision.cast_signed(),
                host.next_number,
                rest.with(of_row(&host)).to_sql()
            ],
        )
        .expect("written");
}

fn bench_with_a_list() -> (Bench, AppRef) {
    let bench = Bench::new();
    let app = bench.app("web");
    let addresses: Vec<String> = (0..200).map(|n| format!("198.51.100.{n}")).collect();
    let addresses: Vec<&str> = addresses.iter().map(String::as_str).collect();
    bench.execute(import(app, &addresses, false)).expect("imported");
    (bench, app)
}

fn refused(bench: &Bench) -> OpenError {
    let deadline = Instant::now() + Duration::from_secs(10);
    loop {
        match open(bench.path(), LIMITS, Vec::new()) {
            Err(OpenError::Held { .. }) if Instant::now() < deadline => std::thread::yield_now(),
            Err(error) => return error,
            Ok((handle, _)) => panic!("started from revision {}", handle.state().revision),
        }
    }
}

/// Opens after the file was changed; the file must not be changed again.
fn refused_untouched(bench: &Bench) -> OpenError {
    let path = bench.path().join("filterd.db");
    let before = std::fs::read(&path).expect("read");
    let error = refused(bench);
    assert!(error.to_string().contains("filterd.db"), "{error}");
    assert!(std::fs::read(&path).expect("read") == before, "the file was touched");
    error
}

#[test]
fn other_files_are_told_apart() {
    let (mut bench, _) = bench_with_a_list();
    bench.close();
    let path = bench.path().join("filterd.db");
    drop(refused_if_changed(&path, &bench, |bytes| bytes[0] = b'X', "NotADatabase"));
    drop(refused_if_changed(&path, &bench, |bytes| bytes[68..72].fill(7), "Foreign"));
    drop(refused_if_changed(&path, &bench, |bytes| bytes[60..64].fill(1), "Newer"));
    drop(refused_if_changed(&path, &bench, |bytes| bytes.truncate(0), "Damaged"));
    drop(refused_if_changed(&path, &bench, |bytes| bytes.truncate(5000), "Damaged"));
    drop(refused_if_changed(&path, &bench, |bytes| bytes[4096..8192].fill(0), "Damaged"));
    bench.reopen();
}

fn refused_if_changed(
    path: &Path,
    bench: &Bench,
    change: impl FnOnce(&mut Vec<u8>),
    variant: &str,
) -> OpenError {
    wait_until_closed(bench);
    let good = std::fs::read(path).expect("read");
    let mut bad = good.clone();
    change(&mut bad);
    std::fs::write(path, bad).expect("written");
    let error = refused_untouched(bench);
    assert!(format!("{error:?}").starts_with(variant), "{variant}: {error:?}");
    std::fs::write(path, good).expect("written");
    error
}

/// The writer lets go of the lock after the file is closed.
fn wait_until_closed(bench: &Bench) {
    let deadline = Instant::now() + Duration::from_secs(10);
    while let Err(OpenError::Held { .. }) = super::super::directory::claim(bench.path()).map(drop) {
        assert!(Instant::now() < deadline, "the store does not close");
        std::thread::yield_now();
    }
}

#[test]
fn a_changed_address_breaks_the_seal() {
    let (mut bench, _) = bench_with_a_list();
    bench.close();
    wait_until_closed(&bench);
    let connection = Connection::open(bench.path().join("filterd.db")).expect("opened");
    let text = "UPDATE entries SET address = '198.51.101.7' WHERE address = '198.51.100.7'";
    assert_eq!(connection.execute(text, []).expect("changed"), 1);
    drop(connection);
    let error = refused_untouched(&bench);
    assert!(error.to_string().contains("seal"), "{error}");
}

#[test]
fn a_row_under_another_number_is_damage() {
    let (mut bench, _) = bench_with_a_list();
    bench.close();
    wait_until_closed(&bench);
    let connection = Connection::open(bench.path().join("filterd.db")).expect("opened");
    let text = "UPDATE entries SET number = 1 WHERE address = '198.51.100.7'";
    assert_eq!(connection.execute(text, []).expect("changed"), 1);
    drop(connection);
    let error = refused_untouched(&bench);
    assert!(error.to_string().contains("entry 1: its id"), "{error}");
}

#[test]
fn a_lost_database_is_not_begun_anew_over_its_journal() {
    let bench = Bench::new();
    bench.app("web");
    // A copy of a running store's journal, without its database.
    let other = tempfile::tempdir().expect("a directory");
    std::fs::copy(bench.path().join("filterd.db-wal"), other.path().join("filterd.db-wal"))
        .expect("copied");
    let error = open(other.path(), LIMITS, Vec::new()).expect_err("refused");
    assert!(matches!(error, OpenError::JournalAlone { .. }), "{error}");
}

#[test]
fn a_half_made_database_is_made_again() {
    let directory = tempfile::tempdir().expect("a directory");
    std::fs::write(directory.path().join("filterd.db.new"), b"half").expect("written");
    let handle = open(directory.path(), LIMITS, Vec::new()).expect("made").0;
    assert_eq!(handle.state().groups.len(), 1);
    assert!(!directory.path().join("filterd.db.new").exists());
}

#[test]
fn a_crash_leaves_what_was_acknowledged() {
    let (bench, app) = bench_with_a_list();
    bench.add(app, "2001:db8::1").expect("new");
    // What a disk holds when the process dies now.
    let after = tempfile::tempdir().expect("a directory");
    for file in ["filterd.db", "filterd.db-wal"] {
        std::fs::copy(bench.path().join(file), after.path().join(file)).expect("copied");
    }
    let reopened = open(after.path(), LIMITS, Vec::new()).expect("recovered").0;
    assert_eq!(*reopened.state(), *bench.state());
}

#[test]
fn a_backup_can_be_put_in_place() {
    let (mut bench, _) = bench_with_a_list();
    let before = bench.state();
    let backup = bench.path().join("backup.db");
    let reader = Connection::open(bench.path().join("filterd.db")).expect("opened");
    let backup_text = backup.to_str().expect("text");
    reader.execute("VACUUM INTO ?1", [backup_text]).expect("backed up while running");
    drop(reader);
    bench.close();
    wait_until_closed(&bench);
    std::fs::rename(backup, bench.path().join("filterd.db")).expect("put in place");
    assert_eq!(*bench.reopen(), *before);
}

#[test]
fn flipped_bytes_never_start_another_list() {
    let (mut bench, _) = bench_with_a_list();
    let before = bench.state();
    bench.close();
    wait_until_closed(&bench);
    let path = bench.path().join("filterd.db");
    let good = std::fs::read(&path).expect("read");
    let mut refusals = 0;
    for _ in 0..300 {
        let mut bad = good.clone();
        let at = rand::random_range(0..bad.len());
        bad[at] ^= rand::random_range(1..=255u8);
        std::fs::write(&path, &bad).expect("written");
        match open(bench.path(), LIMITS, Vec::new()) {
            // A byte that holds nothing: free space, or a count of changes.
            Ok((handle, _)) => {
                assert!(*handle.state() == *before, "byte {at} changed the state");
                drop(handle);
                wait_until_closed(&bench);
            }
            Err(_) => refusals += 1,
        }
        for leftover in ["filterd.db-wal", "filterd.db-shm"] {
            let _ = std::fs::remove_file(bench.path().join(leftover));
        }
    }
    assert!(refusals > 0, "not one of 300 flipped bytes was noticed");
}

#[test]
fn another_writer_is_noticed() {
    let (bench, app) = bench_with_a_list();
    let before = bench.state();
    let other = Connection::open(bench.path().join("filterd.db")).expect("opened");
    other.execute("UPDATE host SET revision = revision + 1", []).expect("written");
    let error = bench.add(app, "::1").expect_err("diverged");
    assert!(matches!(error, StoreError::Diverged), "{error}");
    assert_eq!(*bench.state(), *before);
}
