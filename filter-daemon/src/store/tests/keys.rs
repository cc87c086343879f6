//! API keys, their access lists, and sessions.

use proptest::prelude::*;

use super::*;
use crate::command::{KeyCommand, KeyOutcome, NewKey, NewKeySource};
use crate::key::{AccessToken, Key, SecretHash, Session as Login};

const FAR: i64 = i64::MAX;

impl Bench {
    fn keys(&self, command: KeyCommand) -> Result<KeyOutcome, StoreError> {
        let (outcome, _) = self.execute(Command::Key(command))?;
        Ok(outcome.into_key().expect("the outcome of such a command"))
    }

    fn key(&self, public: &str) -> Arc<Key> {
        let outcome = self.keys(KeyCommand::Create { key: new_key(public, &["10.0.0.0/8"]) });
        outcome.expect("a new key").into_key().expect("a key")
    }

    fn log_in(&self, key: ObjectId, expires: i64) -> Arc<Login> {
        let refresh = SecretHash::of("refresh");
        let command = KeyCommand::LogIn { key, refresh, expires, access: token("access", FAR) };
        self.keys(command).expect("logged in").into_session().expect("a session")
    }

    fn actions(&self) -> Vec<String> {
        let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
        let lines = runtime.block_on(self.handle().audit(None, 100)).expect("the audit log");
        lines.into_iter().rev().map(|line| line.origination.action).collect()
    }

    fn save_uses(&self) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
        runtime.block_on(self.handle().save_uses()).expect("saved");
    }
}

fn new_key(public: &str, sources: &[&str]) -> NewKey {
    let source = |text: &&str| NewKeySource {
        address: Address::parse(text).expect("an address"),
        comment: "from here".to_owned(),
    };
    NewKey {
        public: public.into(),
        secret: SecretHash::of(public),
        description: "for tests".to_owned(),
        sources: sources.iter().map(source).collect(),
    }
}

fn token(secret: &str, expires: i64) -> AccessToken {
    AccessToken { secret: SecretHash::of(secret), expires }
}

fn source(text: &str) -> NewKeySource {
    let address = Address::parse(text).expect("an address");
    NewKeySource { address, comment: String::new() }
}

#[test]
fn keys_and_sessions_survive_a_restart() {
    let mut bench = Bench::new();
    let key = bench.key("abcdefgh");
    assert_eq!((&*key.created_by, key.sources.len()), ("filterd", 1));
    let login = bench.log_in(key.id, FAR);
    let refreshed = KeyCommand::Refresh { session: login.id, access: token("second", FAR) };
    bench.keys(refreshed).expect("refreshed");
    let before = bench.state();
    assert_eq!(before.sessions[&login.id].access.len(), 2);
    assert_eq!(*bench.reopen(), *before);
    assert_eq!(bench.actions(), ["key.create", "session.create"], "a refresh is no news");
}

#[test]
fn refusals_name_what_is_wrong() {
    let bench = Bench::new();
    let key = bench.key("abcdefgh").id;
    let nobody = ObjectId::from_bytes([9; 12]);
    let refused = |command| bench.keys(command).expect_err("refused").to_string();
    let again = refused(KeyCommand::Create { key: new_key("abcdefgh", &[]) });
    assert!(again.contains("abcdefgh"), "{again}");
    let listed = refused(KeyCommand::CreateSource { key, source: source("::ffff:10.0.0.0/104") });
    assert!(listed.contains("already, as 10.0.0.0/8"), "{listed}");
    let twice = new_key("other", &["::1", "::1/128"]);
    assert!(refused(KeyCommand::Create { key: twice }).contains("already, as ::1"));
    for command in [
        KeyCommand::Enable { key: nobody, enabled: false },
        KeyCommand::Delete { key: nobody },
        KeyCommand::CreateSource { key: nobody, source: source("::1") },
        KeyCommand::DeleteSource { key, source: nobody },
        KeyCommand::Refresh { session: nobody, access: token("a", FAR) },
        KeyCommand::LogOut { session: nobody },
    ] {
        assert!(refused(command.clone()).contains(&nobody.to_string()), "{command:?}");
    }
    let revision = bench.state().revision;
    bench.keys(KeyCommand::Enable { key, enabled: true }).expect("it is");
    assert_eq!(bench.state().revision, revision, "nothing was to be changed");
}

#[test]
fn a_key_that_is_switched_off_or_deleted_takes_its_sessions_along() {
    let bench = Bench::new();
    let (first, second) = (bench.key("firstkey").id, bench.key("secondky").id);
    let (of_first, of_second) = (bench.log_in(first, FAR).id, bench.log_in(second, FAR).id);
    bench.keys(KeyCommand::Enable { key: first, enabled: false }).expect("off");
    let state = bench.state();
    assert!(!state.sessions.contains_key(&of_first) && state.sessions.contains_key(&of_second));
    bench.keys(KeyCommand::Enable { key: first, enabled: true }).expect("on");
    assert!(!bench.state().sessions.contains_key(&of_first), "logged out for good");
    bench.keys(KeyCommand::Delete { key: second }).expect("deleted");
    assert!(bench.state().sessions.is_empty() && !bench.state().keys.contains_key(&second));
}

#[test]
fn sessions_and_tokens_are_bounded() {
    let bench = Bench::new();
    let (key, other) = (bench.key("abcdefgh").id, bench.key("otherkey").id);
    let over = bench.log_in(other, 1).id;
    let first = bench.log_in(key, FAR).id;
    assert!(!bench.state().sessions.contains_key(&over), "what is over goes");
    let kept = bench.log_in(other, FAR).id;
    for _ in 0..MOST_SESSIONS_A_KEY {
        bench.log_in(key, FAR);
    }
    let state = bench.state();
    assert_eq!(state.sessions.len(), MOST_SESSIONS_A_KEY + 1);
    assert!(!state.sessions.contains_key(&first) && state.sessions.contains_key(&kept));
    for number in 0..100 {
        let access = token(&number.to_string(), if number == 0 { 1 } else { FAR });
        bench.keys(KeyCommand::Refresh { session: kept, access }).expect("refreshed");
    }
    let access = &bench.state().sessions[&kept].access;
    assert_eq!(access.len(), MOST_ACCESS_TOKENS);
    assert!(access.contains(&token("99", FAR)) && !access.contains(&token("0", 1)));
    let over = bench.log_in(key, 1).id;
    let refresh = KeyCommand::Refresh { session: over, access: token("late", FAR) };
    assert!(matches!(bench.keys(refresh), Err(StoreError::SessionNotFound(id)) if id == over));
}

#[test]
fn uses_are_saved_beside_the_state_and_go_with_their_key() {
    let mut bench = Bench::new();
    let (key, gone) = (bench.key("abcdefgh"), bench.key("otherkey"));
    let entry = key.sources[0].id;
    let address = Some("10.0.0.1".parse().expect("an address"));
    let revision = bench.state().revision;
    for (id, now) in [(key.id, 5), (key.id, 6), (entry, 6), (gone.id, 7)] {
        bench.handle().note_use(id, now, address);
    }
    bench.save_uses();
    assert_eq!(bench.state().revision, revision, "the state is as it was");
    bench.reopen();
    let seen = bench.handle().use_of(key.id).expect("it was used");
    assert_eq!((seen.count, seen.last, seen.address), (2, 6, address));
    assert_eq!(bench.handle().use_of(entry).map(|seen| seen.count), Some(1));
    bench.keys(KeyCommand::Delete { key: gone.id }).expect("deleted");
    bench.keys(KeyCommand::DeleteSource { key: key.id, source: entry }).expect("deleted");
    bench.handle().note_use(gone.id, 8, None);
    bench.save_uses();
    bench.reopen();
    assert_eq!((bench.handle().use_of(gone.id), bench.handle().use_of(entry)), (None, None));
    assert!(bench.handle().use_of(key.id).is_some());
}

/// A step whose subject is picked among what there is.
#[derive(Clone, Debug)]
enum Step {
    Create(u8),
    Enable(prop::sample::Index, bool),
    Delete(prop::sample::Index),
    AddSource(prop::sample::Index, u8),
    DropSource(prop::sample::Index, prop::sample::Index),
    LogIn(prop::sample::Index, bool),
    Refresh(prop::sample::Index),
    LogOut(prop::sample::Index),
    Reopen,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let index = any::<prop::sample::Index>;
    let step = prop_oneof![
        3 => (0..4u8).prop_map(Step::Create),
        1 => (index(), any::<bool>()).prop_map(|(key, on)| Step::Enable(key, on)),
        1 => index().prop_map(Step::Delete),
        4 => (index(), 0..9u8).prop_map(|(key, number)| Step::AddSource(key, number)),
        2 => (index(), index()).prop_map(|(key, source)| Step::DropSource(key, source)),
        4 => (index(), any::<bool>()).prop_map(|(key, over)| Step::LogIn(key, over)),
        3 => index().prop_map(Step::Refresh),
        1 => index().prop_map(Step::LogOut),
        1 => Just(Step::Reopen),
    ];
    prop::collection::vec(step, 1..40)
}

fn command(state: &State, step: &Step) -> Option<KeyCommand> {
    let pick = |index: &prop::sample::Index, ids: Vec<ObjectId>| {
        (!ids.is_empty()).then(|| ids[index.index(ids.len())])
    };
    let key = |index| pick(index, state.keys.keys().copied().collect());
    let session = |index| pick(index, state.sessions.keys().copied().collect());
    Some(match step {
        Step::Create(number) => {
            KeyCommand::Create { key: new_key(&format!("key{number}"), &["::1"]) }
        }
        Step::Enable(index, enabled) => KeyCommand::Enable { key: key(index)?, enabled: *enabled },
        Step::Delete(index) => KeyCommand::Delete { key: key(index)? },
        Step::AddSource(index, number) => KeyCommand::CreateSource {
            key: key(index)?,
            source: source(&format!("10.{number}.0.0/16")),
        },
        Step::DropSource(index, of) => {
            let key = key(index)?;
            let sources = state.keys[&key].sources.iter().map(|source| source.id).collect();
            KeyCommand::DeleteSource { key, source: pick(of, sources)? }
        }
        Step::LogIn(index, over) => KeyCommand::LogIn {
            key: key(index)?,
            refresh: SecretHash::of("refresh"),
            expires: if *over { 1 } else { FAR },
            access: token("access", FAR),
        },
        Step::Refresh(index) => {
            KeyCommand::Refresh { session: session(index)?, access: token("more", FAR) }
        }
        Step::LogOut(index) => KeyCommand::LogOut { session: session(index)? },
        Step::Reopen => return None,
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 32, ..ProptestConfig::default() })]

    #[test]
    fn memory_and_disk_agree(steps in steps()) {
        let mut bench = Bench::new();
        for step in &steps {
            match command(&bench.state(), step) {
                Some(command) => drop(bench.keys(command)),
                None => drop(bench.reopen()),
            }
            let state = bench.state();
            for session in state.sessions.values() {
                prop_assert!(state.keys.contains_key(&session.key));
            }
        }
        let last = bench.state();
        prop_assert_eq!(&*bench.reopen(), &*last);
    }
}
