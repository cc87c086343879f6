//! Random sequences of requests from several clients at once, through daemons
//! that are killed at random moments: the answers, the store and what packets
//! meet agree, and nothing that was acknowledged is lost.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU32, Ordering};

use filter_tests::daemon::{Answer, AppPath, Configuration, Control, Daemon, Installation};
use filter_tests::deadline::wait_for;
use filter_tests::scenario::{AppRules, Mode};
use filter_tests::wire::Wire;
use filter_tests::world::{Family, HOST_INTERFACE, Place, World};
use hyper::Method;
use rand::rngs::Xoshiro256PlusPlus;
use rand::{RngExt as _, SeedableRng as _};
use serde_json::{Value, json};

use super::stage::{Stage, configuration, gets_in};

/// How many sequences are run, unless FILTERD_SEQUENCES says it.
const SEQUENCES: u32 = 160;

/// How long a sequence is, requests.
const STEPS: u32 = 5;

const CLIENTS: u64 = 4;

/// How often a daemon is killed at least.
const KILLS: u32 = 4;

/// The most requests that a daemon answers before it is killed.
const MOST_ANSWERED: u32 = 500;

/// The sources that are listed, covered and asked about.
const PLACES: std::ops::Range<u8> = 112..128;

/// A change that was acknowledged, by the version that it made.
#[derive(Debug)]
struct Acknowledged {
    action: &'static str,
    /// Added, removed and changed entries.
    counts: Option<[u64; 3]>,
}

type Log = Mutex<BTreeMap<u64, Acknowledged>>;

#[test]
fn answers_store_and_kernel_agree() {
    let sequences = std::env::var("FILTERD_SEQUENCES").ok().map(|text| text.parse());
    let sequences = sequences.map_or(SEQUENCES, |number| number.expect("a number"));
    let world = World::new();
    let configuration =
        Configuration { versions: Some(1_000_000), ..configuration(HOST_INTERFACE, "native") };
    let stage = Stage { world, installation: Installation::new(configuration) };
    let mut daemon = Some(stage.start());
    let control = stage.installation.control();
    let app = control.create_app("web", &AppRules::new(&["host"]), Mode::Enforce);
    let wire = Wire::new(&stage.world).expect("sockets open");
    let log = Log::default();
    let left = AtomicU32::new(sequences);
    let most = (sequences * STEPS / (KILLS + 1)).clamp(1, MOST_ANSWERED);
    let mut luck = Xoshiro256PlusPlus::seed_from_u64(0);
    for round in 0.. {
        let done = AtomicU32::new(0);
        // A moment that lies in the middle of requests.
        let deadly = luck.random_range(most / 2..=most);
        std::thread::scope(|scope| {
            for client in 0..CLIENTS {
                let (control, app, log, left, done) = (control.clone(), &app, &log, &left, &done);
                let client = Client::new(control, app, round * CLIENTS + client);
                scope.spawn(move || client.run(left, log, done));
            }
            let moment = wait_for("the moment to kill, or the end", || {
                let is_over = left.load(Ordering::Relaxed) == 0;
                (is_over || done.load(Ordering::Relaxed) >= deadly).then_some(!is_over)
            });
            if moment {
                daemon.take().map(Daemon::kill);
            }
        });
        daemon.get_or_insert_with(|| stage.start());
        agree(&control, &app, &wire, &log.lock().expect("no client panicked"));
        if left.load(Ordering::Relaxed) == 0 {
            println!("{sequences} sequences, {round} daemons killed, no disagreement");
            break;
        }
    }
}

/// A client with its own luck.
struct Client<'a> {
    control: Control,
    app: &'a AppPath,
    luck: Xoshiro256PlusPlus,
    number: u64,
}

impl<'a> Client<'a> {
    fn new(control: Control, app: &'a AppPath, seed: u64) -> Self {
        Self { control, app, luck: Xoshiro256PlusPlus::seed_from_u64(seed), number: seed }
    }

    /// Runs sequences until none is left or nobody answers any more.
    fn run(mut self, left: &AtomicU32, log: &Log, done: &AtomicU32) {
        let take = |left: u32| left.checked_sub(1);
        while let Ok(sequence) = left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, take) {
            for step in sequence * STEPS..(sequence + 1) * STEPS {
                let Some((version, acknowledged)) = self.step(step) else { return };
                done.fetch_add(1, Ordering::Relaxed);
                let Some(acknowledged) = acknowledged else { continue };
                let before = log.lock().expect("no client panicked").insert(version, acknowledged);
                assert!(before.is_none(), "two changes made version {version}");
            }
        }
    }

    /// One request; nothing when nobody answers. A refusal, and a change that
    /// changes nothing, is nothing to remember.
    fn step(&mut self, step: u32) -> Option<(u64, Option<Acknowledged>)> {
        let list = format!("{}/access_list", self.app.ours);
        let address = self.address();
        let said = format!("{} {step}", self.number);
        let (method, path, body, action, counts) = match self.luck.random_range(0..10) {
            0..4 => {
                let enabled = self.luck.random_ratio(4, 5);
                let body = json!({ "address": address, "enabled": enabled, "comment": said });
                (Method::POST, list, Some(body), "entry.create", Some([1, 0, 0]))
            }
            4..6 => {
                let body = json!({ "address": address, "comment": said });
                (Method::PATCH, self.entry(&list)?, Some(body), "entry.update", Some([0, 0, 1]))
            }
            6..8 => (Method::DELETE, self.entry(&list)?, None, "entry.delete", Some([0, 1, 0])),
            8 => {
                let entries: Vec<_> =
                    (0..5).map(|_| json!({ "address": self.address() })).collect();
                let body = json!({ "entries": entries, "replace": self.luck.random_ratio(1, 2) });
                (Method::POST, format!("{list}/import"), Some(body), "list.import", None)
            }
            _ => {
                let latest = self.get(&list)?["version"].as_u64().expect("a number");
                let version = self.luck.random_range(1..=latest);
                let path = format!("{list}/versions/{version}/restore");
                (Method::POST, path, None, "list.restore", None)
            }
        };
        let answer = self.control.call(method, &path, body.as_ref()).ok()?;
        let status = answer.status.as_u16();
        assert!(answer.status.is_success() || [404, 409].contains(&status), "{answer:?}");
        if !answer.status.is_success() || is_idle(&answer) {
            return Some((0, None));
        }
        assert_eq!(answer.headers["filterd-applied"], "yes", "{answer:?}");
        Some((version(&answer), Some(Acknowledged { action, counts })))
    }

    /// A source, or a network of some.
    fn address(&mut self) -> String {
        let place = Place(self.luck.random_range(PLACES));
        match self.luck.random_range(0..6) {
            0 => format!("10.77.0.{}/30", place.0 & !3),
            1 => format!("fd77::{:x}/126", place.0 & !3),
            2 | 3 => place.v4().to_string(),
            _ => place.v6().to_string(),
        }
    }

    /// The path of an entry that is there now, or was a moment ago.
    fn entry(&mut self, list: &str) -> Option<String> {
        let found = self.get(list)?;
        let entries = found["entries"].as_array().expect("a list");
        let id = match entries.len() {
            0 => "5f0000000000000000000000",
            count => entries[self.luck.random_range(0..count)]["_id"].as_str().expect("an id"),
        };
        Some(format!("{list}/{id}"))
    }

    fn get(&self, path: &str) -> Option<Value> {
        self.control.call(Method::GET, path, None).ok().map(|answer| answer.body)
    }
}

/// Whether many at a time changed nothing.
fn is_idle(answer: &Answer) -> bool {
    let count = |name: &str| answer.body.get(name).and_then(Value::as_u64);
    let counts = ["added", "removed", "changed"].map(count);
    counts.iter().all(Option::is_some) && counts.into_iter().flatten().sum::<u64>() == 0
}

fn version(answer: &Answer) -> u64 {
    let tag = answer.headers["etag"].to_str().expect("ASCII");
    tag.trim_matches('"').parse().expect("a number")
}

fn agree(control: &Control, app: &AppPath, wire: &Wire<'_>, log: &BTreeMap<u64, Acknowledged>) {
    let list = format!("{}/access_list", app.ours);
    let latest = control.get(&list);
    let versions = versions(control, &list);
    let last = latest["version"].as_u64().expect("a number");
    assert!(versions.keys().copied().eq(1..=last), "a version is missing: {last}");
    for (version, acknowledged) in log {
        let found = versions.get(version).unwrap_or_else(|| panic!("version {version} is lost"));
        assert_eq!(found["action"], acknowledged.action, "{found} {acknowledged:?}");
        if let Some(counts) = acknowledged.counts {
            let found = ["added", "removed", "changed"].map(|name| found[name].as_u64());
            assert_eq!(found, counts.map(Some), "version {version}");
        }
    }
    let entries = latest["entries"].as_array().expect("a list");
    let networks: Vec<ipnet::IpNet> = entries
        .iter()
        .filter(|entry| entry["enabled"] == true)
        .map(|entry| network(entry["address"].as_str().expect("text")))
        .collect();
    for place in PLACES.map(Place) {
        for address in Family::BOTH.map(|family| place.address(family)) {
            let listed = networks.iter().any(|network| network.contains(&address));
            assert_eq!(gets_in(wire, address), listed, "{address} of {networks:?}");
        }
    }
}

/// All versions by their numbers.
fn versions(control: &Control, list: &str) -> BTreeMap<u64, Value> {
    let mut all = BTreeMap::new();
    loop {
        let before = all.keys().next().map_or(String::new(), |first| format!("&before={first}"));
        let page = control.get(&format!("{list}/versions?limit=1000{before}"));
        let page = page.as_array().expect("a list");
        if page.is_empty() {
            return all;
        }
        let numbered = page.iter().map(|v| (v["version"].as_u64().expect("a number"), v.clone()));
        all.extend(numbered);
    }
}

fn network(text: &str) -> ipnet::IpNet {
    text.parse().unwrap_or_else(|_| text.parse::<IpAddr>().expect("an address").into())
}
