//! Every official example keeps the invariants of R4, but for the listed ones.

use std::collections::BTreeSet;

use unloop::fhir::definitions::r4;
use unloop::fhir::validate::invariant::check;

use crate::shared;

/// (file, invariant, why the example does not keep it)
const BROKEN: &[(&str, &str, &str)] = &[];

#[test]
fn the_official_examples_keep_the_invariants() {
    let Some(examples) = shared::examples() else {
        return;
    };
    let mut found = BTreeSet::new();
    for (name, example) in &examples {
        for issue in check(r4(), example.as_object().unwrap()) {
            let key = issue.text.split(' ').next().unwrap().to_owned();
            println!("{name} {:?} {}", issue.expression, issue.text);
            found.insert((name.clone(), key));
        }
    }
    let known = BROKEN.iter().map(|(name, key, _)| (name.to_string(), key.to_string()));
    let known: BTreeSet<_> = known.collect();
    let news: Vec<_> = found.difference(&known).collect();
    let gone: Vec<_> = known.difference(&found).collect();
    assert!(news.is_empty() && gone.is_empty(), "broken: {news:?}\nkept now: {gone:?}");
}
