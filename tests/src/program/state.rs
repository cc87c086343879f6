//! Rules of a scenario as the daemon's own state.

use std::net::IpAddr;
use std::sync::Arc;

use crate::scenario::{AppRules, Mode, Rules};
use crate::world::{HOST, HOST_INTERFACE, HOST_SECOND, OTHER_INTERFACE};
use filter_daemon::access_list::{AccessList, Address, Entry, Prefix};
use filter_daemon::app::App;
use filter_daemon::config::FailSafe;
use filter_daemon::id::ObjectId;
use filter_daemon::policy::{Alias, Host, Interface};
use filter_daemon::state::{Settings, State};

/// The state that the rules stand for; apps without a mode of their own have
/// the one given.
pub(super) fn state(rules: &Rules, mode: Mode, revision: u64) -> State {
    let mut state = State {
        revision,
        settings: Settings { dhcp: rules.dhcp, non_ip: rules.non_ip },
        ..State::default()
    };
    for (index, app) in (1..).zip(&rules.apps) {
        let app = self::app(index, app, mode);
        state.apps.insert(app.id, Arc::new(app));
    }
    state
}

/// The host that the rules stand on: test runs come in by the interface of
/// the index given.
pub(super) fn host(rules: &Rules, ifindex: u32) -> Host {
    let broadcast = IpAddr::from([10, 77, 0, 255]);
    let fail_safe =
        |(source, port): &(String, Option<u16>)| FailSafe { prefix: prefix(source), port: *port };
    Host {
        fail_safe: rules.fail_safe.iter().map(fail_safe).collect(),
        interfaces: vec![
            Interface { name: HOST_INTERFACE.to_owned(), index: ifindex },
            Interface { name: OTHER_INTERFACE.to_owned(), index: ifindex + 1 },
        ],
        aliases: [HOST, HOST_SECOND]
            .map(|place| Alias { address: place.v4().into(), alias: broadcast })
            .to_vec(),
        ephemeral: Some((32768, 60999)),
        booted: 0,
    }
}

fn app(index: u32, rules: &AppRules, mode: Mode) -> App {
    let entry = |(number, text): (u32, &String)| {
        let address = Address::parse(text).expect("scenarios list valid addresses");
        let id = ObjectId::from_parts(0, number, [0; 4]);
        Arc::new(Entry {
            id,
            address,
            comment: Box::default(),
            enabled: true,
            expires: None,
            author: "root".into(),
            changed: 0,
        })
    };
    let entries: Vec<_> = (1..).zip(&rules.list).map(entry).collect();
    let mut list = AccessList::default();
    list.extend(&entries).expect("scenarios list an address once");
    App {
        id: ObjectId::from_parts(index, 0, [1; 4]),
        client_app_id: format!("app{index}-aaaaa"),
        name: format!("app{index}"),
        group: ObjectId::from_parts(0, 0, [0; 4]),
        index,
        mode: rules.mode.unwrap_or(mode),
        scopes: rules
            .scopes
            .iter()
            .map(|text| text.parse().unwrap_or_else(|error| panic!("{text}: {error}")))
            .collect(),
        origins: Vec::new(),
        require_origin: false,
        proxy: filter_daemon::app::ProxySettings::default(),
        trusted_hops: rules.trusted_hops.iter().map(|text| prefix(text)).collect(),
        list,
        last_modified: 0,
    }
}

fn prefix(text: &str) -> Prefix {
    text.parse().expect("scenarios name valid prefixes")
}
