//! Whatever is done in whatever order: memory and disk hold the same.

use proptest::prelude::*;

use super::*;
use crate::access_list::Entry;

/// A step whose subject is picked among what there is.
#[derive(Clone, Debug)]
enum Step {
    CreateApp { name: u8, port: u16 },
    UpdateApp { app: prop::sample::Index, mode: Mode, port: u16 },
    DeleteApp { app: prop::sample::Index },
    Create { app: prop::sample::Index, address: u8 },
    Update { app: prop::sample::Index, entry: prop::sample::Index, address: u8 },
    Delete { app: prop::sample::Index, entry: prop::sample::Index },
    Import { app: prop::sample::Index, addresses: Vec<u8>, replace: bool },
    Restore { app: prop::sample::Index, back: u8 },
    Settings { dhcp: bool, non_ip: bool },
    Reopen,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let index = any::<prop::sample::Index>;
    let mode = prop::sample::select(vec![Mode::Off, Mode::Observe, Mode::Enforce]);
    let step = prop_oneof![
        2 => (0..6u8, 0..4u16).prop_map(|(name, port)| Step::CreateApp { name, port }),
        1 => (index(), mode, 0..4u16).prop_map(|(app, mode, port)| Step::UpdateApp { app, mode, port }),
        1 => index().prop_map(|app| Step::DeleteApp { app }),
        6 => (index(), 0..20u8).prop_map(|(app, address)| Step::Create { app, address }),
        3 => (index(), index(), 0..20u8)
            .prop_map(|(app, entry, address)| Step::Update { app, entry, address }),
        3 => (index(), index()).prop_map(|(app, entry)| Step::Delete { app, entry }),
        2 => (index(), prop::collection::vec(0..20u8, 0..12), any::<bool>())
            .prop_map(|(app, addresses, replace)| Step::Import { app, addresses, replace }),
        2 => (index(), 0..9u8).prop_map(|(app, back)| Step::Restore { app, back }),
        1 => (any::<bool>(), any::<bool>()).prop_map(|(dhcp, non_ip)| Step::Settings { dhcp, non_ip }),
        1 => Just(Step::Reopen),
    ];
    prop::collection::vec(step, 1..30)
}

/// Both families, networks and hosts.
fn address(number: u8) -> Address {
    let text = match number % 3 {
        0 => format!("10.{number}.0.0/16"),
        1 => format!("192.0.2.{number}"),
        _ => format!("2001:db8:{number}::/48"),
    };
    Address::parse(&text).expect("valid")
}

fn command(bench: &Bench, step: &Step) -> Option<Command> {
    let state = bench.state();
    let apps: Vec<_> = state.apps.values().collect();
    let found = |index: &prop::sample::Index| {
        (!apps.is_empty()).then(|| Arc::clone(apps[index.index(apps.len())]))
    };
    let place = |app: &crate::app::App| AppRef { group: app.group, app: app.id };
    let scopes = |port: u16| vec![format!("port={port}").parse::<Scope>().expect("valid")];
    let new = |number: u8| NewEntry {
        address: address(number),
        fields: EntryFields {
            comment: Some(format!("no. {number}")),
            enabled: Some(!number.is_multiple_of(5)),
            expires: Some(number.is_multiple_of(7).then_some(i64::MAX)),
        },
    };
    Some(match step {
        Step::CreateApp { name, port } => Command::CreateApp {
            group: bench.group(),
            app: NewApp {
                fields: AppFields {
                    name: Some(format!("app-{name}")),
                    scopes: Some(scopes(*port)),
                    trusted_hops: Some(vec![address(*name).prefix()]),
                    ..AppFields::default()
                },
                entries: vec![new(*name)],
            },
        },
        Step::UpdateApp { app, mode, port } => Command::UpdateApp {
            app: place(&*found(app)?),
            fields: AppFields {
                mode: Some(*mode),
                scopes: Some(scopes(*port)),
                ..AppFields::default()
            },
        },
        Step::DeleteApp { app } => Command::DeleteApp { app: place(&*found(app)?) },
        Step::Create { app, address } => {
            Command::CreateEntry { app: place(&*found(app)?), entry: new(*address) }
        }
        Step::Update { app, entry, address: number } => {
            let app = found(app)?;
            let entry = picked(&app, entry)?;
            let address = Some(address(*number));
            let fields = new(*number).fields;
            Command::UpdateEntry { app: place(&app), entry, address, fields }
        }
        Step::Delete { app, entry } => {
            let app = found(app)?;
            Command::DeleteEntry { app: place(&app), entry: picked(&app, entry)? }
        }
        Step::Import { app, addresses, replace } => {
            let entries = addresses.iter().copied().map(new).collect();
            import_of(place(&*found(app)?), entries, *replace)
        }
        Step::Restore { app, back } => {
            let app = found(app)?;
            let version = app.list.version.saturating_sub(u64::from(*back)).max(1);
            Command::RestoreList { app: place(&app), version }
        }
        Step::Settings { dhcp, non_ip } => {
            Command::UpdateSettings { dhcp: Some(*dhcp), non_ip: Some(*non_ip) }
        }
        Step::Reopen => return None,
    })
}

fn picked(app: &crate::app::App, index: &prop::sample::Index) -> Option<ObjectId> {
    let count = app.list.len();
    (count > 0).then(|| app.list.entries().nth(index.index(count)).map(|entry| entry.id))?
}

/// What holds in every state.
fn check(state: &State) {
    for app in state.apps.values() {
        let numbers: Vec<_> = app.list.entries().map(|entry| entry.number()).collect();
        let enabled = app.list.entries().filter(|entry| entry.enabled).count();
        assert!(numbers.is_sorted() && app.list.prefixes().len() == enabled);
    }
    let indexes: std::collections::BTreeSet<_> = state.apps.values().map(|app| app.index).collect();
    assert_eq!(indexes.len(), state.apps.len());
}

/// Every list as it was at every version.
#[derive(Default)]
struct Past(std::collections::BTreeMap<(ObjectId, u64), Vec<Arc<Entry>>>);

impl Past {
    fn remember(&mut self, state: &State) {
        for app in state.apps.values() {
            let entries = app.list.entries().cloned().collect();
            let known = self.0.entry((app.id, app.list.version)).or_insert_with(|| entries);
            assert!(app.list.entries().eq(known.iter()), "a version has changed");
        }
    }

    /// What was restored is what was.
    fn check(&self, state: &State, command: &Command) {
        let Command::RestoreList { app, version } = command else { return };
        let entries = state.apps[&app.app].list.entries();
        assert!(entries.eq(self.0[&(app.app, *version)].iter()), "version {version}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    #[test]
    fn memory_and_disk_agree(steps in steps()) {
        let mut bench = Bench::new();
        let mut past = Past::default();
        for step in &steps {
            let before = bench.state();
            match command(&bench, step) {
                None => {
                    bench.reopen();
                }
                Some(command) => match bench.execute(command.clone()) {
                    Ok((_, revision)) => {
                        prop_assert!(revision >= before.revision && revision <= before.revision + 1);
                        prop_assert_eq!(bench.state().revision, revision);
                        past.check(&bench.state(), &command);
                    }
                    Err(_) => prop_assert_eq!(&*bench.state(), &*before),
                },
            }
            check(&bench.state());
            past.remember(&bench.state());
        }
        let last = bench.state();
        prop_assert_eq!(&*bench.reopen(), &*last);
    }
}
