//! D6: no crate of `Cargo.lock` has a fault that RustSec knew of when the list was made.
//! `cargo deny check` asks the newest list where there is a network.

use semver::{Version, VersionReq};

use crate::{report, source};

/// What was found since the list was made: it stands here until the list has it.
const FOUND_SINCE: [(&str, &str, &str); 1] = [("RUSTSEC-2026-0258", "h2", ">= 0.4.0")];

/// `(name, version)`
fn locked() -> Vec<(String, Version)> {
    let lock: toml::Table = source::read("Cargo.lock").parse().unwrap();
    let packages = lock["package"].as_array().unwrap();
    let of = |package: &toml::Value, name: &str| package[name].as_str().unwrap().to_owned();
    let packages = packages.iter();
    packages
        .map(|package| (of(package, "name"), of(package, "version").parse().unwrap()))
        .collect()
}

#[test]
fn no_locked_crate_has_a_known_fault() {
    let list = source::read("tests/tidy/advisories.tsv");
    let listed = list.lines().filter(|line| !line.starts_with('#'));
    let listed = listed.map(|line| {
        let fields: Vec<&str> = line.split('\t').collect();
        (fields[0], fields[1], fields[2])
    });
    let locked = locked();
    let mut findings = Vec::new();
    let mut compared = 0;
    for (id, name, good) in listed.chain(FOUND_SINCE) {
        compared += 1;
        let ranges = good.split("; ").filter(|range| !range.is_empty());
        let ranges: Vec<VersionReq> = ranges.map(|range| range.parse().unwrap()).collect();
        for (_, version) in locked.iter().filter(|(locked, _)| locked == name) {
            if !ranges.iter().any(|range| range.matches(version)) {
                findings.push(format!("{id}: {name} {version}; good are {good}"));
            }
        }
    }
    assert!(compared > 20, "the list is short: {compared}");
    report("Update or remove these crates:", &findings);
}
