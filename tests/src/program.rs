//! The real program, fed through the daemon's own data path. The only place
//! that knows how the daemon is called as a library.

mod state;

use std::collections::HashMap;

use filter_common::trie::TrieValue;
use filter_daemon::access_list::{Prefix, PrefixSet};
use filter_daemon::datapath::{AttachMode, Datapath, DatapathOptions};
use filter_daemon::policy::{Policy, compile};
use ipnet::IpNet;

use crate::counter_table::{Cell, Count, CounterTable};
use crate::kernel;
use crate::pins::Pins;
use crate::scenario::{Mode, Rules};
use crate::test_run::{Action, PinnedProgram};

/// Test runs come in by `lo` of the namespace of the thread.
const INGRESS: u32 = 1;

/// The program with its maps, attached nowhere.
pub struct Program {
    datapath: Datapath,
    program: PinnedProgram,
    counters: CounterTable,
    revision: u64,
    pins: Pins,
    accelerate_from: usize,
}

impl Program {
    /// Loads it, with no policy yet. Lists are answered by their tries alone.
    pub fn open() -> Self {
        Self::open_at(Pins::new(), usize::MAX)
    }

    /// The same with a table in front of every trie.
    pub fn open_accelerated() -> Self {
        Self::open_at(Pins::new(), 1)
    }

    fn open_at(pins: Pins, accelerate_from: usize) -> Self {
        let options =
            DatapathOptions { pins: pins.path().to_owned(), packet_log: false, accelerate_from };
        let datapath = Datapath::open(&options).expect("the program loads");
        let program = PinnedProgram::open(&datapath.program_pin()).expect("the program is pinned");
        let counters = datapath.program_pin().with_file_name("COUNTERS");
        let counters = CounterTable::open(&counters).expect("the counters are pinned");
        Self { datapath, program, counters, revision: 0, pins, accelerate_from }
    }

    /// Makes the kernel hold the rules of a scenario.
    pub fn apply(&mut self, rules: &Rules, mode: Mode) {
        let policy = self.policy(rules, mode);
        self.datapath.apply(&policy).expect("the kernel takes the policy");
    }

    /// The same with every entry of the list expiring at a second of the boot
    /// clock.
    pub fn apply_expiring(&mut self, rules: &Rules, boot_s: u32) {
        let mut policy = self.policy(rules, Mode::Enforce);
        for app in &mut policy.apps {
            app.list = expiring(&app.list, boot_s);
        }
        self.datapath.apply(&policy).expect("the kernel takes the policy");
    }

    /// Lets go of everything and opens the same pins again, as a daemon that
    /// is started again does.
    pub fn reopen(self) -> Self {
        let Self { datapath, program, counters, revision, pins, accelerate_from } = self;
        drop((datapath, program, counters));
        Self { revision, ..Self::open_at(pins, accelerate_from) }
    }

    /// Points the selector to a generation that is not there.
    pub fn select_nothing(&self) {
        let selector = self.datapath.program_pin().with_file_name("SELECTOR");
        kernel::write_word(&selector, u32::MAX).expect("the selector is pinned");
    }

    /// Tries to attach to an interface of the calling thread's namespace.
    pub fn attach(&mut self, ifindex: u32) -> Result<(), String> {
        let attached = self.datapath.attach(ifindex, AttachMode::Generic);
        attached.map(drop).map_err(|error| error.to_string())
    }

    /// Does all that the last change left to do.
    pub fn tend(&mut self) {
        while self.datapath.mend().expect("tables are mended") {}
        while self.free_some() {}
    }

    /// Frees some of what the last change left behind; whether there is more.
    pub fn free_some(&mut self) -> bool {
        self.datapath.free_some().expect("the kernel lets go of it")
    }

    /// The pins.
    pub fn pins(&self) -> &Pins {
        &self.pins
    }

    fn policy(&mut self, rules: &Rules, mode: Mode) -> Policy {
        self.revision += 1;
        let state = state::state(rules, mode, self.revision);
        compile(&state, &state::host(rules, INGRESS)).expect("the state compiles")
    }

    /// Runs a frame through it.
    pub fn run(&self, frame: &[u8], linear_bytes: Option<usize>) -> Action {
        self.program.run(frame, linear_bytes).expect("the program runs")
    }

    /// Every counter that is not zero.
    pub fn counters(&self) -> HashMap<Cell, Count> {
        self.counters.read().expect("the counters can be read")
    }

    /// Packets that entries let in, by the entry's number.
    pub fn hits(&self) -> HashMap<u32, u64> {
        let hits = self.datapath.hits().read().expect("the hits can be read");
        hits.into_iter().map(|(entry, hit)| (entry, hit.packets)).collect()
    }
}

fn expiring(set: &PrefixSet, boot_s: u32) -> PrefixSet {
    let v4 = set.v4().prefixes().iter().map(|(net, value)| (IpNet::V4(*net), *value));
    let v6 = set.v6().prefixes().iter().map(|(net, value)| (IpNet::V6(*net), *value));
    let mut list = PrefixSet::default();
    for (net, value) in v4.chain(v6) {
        list.insert(Prefix::new(net), TrieValue { expires_boot_s: boot_s, ..value });
    }
    list
}
