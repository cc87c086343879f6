//! Frees tries that are out of force, slowly.
//!
//! The kernel frees a trie in one go and lets nothing else run on that CPU
//! meanwhile; a million entries take it a good part of a second. So the
//! entries are taken out a few at a time, by a thread that gives way to
//! everything else, and the kernel is left with an empty trie. Since Linux
//! 6.14 what was taken out waits for a grace period as well, and what waits
//! then goes in one go: so there is a pause after each few.

use std::os::fd::AsFd as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{SyncSender, sync_channel};
use std::thread;
use std::time::Duration;

use aya::Pod;
use aya::maps::lpm_trie::{Key, LpmTrie};
use aya::maps::{IterableMap as _, MapData};
use filter_common::trie::TrieValue;

use super::syscall;
use crate::priority::{Patience, give_way};

/// Entries taken out by one system call; twice as many for each trie that waits.
const SLICE: usize = 64;

/// The pause after as many. A million entries take some eighteen seconds.
const PAUSE: Duration = Duration::from_millis(1);

/// How often it is doubled: a million entries a second or two.
const DOUBLINGS: usize = 4;

/// Tries that may wait. Whoever retires more waits as well, or a list that is
/// replaced again and again would fill the kernel's memory.
const WAITING: usize = 64;

/// Where tries go that are out of force.
#[derive(Clone, Debug)]
pub(super) struct Reaper {
    jobs: SyncSender<Job>,
    waiting: Waiting,
}

/// How many tries wait.
type Waiting = Arc<AtomicUsize>;

type Job = Box<dyn FnOnce(&Waiting) + Send>;

impl Reaper {
    /// Starts the thread. It ends with the last reaper.
    pub(super) fn start() -> std::io::Result<Self> {
        let (sender, jobs) = sync_channel::<Job>(WAITING);
        let waiting = Waiting::default();
        let reaper = Self { jobs: sender, waiting: Arc::clone(&waiting) };
        thread::Builder::new().name("reaper".to_owned()).spawn(move || {
            give_way(Patience::Endless);
            for job in jobs {
                waiting.fetch_sub(1, Ordering::Relaxed);
                job(&waiting);
            }
        })?;
        Ok(reaper)
    }

    /// Frees a trie. Its keys, where they are known, need not be looked for.
    pub(super) fn free<A: Pod + Send>(
        &self,
        trie: LpmTrie<MapData, A, TrieValue>,
        keys: Option<impl Iterator<Item = Key<A>> + Send + 'static>,
    ) where
        Key<A>: Send,
    {
        let job: Job = Box::new(move |waiting| empty(&trie, keys, waiting));
        self.waiting.fetch_add(1, Ordering::Relaxed);
        // Without its thread there is nobody left to give way to.
        if let Err(unsent) = self.jobs.send(job) {
            (unsent.0)(&self.waiting);
        }
    }
}

fn empty<A: Pod>(
    trie: &LpmTrie<MapData, A, TrieValue>,
    keys: Option<impl Iterator<Item = Key<A>>>,
    waiting: &Waiting,
) {
    if let Some(mut keys) = keys {
        while take_out(trie, |some| keys.by_ref().take(some).collect(), waiting) {}
    }
    // What is left, if the keys were not known or were not all.
    let left = |some| trie.keys().take(some).filter_map(Result::ok).collect();
    while take_out(trie, left, waiting) {}
}

/// Takes some keys out; whether there may be others and it is worth going on.
fn take_out<A: Pod>(
    trie: &LpmTrie<MapData, A, TrieValue>,
    some: impl FnOnce(usize) -> Vec<Key<A>>,
    waiting: &Waiting,
) -> bool {
    let slice = SLICE << waiting.load(Ordering::Relaxed).min(DOUBLINGS);
    let keys = some(slice);
    let went = !keys.is_empty() && syscall::delete_batch(trie.map().fd().as_fd(), &keys).is_ok();
    let goes_on = went && keys.len() == slice;
    if goes_on {
        thread::sleep(PAUSE);
    }
    goes_on
}
