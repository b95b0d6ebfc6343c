//! The knowledge base holds together, and a fault in it is named.

use std::collections::HashSet;
use std::fs;

use unloop::clinical::knowledge::{Knowledge, Tier};

fn embedded() -> Knowledge {
    Knowledge::embedded().unwrap_or_else(|faults| {
        let lines: Vec<String> = faults.iter().map(ToString::to_string).collect();
        panic!("{}", lines.join("\n"))
    })
}

#[test]
fn what_the_program_brings_is_without_fault() {
    let knowledge = embedded();
    assert_eq!(knowledge.drugs.len(), 196);
    assert_eq!(knowledge.rules.len(), 64);
    assert_eq!(knowledge.criteria.len(), 29);
}

#[test]
fn codes_stand_once_and_every_rule_has_a_source() {
    let knowledge = embedded();
    let mut codes = HashSet::new();
    for drug in &knowledge.drugs {
        let rxnorm = drug.fact.rxnorm.iter().map(|code| &code.code);
        assert!(
            rxnorm.into_iter().all(|code| codes.insert(code)),
            "{}",
            drug.id
        );
    }
    for entry in &knowledge.shown {
        let heading = matches!(entry.list, "source" | "class");
        assert!(
            heading || !entry.provenance.sources.is_empty(),
            "{}",
            entry.id
        );
        assert!(!entry.provenance.version.is_empty(), "{}", entry.id);
    }
}

#[test]
fn nobody_has_signed_and_tier_c_is_marked() {
    let knowledge = embedded();
    assert!(knowledge.reviewed_by.is_empty());
    assert_eq!(
        Tier::C.mark(),
        Some("unverified: confirm before clinical use")
    );
    let unverified = knowledge.rules.iter().filter(|rule| rule.tier() == Tier::C);
    assert!(unverified.count() > 5);
}

/// What the texts may never claim.
#[test]
fn no_text_calls_anything_approved_or_safe() {
    for entry in &embedded().shown {
        let text = format!("{:?}", entry.fact).to_lowercase();
        let words: HashSet<&str> = text.split(|c: char| !c.is_alphabetic()).collect();
        for word in ["approved", "approve", "safe", "safely", "harmless"] {
            assert!(!words.contains(word), "{} says {word}", entry.id);
        }
    }
}

/// Puts one file in a folder and says what is then wrong.
fn faults(name: &str, change: impl Fn(String) -> String) -> Vec<String> {
    let folder = tempfile::tempdir().unwrap();
    let source = format!(
        "{}/src/clinical/knowledge/{name}",
        env!("CARGO_MANIFEST_DIR")
    );
    let text = fs::read_to_string(source).unwrap_or_default();
    fs::write(folder.path().join(name), change(text)).unwrap();
    match Knowledge::load(Some(folder.path())) {
        Ok(_) => Vec::new(),
        Err(faults) => faults.iter().map(ToString::to_string).collect(),
    }
}

fn replaced(name: &str, from: &str, to: &str) -> Vec<String> {
    faults(name, |text| {
        assert!(text.contains(from), "{name} has {from}");
        text.replacen(from, to, 1)
    })
}

#[test]
fn a_fault_is_named_by_file_entry_and_remedy() {
    let file = "interactions.toml";
    let severity = replaced(file, "clinic = \"caution\"", "clinic = \"risky\"");
    assert!(
        severity[0].starts_with("interactions.toml: rule maoi-irreversible: "),
        "{severity:?}"
    );
    assert!(severity[0].contains("risky"), "{severity:?}");
    let cases = [
        (
            replaced(file, "clinic = \"caution\"", "clinic = \"not-checked\""),
            "a severity is",
        ),
        (
            replaced(file, "sources = [\"general-knowledge\"]", "sources = []"),
            "has no source",
        ),
        (
            replaced(
                file,
                "sources = [\"general-knowledge\"]",
                "sources = [\"rumour\"]",
            ),
            "source rumour is not in",
        ),
        (
            replaced(file, "id = \"snri\"", "id = \"tca\""),
            "rule tca: stands more than once",
        ),
        (
            replaced(file, "\"venlafaxine\"", "\"venlafaxin\""),
            "drug venlafaxin is not in",
        ),
        (
            replaced(file, "mechanism = ", "mechanisme = "),
            "rule ssri-escitalopram: unknown field",
        ),
        (
            replaced(file, "[[rule]]", "[[rules]]"),
            "rules: is not known here",
        ),
        (
            replaced(file, "tier = \"A\"", "tier = \"D\""),
            "tier is A, B or C",
        ),
        (
            replaced("drugs.toml", "code = \"6130\"", "code = \"4493\""),
            "RxNorm 4493 is that of another drug",
        ),
        (
            replaced("drugs.toml", "class = \"ssri\"", "class = \"ssris\""),
            "class ssris is not there",
        ),
        (
            replaced(
                "drugs.toml",
                "brands = [\"Ketalar\"]",
                "brands = [\"Zoloft\"]",
            ),
            "the name Zoloft is that of",
        ),
        (
            replaced("scales.toml", "max = 20", "max = 25"),
            "max is not the sum",
        ),
        (
            faults("medicines.toml", |_| String::new()),
            "is no file of the knowledge base",
        ),
        (
            faults("sri.toml", |_| "[[dose".to_owned()),
            "sri.toml: file: ",
        ),
    ];
    for (found, expected) in cases {
        assert!(
            found.iter().any(|fault| fault.contains(expected)),
            "{expected}: {found:?}"
        );
    }
}

#[test]
fn a_folder_replaces_files_and_the_version_tells() {
    let folder = tempfile::tempdir().unwrap();
    assert!(
        Knowledge::load(Some(folder.path())).is_err(),
        "an empty folder"
    );
    assert!(Knowledge::load(Some(&folder.path().join("none"))).is_err());
    let source = format!(
        "{}/src/clinical/knowledge/interactions.toml",
        env!("CARGO_MANIFEST_DIR")
    );
    let text = fs::read_to_string(source).unwrap();
    let text = text.replacen("reviewed_by = []", "reviewed_by = [\"Dr A. Example\"]", 1);
    fs::write(folder.path().join("interactions.toml"), text).unwrap();
    let signed = Knowledge::load(Some(folder.path())).unwrap();
    assert_eq!(signed.reviewed_by, ["Dr A. Example"]);
    assert_eq!(
        signed.rule("lithium").unwrap().provenance.reviewed_by,
        ["Dr A. Example"]
    );
    assert_ne!(signed.version, embedded().version);
}
