//! The folder of official data beside the project.

use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use serde_json::Value;

pub fn path(below: &str) -> Option<PathBuf> {
    let folder = std::env::var_os("UNLOOP_SHARED").map_or_else(
        || Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared"),
        PathBuf::from,
    );
    let found = folder.join(below);
    if found.exists() {
        return Some(found);
    }
    let ci = std::env::var("CI").is_ok_and(|v| v == "true");
    assert!(!ci, "{below} must be there in CI");
    eprintln!("skipped: no {below} in {}", folder.display());
    None
}

/// Every resource of the official package with the name of its file.
pub fn examples() -> Option<&'static [(String, Value)]> {
    static EXAMPLES: OnceLock<Option<Vec<(String, Value)>>> = OnceLock::new();
    EXAMPLES.get_or_init(read_examples).as_deref()
}

fn read_examples() -> Option<Vec<(String, Value)>> {
    let package = path("fhir/definitions/hl7.fhir.r4.examples-4.0.1.tgz")?;
    let file = std::fs::File::open(package).unwrap();
    let mut archive = tar::Archive::new(flate2::read::GzDecoder::new(file));
    let mut found = Vec::new();
    for entry in archive.entries().unwrap() {
        let mut entry = entry.unwrap();
        let name = entry.path().unwrap().display().to_string();
        let mut text = String::new();
        entry.read_to_string(&mut text).unwrap();
        if let Ok(value) = serde_json::from_str::<Value>(&text)
            && value.get("resourceType").is_some()
        {
            let name = name.trim_start_matches("package/").to_owned();
            found.push((name, value));
        }
    }
    Some(found)
}
