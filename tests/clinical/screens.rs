//! Screens for suicidality: low, above low, or not understood (issue 12, A2).

use serde_json::{Value, json};
use unloop::clinical::knowledge::Knowledge;
use unloop::clinical::screens::SuicideRiskLevel::{AboveLow, Low, NotUnderstood, Partial};
use unloop::clinical::screens::{SuicideRiskLevel, read_suicide_condition, read_suicide_screen};

const LOINC: &str = "http://loinc.org";
const OWN: &str = "https://unloop.dev/fhir/CodeSystem/measures";
const ITEMS: [&str; 7] = [
    "93246-7", "93247-5", "93248-3", "93249-1", "93250-9", "93267-3", "93269-9",
];

fn screen(code: &str, value: (&str, Value)) -> Value {
    let mut content = json!({
        "resourceType": "Observation", "status": "final",
        "code": {"coding": [{"system": LOINC, "code": code}]},
    });
    content[value.0] = value.1;
    content
}

fn answer(system: &str, code: &str) -> (&'static str, Value) {
    let concept = json!({"coding": [{"system": system, "code": code}]});
    ("valueCodeableConcept", concept)
}

fn item(code: &str, said: &str) -> Value {
    let (name, value) = answer(LOINC, said);
    json!({"code": {"coding": [{"system": LOINC, "code": code}]}, name: value})
}

fn panel(answers: impl IntoIterator<Item = Value>) -> Value {
    let components: Vec<Value> = answers.into_iter().collect();
    screen("93373-9", ("component", components.into()))
}

fn all_no_but(yes: &[&str]) -> Value {
    panel(ITEMS.map(|code| {
        item(
            code,
            if yes.contains(&code) {
                "LA33-6"
            } else {
                "LA32-8"
            },
        )
    }))
}

fn level(content: &Value) -> Option<SuicideRiskLevel> {
    let knowledge = Knowledge::embedded().unwrap();
    let reading = read_suicide_screen(&knowledge, content.as_object().unwrap());
    reading.map(|reading| reading.level)
}

#[test]
fn a2_a_level_is_read_by_any_code_and_by_text() {
    for (value, expected) in [
        (answer(LOINC, "LA9194-7"), Low),
        (answer("urn:oid:2.16.840.1.113883.6.1", "LA9194-7"), Low),
        (answer(OWN, "risk-low"), Low),
        (("valueString", "low".into()), Low),
        (("valueString", "Low risk.".into()), Low),
        (answer(LOINC, "LA6751-7"), AboveLow),
        (answer(LOINC, "LA9193-9"), AboveLow),
        (
            answer("urn:oid:2.16.840.1.113883.6.1", "LA9193-9"),
            AboveLow,
        ),
        (answer(OWN, "risk-moderate"), AboveLow),
        (answer(OWN, "risk-high"), AboveLow),
        (("valueString", "High risk".into()), AboveLow),
        (("valueString", "low to moderate".into()), AboveLow),
        (
            ("valueCodeableConcept", json!({"text": "High risk"})),
            AboveLow,
        ),
        (("valueString", "not low".into()), NotUnderstood),
        (("valueString", "see note".into()), NotUnderstood),
        (answer(LOINC, "LA9999-9"), NotUnderstood),
        (answer("http://ehr.example", "risk-low"), NotUnderstood),
        (("valueInteger", 0.into()), NotUnderstood),
        (("valueBoolean", false.into()), NotUnderstood),
        (
            ("dataAbsentReason", json!({"text": "refused"})),
            NotUnderstood,
        ),
    ] {
        let content = screen("93374-7", value);
        assert_eq!(level(&content), Some(expected), "{content}");
    }
}

#[test]
fn a2_what_contradicts_itself_is_read_by_the_graver() {
    let concept = json!({"coding": [{"system": LOINC, "code": "LA9194-7"}], "text": "High risk"});
    let content = screen("93374-7", ("valueCodeableConcept", concept));
    assert_eq!(level(&content), Some(AboveLow));
    let two = json!({"coding": [
        {"system": LOINC, "code": "LA9194-7"}, {"system": OWN, "code": "risk-high"}]});
    let content = screen("93374-7", ("valueCodeableConcept", two));
    assert_eq!(level(&content), Some(AboveLow));
    let unknown = json!({"coding": [
        {"system": LOINC, "code": "LA9194-7"}, {"system": LOINC, "code": "LA1-1"}]});
    let content = screen("93374-7", ("valueCodeableConcept", unknown));
    assert_eq!(level(&content), Some(NotUnderstood));
}

#[test]
fn a2_a_panel_says_low_only_with_a_level_or_with_all_answers() {
    let mut empty = panel([]);
    assert_eq!(level(&empty), Some(NotUnderstood));
    empty["hasMember"] = json!([{"reference": "Observation/level"}]);
    assert_eq!(level(&empty), Some(NotUnderstood));
    assert_eq!(level(&all_no_but(&[])), Some(Low));
    assert_eq!(level(&all_no_but(&["93246-7", "93247-5"])), Some(Low));
    for grave in &ITEMS[2..] {
        assert_eq!(level(&all_no_but(&[grave])), Some(AboveLow), "{grave}");
    }
    let six = ITEMS[..6].iter().map(|code| item(code, "LA32-8"));
    assert_eq!(level(&panel(six)), Some(NotUnderstood));
    let odd = ITEMS.map(|code| item(code, "LA1-1"));
    assert_eq!(level(&panel(odd)), Some(NotUnderstood));
    assert_eq!(level(&panel([item("93374-7", "LA9194-7")])), Some(Low));
    let both = [item("93374-7", "LA9194-7"), item("93250-9", "LA33-6")];
    assert_eq!(level(&panel(both)), Some(AboveLow));
}

#[test]
fn a2_an_item_alone_is_no_screen_and_counts_when_it_is_grave() {
    assert_eq!(
        level(&screen("93250-9", answer(LOINC, "LA32-8"))),
        Some(Partial)
    );
    assert_eq!(
        level(&screen("93250-9", answer(LOINC, "LA33-6"))),
        Some(AboveLow)
    );
    assert_eq!(
        level(&screen("93250-9", ("valueBoolean", true.into()))),
        Some(AboveLow)
    );
    assert_eq!(
        level(&screen("93250-9", ("valueString", "perhaps".into()))),
        Some(NotUnderstood)
    );
    for (value, expected) in [
        (("valueInteger", 0.into()), Partial),
        (("valueInteger", 1.into()), AboveLow),
        (("valueQuantity", json!({"value": 3})), AboveLow),
        (answer(LOINC, "LA6568-5"), Partial),
        (answer(LOINC, "LA6569-3"), AboveLow),
        (answer(LOINC, "LA6571-9"), AboveLow),
        (("valueString", "1".into()), NotUnderstood),
    ] {
        let content = screen("44260-8", value);
        assert_eq!(level(&content), Some(expected), "{content}");
    }
    // In the panel of PHQ-9 it is a component.
    let phq = screen(
        "44249-1",
        ("component", json!([item("44260-8", "LA6570-1")])),
    );
    assert_eq!(level(&phq), Some(AboveLow));
}

#[test]
fn a2_a_draft_can_speak_against_and_never_for() {
    for (status, low, high) in [
        ("final", Some(Low), Some(AboveLow)),
        ("preliminary", Some(NotUnderstood), Some(AboveLow)),
        ("registered", Some(NotUnderstood), Some(AboveLow)),
        ("entered-in-error", None, None),
        ("cancelled", None, None),
    ] {
        for (code, expected) in [("LA9194-7", low), ("LA9193-9", high)] {
            let mut content = screen("93374-7", answer(LOINC, code));
            content["status"] = status.into();
            assert_eq!(level(&content), expected, "{status} {code}");
        }
    }
    let other = screen("8867-4", ("valueInteger", 60.into()));
    assert_eq!(level(&other), None);
}

#[test]
fn a2_an_active_condition_of_ideation_or_attempt_is_above_low() {
    let knowledge = Knowledge::embedded().unwrap();
    let read = |system: &str, code: &str, status: &str| {
        let content = json!({
            "code": {"coding": [{"system": system, "code": code}]},
            "clinicalStatus": {"coding": [{"code": status}]},
        });
        let reading = read_suicide_condition(&knowledge, content.as_object().unwrap());
        reading.map(|reading| reading.level)
    };
    let snomed = "http://snomed.info/sct";
    let icd10 = "http://hl7.org/fhir/sid/icd-10-cm";
    assert_eq!(read(snomed, "6471006", "active"), Some(AboveLow));
    assert_eq!(read(snomed, "82313006", "active"), Some(AboveLow));
    assert_eq!(read(icd10, "R45.851", "active"), Some(AboveLow));
    assert_eq!(read(icd10, "T14.91XA", "recurrence"), Some(AboveLow));
    assert_eq!(read(snomed, "6471006", "resolved"), None);
    assert_eq!(read(snomed, "36971009", "active"), None);
}
