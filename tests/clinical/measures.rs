//! Scores that can be true, and those that cannot: ranges and sums as the scale
//! defines them, each fault with its place.

use serde_json::{Value, json};
use unloop::clinical::knowledge::Knowledge;
use unloop::clinical::measures::judge::{Around, Findings, Member, judge};
use unloop::fhir::record::ResourceKey;
use unloop::fhir::search::date;

const OWN: &str = "https://unloop.dev/fhir/CodeSystem/measures";

fn coded(system: &str, code: &str) -> Value {
    json!({"coding": [{"system": system, "code": code}]})
}

fn score(code: &str, value: i64) -> Value {
    json!({"resourceType": "Observation", "status": "final", "code": coded(OWN, code),
        "subject": {"reference": "Patient/p"}, "performer": [{"reference": "Practitioner/d"}],
        "effectiveDateTime": "2026-11-20", "valueQuantity": {"value": value, "system": "http://unitsofmeasure.org", "code": "{score}"}})
}

fn with_items(mut score: Value, items: &[(u8, i64)]) -> Value {
    let components = items
        .iter()
        .map(|(item, value)| json!({"code": coded(OWN, &format!("ybocs-item-{item}")), "valueInteger": value}));
    score["component"] = components.collect();
    score
}

fn judged_with(content: &Value, members: Vec<Member>) -> Findings {
    let knowledge = Knowledge::embedded().unwrap();
    let around = Around {
        birth: Some("1974-12-25".to_owned()),
        members,
        now: date::range("2026-11-21T12:00:00Z").unwrap().0,
    };
    judge(&knowledge, content.as_object().unwrap(), &around)
}

/// `place: text` of each fault.
fn faults(content: &Value) -> Vec<String> {
    let faults = judged_with(content, Vec::new()).faults;
    let line = |issue: &unloop::fhir::outcome::Issue| {
        format!("{}: {}", issue.expression.as_deref().unwrap(), issue.text)
    };
    faults.iter().map(line).collect()
}

fn only_fault(content: &Value, place: &str, words: &str) {
    let faults = faults(content);
    assert_eq!(faults.len(), 1, "{faults:?}");
    assert!(faults[0].starts_with(&format!("{place}: ")), "{faults:?}");
    assert!(faults[0].contains(words), "{faults:?}");
}

#[test]
fn what_fits_is_accepted() {
    for content in [
        score("ybocs-total", 0),
        score("ybocs-total", 40),
        score("ybocs-obsessions", 20),
        score("ybocs-item-10", 4),
        score("altman-total", 20),
        score("dissociation-total", 92),
        score("cgi-severity", 1),
        with_items(
            score("ybocs-obsessions", 12),
            &[(1, 2), (2, 3), (3, 3), (4, 2), (5, 2)],
        ),
        with_items(score("ybocs-total", 24), &[(1, 4), (2, 4), (3, 4)]),
        with_items(score("ybocs-total", 12), &[(1, 4), (2, 4), (3, 4)]),
    ] {
        assert_eq!(faults(&content), Vec::<String>::new(), "{content}");
    }
}

#[test]
fn ranges_are_those_of_the_scale() {
    for (code, value) in [
        ("ybocs-total", -1),
        ("ybocs-total", 41),
        ("ybocs-obsessions", 21),
        ("altman-total", 21),
        ("dissociation-total", 93),
        ("cgi-improvement", 0),
        ("cgi-improvement", 8),
    ] {
        only_fault(&score(code, value), "Observation.value", "is a number from");
    }
    for (code, value) in [("44261-6", 28), ("70274-6", 22)] {
        let mut content = score("", value);
        content["code"] = coded("http://loinc.org", code);
        only_fault(&content, "Observation.value", "is a number from");
    }
}

#[test]
fn an_item_of_five_is_another_instrument() {
    only_fault(&score("ybocs-item-3", 5), "Observation.value", "Y-BOCS-II");
    let total = with_items(score("ybocs-total", 24), &[(1, 4), (4, 5)]);
    only_fault(&total, "Observation.component[1].value", "Y-BOCS-II");
    only_fault(&score("ybocs-total", 50), "Observation.value", "Y-BOCS-II");
    // Also where the Observation itself is coded otherwise.
    let mut foreign = with_items(score("", 5), &[(2, 5)]);
    foreign["code"] = json!({"text": "Y-BOCS"});
    only_fault(&foreign, "Observation.component[0].value", "Y-BOCS-II");
}

#[test]
fn a_wrong_sum_is_refused_with_the_right_one() {
    let all = [(1, 2), (2, 3), (3, 3), (4, 2), (5, 2)];
    let wrong = with_items(score("ybocs-obsessions", 13), &all);
    only_fault(&wrong, "Observation.value", "Expected: 12.");
    let ten: Vec<(u8, i64)> = (1..=10).map(|item| (item, 3)).collect();
    only_fault(
        &with_items(score("ybocs-total", 31), &ten),
        "Observation.value",
        "Expected: 30.",
    );
    let mut total = with_items(score("ybocs-total", 30), &ten);
    let subscore = json!({"code": coded(OWN, "ybocs-obsessions"), "valueInteger": 14});
    total["component"].as_array_mut().unwrap().push(subscore);
    let found = faults(&total);
    assert!(found[0].starts_with("Observation.value: "), "{found:?}");
    assert!(
        found[1].starts_with("Observation.component[10].value: "),
        "{found:?}"
    );
    assert!(found[1].contains("Expected: 15."), "{found:?}");
}

#[test]
fn a_part_of_the_items_bounds_the_sum() {
    let low = with_items(score("ybocs-total", 11), &[(1, 4), (2, 4), (6, 4)]);
    only_fault(&low, "Observation.value", "from 12 to 40");
    let high = with_items(score("ybocs-obsessions", 18), &[(1, 0), (2, 3)]);
    only_fault(&high, "Observation.value", "from 3 to 15");
}

#[test]
fn time_place_and_person_are_asked_for() {
    let mut early = score("ybocs-total", 20);
    early["effectiveDateTime"] = "1974-12-24".into();
    only_fault(&early, "Observation.effective", "birth");
    early["effectiveDateTime"] = "1974".into();
    assert!(faults(&early).is_empty());
    for late in ["2026-11-23", "2026-11-21T12:30:00Z", "2027"] {
        let mut content = score("ybocs-total", 20);
        content["effectiveDateTime"] = late.into();
        only_fault(&content, "Observation.effective", "future");
    }
    for (name, place) in [
        ("performer", "Observation.performer"),
        ("subject", "Observation.subject"),
        ("effectiveDateTime", "Observation.effective"),
    ] {
        let mut content = score("ybocs-total", 20);
        content.as_object_mut().unwrap().remove(name);
        only_fault(&content, place, "Y-BOCS total: say");
    }
}

#[test]
fn a_value_has_to_be_a_score() {
    for (name, value) in [
        ("valueString", json!("24")),
        ("valueQuantity", json!({"value": 24.5})),
        ("valueQuantity", json!({"value": 24, "comparator": ">"})),
        (
            "valueQuantity",
            json!({"value": 24, "system": "http://unitsofmeasure.org", "code": "mg"}),
        ),
    ] {
        let mut content = score("ybocs-total", 24);
        content.as_object_mut().unwrap().remove("valueQuantity");
        content[name] = value;
        only_fault(&content, "Observation.value", "Y-BOCS total: A score");
    }
    let twice = with_items(score("ybocs-total", 24), &[(1, 2), (1, 2)]);
    only_fault(&twice, "Observation.component[1].code", "more than once");
    only_fault(
        &score("ybocs-item-11", 1),
        "Observation.code",
        "has no code ybocs-item-11",
    );
    let mut method = score("ybocs-total", 24);
    method["method"] = coded("http://snomed.info/sct", "1");
    only_fault(&method, "Observation.method", "840418002");
}

/// What others code is held to what it says, and to nothing else.
#[test]
fn foreign_measures_are_let_through() {
    let foreign = |code: &str, value: Value| {
        let mut content = json!({"resourceType": "Observation", "status": "final",
            "code": coded("http://loinc.org", code)});
        content["valueString"] = value;
        content
    };
    for content in [
        foreign("89209-1", "whatever".into()),
        foreign("44261-6", "moderate".into()),
        json!({"resourceType": "Observation", "status": "final", "code": {"text": "weight"},
            "valueQuantity": {"value": 81.5, "unit": "kg"}}),
        json!({"resourceType": "Observation", "status": "final", "code": coded("http://loinc.org", "93374-7"),
            "valueCodeableConcept": {"text": "High risk"}}),
    ] {
        assert!(faults(&content).is_empty(), "{content}");
    }
    let said = judged_with(&foreign("44261-6", "moderate".into()), Vec::new());
    assert!(said.warnings[0].text.contains("not counted"), "{said:?}");
    let mut wrong = score("ybocs-total", 99);
    wrong["status"] = "entered-in-error".into();
    assert!(faults(&wrong).is_empty());
    let mut risk = foreign("93374-7", "x".into());
    risk.as_object_mut().unwrap().remove("valueString");
    risk["valueCodeableConcept"] = coded(OWN, "risk-extreme");
    assert_eq!(judged_with(&risk, Vec::new()).warnings.len(), 1);
}

#[test]
fn members_count_as_parts() {
    let member = |code: &str, value: i64, told: bool| Member {
        key: ResourceKey::new("Observation", code),
        content: score(code, value).as_object().unwrap().clone(),
        told,
        same_patient: true,
    };
    let both = |told| {
        vec![
            member("ybocs-obsessions", 12, told),
            member("ybocs-compulsions", 9, told),
        ]
    };
    let faults = |value, members| judged_with(&score("ybocs-total", value), members).faults;
    assert!(faults(21, both(true)).is_empty());
    let text = &faults(24, both(true))[0].text;
    assert!(text.contains("Expected: 21."), "{text}");
    // What the writer may not read is not told.
    let text = &faults(24, both(false))[0].text;
    assert!(!text.contains("21"), "{text}");
    let mut other = both(true);
    other[0].same_patient = false;
    let fault = &faults(21, other)[0];
    assert_eq!(fault.expression.as_deref(), Some("Observation.hasMember"));
}
