//! The fuzz targets over their seeds, and over seeds that are cut, joined and
//! bent: a smoke test of what cargo-fuzz runs for longer (see `fuzz/`).

use std::fs;
use std::path::Path;

use filter_tests::fuzz::{self, Api};

/// How many bent inputs come of one seed.
const BENT: u64 = 400;

/// The same for a target that writes to disk and to the kernel.
const BENT_SLOWLY: u64 = 100;

#[test]
fn addresses() {
    feed("address", BENT, fuzz::address);
}

#[test]
fn scopes() {
    feed("scope", BENT, fuzz::scope);
}

#[test]
fn configurations() {
    feed("config", BENT, fuzz::config);
}

#[test]
fn list_files() {
    feed("import", BENT, fuzz::import);
}

#[test]
fn requests() {
    let mut api = Api::start();
    let mut successes = 0;
    feed("api", BENT_SLOWLY, |input| {
        successes += usize::from(api.request(input).is_some_and(|status| status < 300));
    });
    // What is refused at the door tests nothing behind it.
    assert!(successes > 100, "only {successes} requests got through to the store");
}

fn feed(name: &str, bent: u64, mut target: impl FnMut(&[u8])) {
    let seeds = seeds(name);
    for (position, seed) in seeds.iter().enumerate() {
        target(seed);
        for number in 0..bent {
            let other = &seeds[(position + 1) % seeds.len()];
            target(&bend(seed, other, number.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1));
        }
    }
}

fn seeds(name: &str) -> Vec<Vec<u8>> {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/seeds").join(name);
    let mut files: Vec<_> = fs::read_dir(&directory)
        .expect("every target has seeds")
        .map(|entry| entry.expect("the directory can be read").path())
        .collect();
    files.sort();
    assert!(files.len() >= 5, "{} holds too few seeds", directory.display());
    files.iter().map(|file| fs::read(file).expect("a seed can be read")).collect()
}

/// Does to a seed, by the bits of a number, what fuzzers do.
fn bend(seed: &[u8], other: &[u8], mut number: u64) -> Vec<u8> {
    let mut draw = |limit: usize| {
        number =
            number.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let bits = usize::try_from(number >> 33).expect("31 bits");
        bits % limit.max(1)
    };
    let mut bytes = seed.to_vec();
    for _ in 0..=draw(3) {
        let at = draw(bytes.len() + 1);
        match draw(6) {
            0 => bytes.truncate(at),
            1 => bytes.insert(at, draw(256).to_le_bytes()[0]),
            2 if at < bytes.len() => bytes[at] ^= 1 << draw(8),
            3 if at < bytes.len() => {
                bytes.remove(at);
            }
            4 => bytes.extend_from_slice(&other[draw(other.len())..]),
            _ => {
                let piece = bytes[at..].to_vec();
                bytes.extend(piece);
            }
        }
    }
    bytes
}
