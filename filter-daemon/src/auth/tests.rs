//! Life times, and the first key.

use super::*;
use crate::config::{FailSafe, Limits};
use crate::store;

const HERE: Source = Source::Address(IpAddr::V4(std::net::Ipv4Addr::LOCALHOST));

fn open(directory: &std::path::Path) -> Handle {
    store::open(directory, Limits::default(), Vec::<FailSafe>::new()).expect("a store").0
}

/// Both halves of the first key, as its file has them.
fn halves(directory: &std::path::Path) -> (String, String) {
    let text = std::fs::read_to_string(directory.join(FIRST_KEY_FILE)).expect("made");
    let table: toml::Table = text.parse().expect("TOML");
    let half = |name: &str| table[name].as_str().expect("text").to_owned();
    (half("public_key"), half("private_key"))
}

#[tokio::test]
async fn tokens_live_as_long_as_they_are_said_to() {
    let directory = tempfile::tempdir().expect("a directory");
    let store = open(directory.path());
    make_first(&store, directory.path()).await.expect("made");
    let (public, private) = halves(directory.path());
    let with = |access_token, refresh_token| {
        let admin = Admin { access_token, refresh_token, ..Admin::default() };
        Auth::new(store.clone(), &admin)
    };
    let (long, over) = (Duration::from_secs(60), Duration::ZERO);
    for (access_token, refresh_token, works, refreshes) in
        [(long, long, true, true), (over, long, false, true), (over, over, false, false)]
    {
        let auth = with(access_token, refresh_token);
        let tokens = auth.log_in(&public, &private, HERE).await.expect("logged in");
        assert_eq!(auth.identify(Some(&tokens.access), HERE).is_ok(), works);
        let refreshed = auth.refresh(Some(&tokens.refresh), HERE).await;
        assert_eq!(refreshed.is_ok(), refreshes, "{refreshed:?}");
    }
    let tokens = with(long, over).log_in(&public, &private, HERE).await.expect("logged in");
    let late = with(long, long).identify(Some(&tokens.access), HERE);
    assert!(matches!(late, Err(AuthError::NoSession)), "no token outlives its session");
}

#[tokio::test]
async fn tokens_survive_a_restart() {
    let directory = tempfile::tempdir().expect("a directory");
    let store = open(directory.path());
    make_first(&store, directory.path()).await.expect("made");
    let (public, private) = halves(directory.path());
    let auth = Auth::new(store, &Admin::default());
    let tokens = auth.log_in(&public, &private, HERE).await.expect("logged in");
    drop(auth);
    let store = loop {
        // The writer lets go of the lock last of all.
        match store::open(directory.path(), Limits::default(), Vec::new()) {
            Ok((store, _)) => break store,
            Err(store::OpenError::Held { .. }) => tokio::task::yield_now().await,
            Err(error) => panic!("{error}"),
        }
    };
    let auth = Auth::new(store, &Admin::default());
    auth.identify(Some(&tokens.access), HERE).expect("known still");
    auth.refresh(Some(&tokens.refresh), HERE).await.expect("refreshed");
}

#[tokio::test]
async fn the_first_key_is_made_once() {
    let directory = tempfile::tempdir().expect("a directory");
    let store = open(directory.path());
    make_first(&store, directory.path()).await.expect("made");
    let (public, private) = halves(directory.path());
    assert!(key_of(&store.state(), &public, &private).is_some());
    assert!(key_of(&store.state(), &public, "another").is_none());
    make_first(&store, directory.path()).await.expect("nothing to do");
    assert_eq!(store.state().keys.len(), 1);
    let key = *store.state().keys.keys().next().expect("the first");
    let command = Command::Key(KeyCommand::Delete { key });
    let (caller, terms) = (Caller::daemon(), Terms::default());
    store.execute(Request { command, caller, terms }).await.expect("deleted");
    make_first(&store, directory.path()).await.expect("nothing to do");
    assert!(store.state().keys.is_empty(), "who deletes it means it");
}
