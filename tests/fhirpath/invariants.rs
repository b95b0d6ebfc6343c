//! Every official example keeps the invariants of R4, but for the listed ones.

use std::collections::BTreeSet;

use serde_json::Value;
use unloop::fhir::definitions::r4;
use unloop::fhir::validate::invariant::check;

use crate::shared;

/// (file, invariant, why the example does not keep it)
const BROKEN: &[(&str, &str, &str)] = &[
    ("ActivityDefinition-blood-tubes-supply.json", "txt-1", EMPTY),
    (
        "ActivityDefinition-heart-valve-replacement.json",
        "txt-1",
        EMPTY,
    ),
    ("EventDefinition-example.json", "txt-1", EMPTY),
    (
        "Questionnaire-zika-virus-exposure-assessment.json",
        "txt-1",
        EMPTY,
    ),
    ("StructureDefinition-Definition.json", "sdf-4", NO_BASE),
    ("StructureDefinition-Event.json", "sdf-4", NO_BASE),
    ("StructureDefinition-FiveWs.json", "sdf-4", NO_BASE),
    ("StructureDefinition-Request.json", "sdf-4", NO_BASE),
];

const EMPTY: &str = "the narrative holds white space only";
const NO_BASE: &str = "a pattern without a base that does not say it is abstract";

/// Collections of definitions that the package also has one by one.
const COLLECTIONS: &[&str] = &[
    "Bundle-dataelements.json",
    "Bundle-extensions.json",
    "Bundle-profiles-others.json",
    "Bundle-resources.json",
    "Bundle-types.json",
    "Bundle-v2-valuesets.json",
    "Bundle-v3-valuesets.json",
    "Bundle-valueset-expansions.json",
    "Bundle-valuesets.json",
];

#[test]
fn the_official_examples_keep_the_invariants() {
    let Some(examples) = shared::examples() else {
        return;
    };
    let mut found = BTreeSet::new();
    let single = |(name, _): &&(String, Value)| !COLLECTIONS.contains(&name.as_str());
    for (name, example) in examples.iter().filter(single) {
        for issue in check(r4(), example.as_object().unwrap()) {
            let key = issue.text.split(' ').next().unwrap().to_owned();
            println!("{name} {:?} {}", issue.expression, issue.text);
            found.insert((name.clone(), key));
        }
    }
    let known = BROKEN
        .iter()
        .map(|(name, key, _)| (name.to_string(), key.to_string()));
    let known: BTreeSet<_> = known.collect();
    let news: Vec<_> = found.difference(&known).collect();
    let gone: Vec<_> = known.difference(&found).collect();
    assert!(
        news.is_empty() && gone.is_empty(),
        "broken: {news:?}\nkept now: {gone:?}"
    );
}
