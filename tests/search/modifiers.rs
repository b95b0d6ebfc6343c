//! B1: every pair of a parameter and a modifier, enumerated from the definitions, does
//! what R4 says or is refused by name.
//! <https://hl7.org/fhir/R4/search.html#modifiers>

use std::collections::BTreeMap;
use std::sync::LazyLock;

use serde_json::json;
use unloop::fhir::definitions::{ParamKind, r4};
use unloop::fhir::outcome::{Failure, Kind};
use unloop::fhir::search::catalogue::{Param, Storage};
use unloop::fhir::search::{Catalogue, LIST, Query, RESULT_PARAMETERS, Settings, compile};
use unloop::store::{Filter, Scope};

use super::judge::{BASE, NOW, holds_on};
use super::modifier_samples::{Sample, samples};

static CATALOGUE: LazyLock<Catalogue> = LazyLock::new(|| Catalogue::new(r4(), BASE));

/// All of R4, a type, and some that R4 does not have.
const MODIFIERS: [&str; 20] = [
    "missing",
    "exact",
    "contains",
    "text",
    "not",
    "in",
    "not-in",
    "above",
    "below",
    "of-type",
    "identifier",
    "Patient",
    "Flag",
    "iterate",
    "recurse",
    "Not",
    "not:missing",
    "missing:not",
    "eq",
    "",
];

fn parse(resource_type: &str, name: &str, value: &str, lenient: bool) -> Result<Query, Failure> {
    let settings = Settings {
        lenient,
        ..Settings::default()
    };
    let pairs = [(name.to_owned(), value.to_owned())];
    Query::parse(&CATALOGUE, Some(resource_type), &pairs, &settings)
}

fn filter(resource_type: &str, name: &str, value: &str) -> Filter {
    let query = parse(resource_type, name, value, false);
    let query =
        query.unwrap_or_else(|failure| panic!("{resource_type}?{name}={value}: {failure:?}"));
    let plan = compile(&CATALOGUE, &query, None, Scope::everything(), NOW);
    plan.unwrap_or_else(|failure| panic!("{resource_type}?{name}: {failure:?}"))
        .filter
}

/// What R4 gives a kind of parameter, beside `:missing`.
fn given(kind: ParamKind, leaves: &[&str]) -> Vec<&'static str> {
    let has = |names: &[&str]| leaves.iter().any(|leaf| names.contains(leaf));
    match kind {
        ParamKind::String => vec!["exact", "contains"],
        ParamKind::Uri => vec!["above", "below"],
        ParamKind::Reference => vec!["identifier", "Patient", "Flag"],
        ParamKind::Token => {
            let mut all = vec!["not"];
            if has(&["CodeableConcept", "Coding", "Identifier"]) {
                all.push("text");
            }
            if has(&["Identifier"]) {
                all.push("of-type");
            }
            all
        }
        ParamKind::Date
        | ParamKind::Number
        | ParamKind::Quantity
        | ParamKind::Composite
        | ParamKind::Special => Vec::new(),
    }
}

fn is_given(param: &Param, modifier: &str) -> bool {
    let leaves: Vec<&str> = param
        .expression
        .paths
        .iter()
        .map(|p| p.leaf.as_str())
        .collect();
    match param.storage {
        Storage::Id => modifier == "not",
        Storage::Updated => false,
        Storage::Sounds | Storage::Place => modifier == "missing",
        _ => {
            let texts = !param.expression.existence || modifier != "text";
            modifier == "missing" || (texts && given(param.kind, &leaves).contains(&modifier))
        }
    }
}

fn value_for(param: &Param, modifier: &str) -> &'static str {
    match (modifier, param.kind) {
        ("missing", _) => "true",
        ("of-type", _) => "http://t.example|T|v1",
        ("above" | "below", _) => "http://x.example/a",
        (_, ParamKind::Token) if param.expression.existence => "true",
        _ => "v1",
    }
}

#[test]
fn every_pair_is_refused_by_name_or_has_a_meaning() {
    let (mut meant, mut refused, mut wrong) = (0, 0, Vec::new());
    for resource_type in &r4().resource_types {
        for param in CATALOGUE.params(resource_type) {
            for modifier in MODIFIERS {
                let name = format!("{}:{modifier}", param.code);
                let value = value_for(param, modifier);
                let place = format!("{resource_type}?{name}={value}");
                match (
                    parse(resource_type, &name, value, false),
                    is_given(param, modifier),
                ) {
                    (Ok(query), true) if query.parameters.len() == 1 => meant += 1,
                    (Err(failure), false) => {
                        refused += 1;
                        let text = &failure.issues[0].text;
                        if failure.kind != Kind::NotSupported || !text.contains(&name) {
                            wrong.push(format!("{place}: {text}"));
                        }
                        if parse(resource_type, &name, value, true).is_ok() {
                            wrong.push(format!("{place} is left out in lenient handling"));
                        }
                    }
                    (Ok(_), _) => wrong.push(format!("{place} is accepted")),
                    (Err(failure), true) => wrong.push(format!("{place}: {failure:?}")),
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}\n{}", wrong.len(), wrong.join("\n"));
    assert!(meant > 4000 && refused > 20_000, "{meant} {refused}");
}

#[test]
fn what_is_no_element_takes_no_modifier() {
    let others = ["_text", "_content", "_filter", "_query", "_containedType"];
    let known = RESULT_PARAMETERS.iter().chain([&LIST]);
    for code in known {
        for modifier in MODIFIERS {
            let name = format!("{code}:{modifier}");
            let includes = code.contains("include") && modifier == "iterate";
            if includes {
                continue;
            }
            for lenient in [false, true] {
                let failure = parse("Patient", &name, "x", lenient).expect_err(&name);
                assert!(failure.issues[0].text.contains(&name), "{failure:?}");
            }
        }
    }
    for code in others {
        for modifier in MODIFIERS {
            let name = format!("{code}:{modifier}");
            let failure = parse("Patient", &name, "x", false).expect_err(&name);
            assert!(failure.issues[0].text.contains(&name), "{failure:?}");
        }
    }
    for name in ["organization:Wrong.name", "organization:not.name"] {
        assert!(parse("Patient", name, "x", true).is_err(), "{name}");
    }
}

/// Behind a chain and `_has` a modifier asks exactly what it asks alone.
#[test]
fn a_modifier_means_the_same_behind_a_chain_and_a_reverse_chain() {
    let mut pairs = 0;
    for (source, link) in [
        ("Observation", "patient"),
        ("Encounter", "subject"),
        ("Appointment", "actor"),
        ("Task", "focus"),
    ] {
        let target = CATALOGUE.param(source, link).unwrap();
        let Some(target) = target.targets.first().or(r4().resource_types.first()) else {
            panic!("{source}.{link}");
        };
        for param in CATALOGUE.params(target) {
            for modifier in MODIFIERS {
                let (name, value) = (
                    format!("{}:{modifier}", param.code),
                    value_for(param, modifier),
                );
                let chain = format!("{link}:{target}.{name}");
                let alone = parse(target, &name, value, false);
                assert_eq!(
                    parse(source, &chain, value, false).is_ok(),
                    alone.is_ok(),
                    "{source}?{chain}"
                );
                if alone.is_err() {
                    continue;
                }
                pairs += 1;
                let whole = format!("{:?}", filter(source, &chain, value));
                let condition = condition(target, &name, value);
                assert!(whole.contains(&condition), "{source}?{chain}");
            }
        }
        for param in CATALOGUE.params(source) {
            for modifier in MODIFIERS {
                let (name, value) = (
                    format!("{}:{modifier}", param.code),
                    value_for(param, modifier),
                );
                let has = format!("_has:{source}:{link}:{name}");
                let alone = parse(source, &name, value, false);
                assert_eq!(
                    parse(target, &has, value, false).is_ok(),
                    alone.is_ok(),
                    "{target}?{has}"
                );
                if alone.is_ok() {
                    pairs += 1;
                    let whole = format!("{:?}", filter(target, &has, value));
                    assert!(
                        whole.contains(&condition(source, &name, value)),
                        "{target}?{has}"
                    );
                }
            }
        }
    }
    assert!(pairs > 100, "{pairs}");
}

/// What one parameter asks, without the type.
fn condition(resource_type: &str, name: &str, value: &str) -> String {
    match filter(resource_type, name, value) {
        Filter::All(parts) => format!("{:?}", parts.last().unwrap()),
        other => panic!("{other:?}"),
    }
}

#[test]
fn every_modifier_changes_the_result_as_r4_says() {
    let (mut checks, mut wrong, mut by_kind) = (0, Vec::new(), BTreeMap::new());
    for resource_type in &r4().resource_types {
        for param in CATALOGUE.params(resource_type) {
            let plain = matches!(
                param.storage,
                Storage::Rows | Storage::Owner | Storage::Moment
            );
            if !plain || param.expression.existence || param.kind == ParamKind::Composite {
                continue;
            }
            for path in &param.expression.paths {
                let Some(pair) = samples(resource_type, param, path) else {
                    continue;
                };
                for (modifier, value, expected) in questions(param, &path.leaf, &pair) {
                    let name = match modifier {
                        "" => param.code.clone(),
                        modifier => format!("{}:{modifier}", param.code),
                    };
                    let filter = filter(resource_type, &name, &value);
                    let empty = json!({"resourceType": resource_type, "id": "r"});
                    let all = [&pair[0].resource, &pair[1].resource, &empty];
                    let found = all.map(|resource| holds_on(&CATALOGUE, &filter, resource));
                    checks += 1;
                    *by_kind.entry(format!("{:?}", param.kind)).or_insert(0) += 1;
                    if found != expected {
                        wrong.push(format!(
                            "{resource_type}?{name}={value}: {found:?} over {all:?}"
                        ));
                    }
                }
            }
        }
    }
    assert!(
        wrong.is_empty(),
        "{} of {checks}\n{}",
        wrong.len(),
        wrong[..wrong.len().min(20)].join("\n")
    );
    assert!(checks > 6000 && by_kind.len() == 7, "{checks} {by_kind:?}");
}

type Question = (&'static str, String, [bool; 3]);

/// Which of the first, the second and an empty resource are found.
fn questions(param: &Param, leaf: &str, pair: &[Sample; 2]) -> Vec<Question> {
    let first = pair[0].query.clone();
    let mut all = vec![
        ("", first.clone(), [true, false, false]),
        ("missing", "true".to_owned(), [false, false, true]),
        ("missing", "false".to_owned(), [true, true, false]),
    ];
    let mut ask =
        |modifier, value: &str, expected| all.push((modifier, value.to_owned(), expected));
    match param.kind {
        ParamKind::Token => {
            ask("not", &first, [false, true, true]);
            ask(
                "not",
                &format!("{first},{}", pair[1].query),
                [false, false, true],
            );
            if matches!(leaf, "CodeableConcept" | "Coding" | "Identifier") {
                ask("text", "ann", [true, false, false]);
            }
            if leaf == "Identifier" {
                ask("of-type", "http://t.example|T|v1", [true, false, false]);
                ask("of-type", "http://t.example|U|v1", [false, false, false]);
            }
        }
        ParamKind::String => {
            ask("exact", "Anna", [true, false, false]);
            ask("exact", "anna", [false, false, false]);
            ask("exact", "Ann", [false, false, false]);
            ask("contains", "NN", [true, false, false]);
            ask("contains", "a", [true, true, false]);
        }
        ParamKind::Uri => {
            ask("below", "http://x.example/one", [true, false, false]);
            ask("", "http://x.example/one", [false, false, false]);
            ask("above", "http://x.example/one/b/c", [true, false, false]);
        }
        ParamKind::Reference if leaf == "Reference" => {
            ask("identifier", "http://s.example|v1", [true, false, false]);
            ask("identifier", "v1,v2", [true, true, false]);
            let is_patient = first.starts_with("Patient/");
            ask("Patient", "v1", [is_patient, false, false]);
            let is_flag = first.starts_with("Flag/");
            ask("Flag", "v1", [is_flag, false, false]);
        }
        _ => {}
    }
    all
}

/// The special ones of every type.
#[test]
fn the_id_is_asked_for_and_against() {
    for resource_type in &r4().resource_types {
        let of = |id: &str| json!({"resourceType": resource_type, "id": id});
        for (name, value, expected) in [
            ("_id", "a", [true, false]),
            ("_id:not", "a", [false, true]),
            ("_id:not", "a,b", [false, false]),
            ("_id:not", "c", [true, true]),
        ] {
            let filter = filter(resource_type, name, value);
            let found = [of("a"), of("b")].map(|one| holds_on(&CATALOGUE, &filter, &one));
            assert_eq!(found, expected, "{resource_type}?{name}={value}");
        }
    }
}
