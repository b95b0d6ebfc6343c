//! libFuzzer's entry: `UNLOOP_FUZZ_TARGET` names the parser that is fuzzed.
#![no_main]

#[path = "../../tests/fuzz/targets/mod.rs"]
mod targets;

use std::sync::OnceLock;

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    static TARGET: OnceLock<targets::Target> = OnceLock::new();
    let target = TARGET.get_or_init(|| {
        let name = std::env::var("UNLOOP_FUZZ_TARGET").expect("UNLOOP_FUZZ_TARGET names a target");
        let mut known = targets::TARGETS.into_iter();
        let found = known.find_map(|(known, target)| (known == name).then_some(target));
        found.expect("UNLOOP_FUZZ_TARGET is one of the targets")
    });
    target(data);
});
