//! The committed data files are what the published bundles say.

use std::path::{Path, PathBuf};

use xtask::definitions::{DATA_FOLDER, generate};

#[test]
fn the_committed_data_is_the_generated_data() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let shared = std::env::var_os("UNLOOP_SHARED")
        .map_or_else(|| root.join("../shared"), PathBuf::from)
        .join("fhir/definitions");
    if !shared.is_dir() {
        let ci = std::env::var("CI").is_ok_and(|v| v == "true");
        assert!(!ci, "the published R4 bundles must be there in CI");
        eprintln!("skipped: no R4 bundles at {}", shared.display());
        return;
    }
    for (name, text) in generate(&shared).expect("readable bundles").files() {
        let path = root.join(DATA_FOLDER).join(name);
        let committed = std::fs::read_to_string(&path).expect("a committed data file");
        assert!(
            committed == text,
            "{name} differs: run `cargo xtask definitions`"
        );
    }
}
