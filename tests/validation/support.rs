//! The check as tests ask it, and the published material.

use std::io::Read;
use std::path::{Path, PathBuf};

use serde_json::Value;
use unloop::fhir::definitions::r4;
use unloop::fhir::outcome::Issue;
use unloop::fhir::validate::structure::check;

pub fn problems(document: &Value) -> Vec<Issue> {
    check(r4(), document.as_object().expect("an object"))
}

pub fn places(document: &Value) -> Vec<String> {
    let issues = problems(document).into_iter();
    issues.filter_map(|i| i.expression).collect()
}

/// (issue code, place) of each problem
pub fn told(document: &Value) -> Vec<(String, String)> {
    let issues = problems(document).into_iter();
    issues
        .map(|i| (i.code.to_owned(), i.expression.unwrap_or_default()))
        .collect()
}

/// The resources of the official package up to a size, with their file names.
pub fn each_official_example(largest: u64, mut visit: impl FnMut(&str, &Value)) {
    let Some(package) = shared("fhir/definitions/hl7.fhir.r4.examples-4.0.1.tgz") else {
        return;
    };
    let file = std::fs::File::open(package).expect("a readable package");
    let mut archive = tar::Archive::new(flate2::read::GzDecoder::new(file));
    let mut count = 0;
    for entry in archive.entries().expect("a tar file") {
        let mut entry = entry.expect("an entry");
        if entry.size() > largest {
            continue;
        }
        let path = entry.path().expect("a path");
        let name = path.file_stem().expect("a name").display().to_string();
        let mut text = String::new();
        entry.read_to_string(&mut text).expect("UTF-8");
        if let Ok(resource) = serde_json::from_str::<Value>(&text)
            && resource.get("resourceType").is_some()
        {
            visit(&name, &resource);
            count += 1;
        }
    }
    assert!(count > 2000, "{count} examples");
}

/// Something of the shared material; without it a test says so and passes.
pub fn shared(path: &str) -> Option<PathBuf> {
    let folder = std::env::var_os("UNLOOP_SHARED").map_or_else(
        || Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared"),
        PathBuf::from,
    );
    let found = folder.join(path);
    if found.exists() {
        return Some(found);
    }
    let ci = std::env::var("CI").is_ok_and(|v| v == "true");
    assert!(!ci, "{path} must be there in CI");
    eprintln!("skipped: no {path} in {}", folder.display());
    None
}
