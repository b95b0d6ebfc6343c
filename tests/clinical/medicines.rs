//! What a medicine is, whether it is taken, and what is then said of it.

use serde_json::{Value, json};
use unloop::clinical::medication::{Setting, Verdict};

use crate::support::{
    Medicine, Others, allergy, assessed, assessed_with, concept, rules, statement,
};
use Medicine::{Atc, Name, Rxnorm};

fn named(text: &'static str) -> (Verdict, Vec<String>, bool) {
    let rules = rules();
    let assessment = assessed(&rules, &statement(Name(text)), Some(Setting::Home)).unwrap();
    let ingredients = assessment
        .ingredients
        .iter()
        .map(|one| one.name.clone())
        .collect();
    (assessment.verdict, ingredients, assessment.complete)
}

#[test]
fn names_are_folded_and_forms_are_no_part_of_them() {
    for text in [
        "sertraline",
        "SERTRALINE",
        "Sertraline 50 mg tablet",
        "sertraline hydrochloride 100 MG Oral Tablet",
        "Zoloft 50mg once daily",
        "Sertraline 50 MG Oral Tablet [Zoloft]",
    ] {
        assert_eq!(
            named(text),
            (Verdict::Monitor, vec!["sertraline".to_owned()], true),
            "{text}"
        );
    }
    assert_eq!(named("St. John’s Wort 300 mg").1, ["St John's wort"]);
    assert_eq!(
        named("sodium oxybate oral solution").0,
        Verdict::Contraindicated
    );
}

#[test]
fn what_is_misspelt_is_suggested_and_never_matched() {
    let rules = rules();
    let assessment = assessed(&rules, &statement(Name("tranylcipromine")), None).unwrap();
    assert_eq!(assessment.verdict, Verdict::NotChecked);
    assert!(assessment.findings.is_empty());
    assert_eq!(assessment.suggestions, ["tranylcypromine"]);
}

#[test]
fn what_is_not_understood_is_not_checked() {
    // Recognised, and no rule is about it.
    let metformin = (Verdict::NotChecked, vec!["metformin".to_owned()], false);
    assert_eq!(named("metformin"), metformin);
    for text in [
        "something for sleep",
        "10 mg tablet",
        "Potassium chloride",
        "x",
    ] {
        let (verdict, ingredients, complete) = named(text);
        assert_eq!((verdict, complete), (Verdict::NotChecked, false), "{text}");
        assert!(ingredients.is_empty(), "{text}");
    }
    let rules = rules();
    for record in [
        statement(Rxnorm("999999999")),
        statement(Atc("A10BA02")),
        json!({"resourceType": "MedicationStatement", "status": "active", "medicationCodeableConcept": {}}),
        json!({"resourceType": "MedicationRequest", "status": "draft",
            "medicationReference": {"reference": "Medication/none"}}),
        // A code of another system is no RxNorm code.
        json!({"resourceType": "MedicationStatement", "status": "active", "medicationCodeableConcept":
            {"coding": [{"system": "http://example.org", "code": "36437"}]}}),
    ] {
        let assessment = assessed(&rules, &record, None).unwrap();
        assert_eq!(assessment.verdict, Verdict::NotChecked, "{record}");
        assert!(!assessment.reasons.is_empty(), "{record}");
    }
}

/// Words that are left over may turn the meaning round.
#[test]
fn a_name_among_other_words_is_found_and_not_relied_on() {
    assert_eq!(
        named("not taking escitalopram"),
        (Verdict::NotChecked, vec!["escitalopram".to_owned()], false)
    );
    assert_eq!(named("phenelzine, stopped?").0, Verdict::Contraindicated);
    assert!(!named("phenelzine, stopped?").2);
}

#[test]
fn combinations_are_checked_by_every_ingredient() {
    assert_eq!(
        named("olanzapine/fluoxetine 6-25 mg capsule").1,
        ["olanzapine", "fluoxetine"]
    );
    assert!(named("olanzapine and fluoxetine").2);
    assert_eq!(named("Symbyax").1, ["olanzapine", "fluoxetine"]);
    // One ingredient is known, the other is not.
    assert_eq!(
        named("Percocet"),
        (
            Verdict::Contraindicated,
            vec!["oxycodone".to_owned(), "acetaminophen".to_owned()],
            false
        )
    );
    assert_eq!(
        named("ondansetron + mysterin"),
        (Verdict::NotChecked, vec!["ondansetron".to_owned()], false)
    );
    let rules = rules();
    let unnamed = assessed(&rules, &statement(Atc("N07XX59")), None).unwrap();
    assert_eq!(
        (unnamed.verdict, unnamed.complete),
        (Verdict::Caution, false)
    );
}

#[test]
fn a_code_that_nobody_verified_needs_a_name() {
    let rules = rules();
    let alone = assessed(&rules, &statement(Rxnorm("1827")), None).unwrap();
    assert_eq!(alone.verdict, Verdict::NotChecked);
    let mut confirmed = statement(Rxnorm("1827"));
    confirmed["medicationCodeableConcept"]["text"] = "Buspirone 10 mg".into();
    let confirmed = assessed(&rules, &confirmed, None).unwrap();
    assert_eq!(
        (confirmed.verdict, confirmed.complete),
        (Verdict::Compatible, true)
    );
}

#[test]
fn a_class_alone_tells_what_its_rules_tell() {
    let rules = rules();
    let ramipril = assessed(&rules, &statement(Atc("C09AA05")), None).unwrap();
    assert_eq!(
        (ramipril.verdict, ramipril.complete),
        (Verdict::Monitor, true)
    );
    // A note informs; it is no check.
    let unknown_ssri = assessed(&rules, &statement(Atc("N06AB07")), None).unwrap();
    assert_eq!(unknown_ssri.verdict, Verdict::NotChecked);
    assert_eq!(unknown_ssri.notes.len(), 1);
}

#[test]
fn codes_and_names_that_disagree_count_both() {
    let rules = rules();
    let mut record = statement(Rxnorm("321988"));
    record["medicationCodeableConcept"]["text"] = "Nardil".into();
    let assessment = assessed(&rules, &record, Some(Setting::Home)).unwrap();
    assert_eq!(assessment.verdict, Verdict::Contraindicated);
}

fn product(ingredients: &[Value]) -> Value {
    let ingredients: Vec<Value> = ingredients
        .iter()
        .map(|item| json!({"itemCodeableConcept": item}))
        .collect();
    json!({"resourceType": "Medication", "id": "m", "ingredient": ingredients})
}

#[test]
fn products_tell_by_their_ingredients() {
    let rules = rules();
    let both = product(&[concept(Rxnorm("36437")), concept(Rxnorm("8123"))]);
    let contained = json!({"resourceType": "MedicationStatement", "status": "active", "contained": [both],
        "medicationReference": {"reference": "#m"}});
    let assessment = assessed(&rules, &contained, Some(Setting::Home)).unwrap();
    assert_eq!(
        (assessment.verdict, assessment.complete),
        (Verdict::Contraindicated, true)
    );
    let referring = json!({"resourceType": "MedicationRequest", "status": "active",
        "medicationReference": {"reference": "Medication/m"}});
    let with = |product: Value| {
        let others = Others([("Medication/m", product)].into());
        let assessment = assessed_with(&rules, &referring, Some(Setting::Home), &others).unwrap();
        (assessment.verdict, assessment.complete)
    };
    assert_eq!(
        with(product(&[
            concept(Name("lithium")),
            concept(Name("mysterin"))
        ])),
        (Verdict::NotChecked, false)
    );
    assert_eq!(
        with(json!({"resourceType": "Medication"})),
        (Verdict::NotChecked, false)
    );
    let mut filler = product(&[concept(Name("lithium")), concept(Name("maize starch"))]);
    filler["ingredient"][1]["isActive"] = false.into();
    assert_eq!(with(filler), (Verdict::Compatible, true));
    // The code of the product may say what its ingredients do not.
    let mut coded = product(&[concept(Name("lithium"))]);
    coded["code"] = concept(Name("Parnate"));
    assert_eq!(with(coded).0, Verdict::Contraindicated);
    let itself = json!({"resourceType": "Medication", "ingredient": [{"itemReference": {"reference": "Medication/m"}}]});
    assert_eq!(with(itself), (Verdict::NotChecked, false));
}

fn at_home(record: &Value) -> Option<Verdict> {
    assessed(&rules(), record, Some(Setting::Home)).map(|assessment| assessment.verdict)
}

#[test]
fn the_status_says_whether_it_is_taken() {
    let with = |status: &str| {
        let mut record = statement(Name("lamotrigine"));
        record["status"] = status.into();
        at_home(&record)
    };
    for status in ["active", "intended", "on-hold", "unknown"] {
        assert_eq!(with(status), Some(Verdict::Monitor), "{status}");
    }
    for status in ["entered-in-error", "not-taken", "stopped", "completed"] {
        assert_eq!(with(status), None, "{status}");
    }
    let request = |status: &str, prohibited: bool| {
        at_home(
            &json!({"resourceType": "MedicationRequest", "status": status, "doNotPerform": prohibited,
            "medicationCodeableConcept": {"text": "lamotrigine"}}),
        )
    };
    for status in ["active", "on-hold", "draft", "unknown"] {
        assert_eq!(request(status, false), Some(Verdict::Monitor), "{status}");
        assert_eq!(request(status, true), None, "{status}");
    }
    for status in ["cancelled", "entered-in-error", "stopped", "completed"] {
        assert_eq!(request(status, false), None, "{status}");
    }
}

/// Fluoxetine acts for five weeks (35 days) after the last dose, an MAO
/// inhibitor for 14 days; today is 2026-11-21.
#[test]
fn what_was_stopped_may_still_act() {
    let stopped = |name: &'static str, end: Option<&str>| {
        let mut record = statement(Name(name));
        record["status"] = "stopped".into();
        if let Some(end) = end {
            record["effectivePeriod"] = json!({"end": end});
        }
        at_home(&record)
    };
    assert_eq!(
        stopped("fluoxetine", Some("2026-10-18")),
        Some(Verdict::Monitor)
    );
    assert_eq!(stopped("fluoxetine", Some("2026-10-15")), None);
    assert_eq!(
        stopped("Nardil", Some("2026-11-08")),
        Some(Verdict::Contraindicated)
    );
    assert_eq!(stopped("Nardil", Some("2026-11-05")), None);
    assert_eq!(
        stopped("Nardil", None),
        Some(Verdict::Contraindicated),
        "nobody knows since when"
    );
    assert_eq!(
        stopped("Nardil", Some("2027-01-01")),
        Some(Verdict::Contraindicated),
        "not yet"
    );
    assert_eq!(stopped("lamotrigine", None), None, "does not act on");
    assert_eq!(
        stopped("mysterin", Some("2026-11-01")),
        Some(Verdict::NotChecked)
    );
    assert_eq!(stopped("mysterin", Some("2026-01-01")), None);
}

#[test]
fn ketamine_besides_the_treatment_is_a_second_provider() {
    let other = statement(Rxnorm("6130"));
    assert_eq!(at_home(&other), Some(Verdict::Contraindicated));
    let mut own = other;
    own["meta"] = json!({"tag": [{"system": "https://unloop.dev/fhir/CodeSystem/programme", "code": "own-treatment"}]});
    assert_eq!(at_home(&own), Some(Verdict::Compatible));
}

#[test]
fn an_allergy_to_ketamine_is_a_bar_unless_refuted() {
    assert_eq!(
        at_home(&allergy(Rxnorm("2119365"))),
        Some(Verdict::Contraindicated)
    );
    assert_eq!(
        at_home(&allergy(Name("Ketalar"))),
        Some(Verdict::Contraindicated)
    );
    assert_eq!(
        at_home(&allergy(Name("ketamin"))),
        Some(Verdict::NotChecked)
    );
    assert_eq!(at_home(&allergy(Name("penicillin"))), None);
    assert_eq!(at_home(&allergy(Name("lorazepam"))), None);
    let mut refuted = allergy(Name("ketamine"));
    refuted["verificationStatus"] = json!({"coding": [{"code": "refuted"}]});
    assert_eq!(at_home(&refuted), None);
    let reaction = json!({"resourceType": "AllergyIntolerance", "code": {"text": "anaesthetic"},
        "reaction": [{"substance": {"text": "ketamine"}}]});
    assert_eq!(at_home(&reaction), Some(Verdict::Contraindicated));
}
