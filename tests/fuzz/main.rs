//! The fuzz targets on their seeds, and on seeds with a few bytes changed.
//! `make fuzz` looks for more, guided by coverage.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]

mod targets;

use std::path::Path;

/// Changed versions of each seed, the same in every run; `UNLOOP_FUZZ_CHANGES`
/// asks for more.
const CHANGES: u64 = 20;

#[test]
fn seeds_and_their_neighbours_do_no_harm() {
    let changes = std::env::var("UNLOOP_FUZZ_CHANGES");
    let changes = changes.map_or(CHANGES, |text| text.parse().unwrap());
    for (name, target) in targets::TARGETS {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("fuzz/seeds")
            .join(name);
        let mut seeds: Vec<_> = std::fs::read_dir(folder)
            .unwrap()
            .map(|file| file.unwrap().path())
            .collect();
        seeds.sort();
        assert!(!seeds.is_empty(), "{name} has no seeds");
        for (number, seed) in seeds.iter().enumerate() {
            let seed = std::fs::read(seed).unwrap();
            target(&seed);
            for change in 0..changes {
                target(&changed(&seed, (number as u64) << 32 | change));
            }
        }
    }
}

/// Some bytes replaced, left out or doubled (SplitMix64).
fn changed(seed: &[u8], number: u64) -> Vec<u8> {
    let mut state = number;
    let mut next = |below: usize| {
        state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        usize::try_from((z ^ (z >> 31)) % (below.max(1) as u64)).unwrap()
    };
    let mut bytes = seed.to_vec();
    for _ in 0..=next(4) {
        let at = next(bytes.len());
        match next(4) {
            0 if at < bytes.len() => drop(bytes.remove(at)),
            1 => bytes.insert(at, b"\"{}[]|,:$%\\0-~\xff"[next(15)]),
            2 if at < bytes.len() => bytes[at] = u8::try_from(next(256)).unwrap(),
            _ => bytes.extend_from_within(at..),
        }
    }
    bytes
}
