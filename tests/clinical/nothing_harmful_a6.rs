//! A6 of issue 12: a medicine is compatible only where every code and every word of it was
//! understood, and "complete" is true only where everything was read.

use serde_json::{Value, json};
use unloop::clinical::medication::{Assessment, Setting, Verdict};

use crate::support::{Medicine, Others, assessed, assessed_with, rules, statement};
use Medicine::Name;

const RXNORM: &str = "http://www.nlm.nih.gov/research/umls/rxnorm";
const SNOMED: &str = "http://snomed.info/sct";

fn of_concept(concept: &Value) -> Value {
    let mut record = statement(Name("x"));
    record["medicationCodeableConcept"] = concept.clone();
    record
}

fn escitalopram() -> Value {
    json!({"system": RXNORM, "code": "321988"})
}

#[test]
fn a6_one_known_code_does_not_hide_what_stands_beside_it() {
    let rules = rules();
    for concept in [
        json!({"coding": [escitalopram()], "text": "escitalopram with GHB"}),
        json!({"coding": [{"system": RXNORM, "code": "36437"}], "text": "sertraline plus kratom"}),
        json!({"coding": [escitalopram()], "text": "escitalopram and mysterin"}),
        json!({"coding": [escitalopram(), {"system": RXNORM, "code": "99999999"}]}),
        json!({"coding": [escitalopram(), {"system": "urn:local", "code": "17"}]}),
        json!({"coding": [escitalopram(), {"system": "urn:local", "code": "17", "display": "mysterin"}]}),
        json!({"coding": [{"system": RXNORM, "code": "321988", "display": "escitalopram with mysterin"}]}),
        json!({"coding": [escitalopram(), {"userSelected": true}]}),
    ] {
        let assessment = assessed(&rules, &of_concept(&concept), None).unwrap();
        let good = matches!(assessment.verdict, Verdict::Compatible | Verdict::Monitor);
        assert!(!good, "{concept}: {:?}", assessment.reasons);
    }
    // A local code with a name that is understood hides nothing.
    for concept in [
        json!({"coding": [escitalopram(), {"system": "urn:local", "code": "17", "display": "Escitalopram 10 mg tablet"}]}),
        json!({"coding": [escitalopram()], "text": "escitalopram 10 mg"}),
    ] {
        let assessment = assessed(&rules, &of_concept(&concept), None).unwrap();
        let found = (assessment.verdict, assessment.complete);
        assert_eq!(
            found,
            (Verdict::Compatible, true),
            "{concept}: {:?}",
            assessment.reasons
        );
    }
}

#[test]
fn a6_a_product_is_all_of_its_ingredients() {
    let rules = rules();
    let names = |assessment: &Assessment<'_>| -> Vec<String> {
        let all = assessment.ingredients.iter();
        all.map(|one| one.name.clone()).collect()
    };
    // Lybalvi, by its name and by the RxNorm code of a product.
    for concept in [
        json!({"text": "Lybalvi"}),
        json!({"coding": [{"system": RXNORM, "code": "2570392"}]}),
    ] {
        let assessment = assessed(&rules, &of_concept(&concept), None).unwrap();
        assert_eq!(
            names(&assessment),
            ["olanzapine", "samidorphan"],
            "{concept}"
        );
        assert_eq!(assessment.verdict, Verdict::Caution, "{concept}");
    }
    // A salt is its base, and what is recognised without a rule is no "compatible".
    let salt = json!({"coding": [{"system": RXNORM, "code": "155137"}]});
    let assessment = assessed(&rules, &of_concept(&salt), None).unwrap();
    assert_eq!(names(&assessment), ["sertraline"]);
    let assessment = assessed(&rules, &statement(Name("amoxicillin 500 mg")), None).unwrap();
    assert_eq!(
        (assessment.verdict, assessment.complete),
        (Verdict::NotChecked, false)
    );
    assert!(assessment.reasons[0].contains("No rule is about amoxicillin"));
}

/// Today is 2026-11-21.
#[test]
fn a6_doses_that_were_given_and_dispensed_count() {
    let rules = rules();
    let verdict =
        |record: &Value| assessed(&rules, record, Some(Setting::Home)).map(|one| one.verdict);
    let given = |status: &str, at: &str| {
        json!({"resourceType": "MedicationAdministration", "status": status,
            "medicationCodeableConcept": {"text": "lorazepam"}, "effectiveDateTime": at})
    };
    for (status, at, expected) in [
        ("completed", "2026-11-20T23:30:00Z", Some(Verdict::Caution)),
        ("completed", "2026-11-18", Some(Verdict::Caution)),
        ("stopped", "2026-11-20", Some(Verdict::Caution)),
        ("in-progress", "2026-01-01", Some(Verdict::Caution)),
        ("on-hold", "2026-01-01", Some(Verdict::Caution)),
        ("unknown", "2026-01-01", Some(Verdict::Caution)),
        ("completed", "2026-10-01", None),
        ("not-done", "2026-11-20", None),
        ("entered-in-error", "2026-11-20", None),
    ] {
        assert_eq!(verdict(&given(status, at)), expected, "{status} {at}");
    }
    let dispensed = |status: &str, at: &str, days: Option<i64>| {
        let mut record = json!({"resourceType": "MedicationDispense", "status": status,
            "medicationCodeableConcept": {"text": "lamotrigine"}, "whenHandedOver": at});
        if let Some(days) = days {
            record["daysSupply"] = json!({"value": days, "unit": "d"});
        }
        record
    };
    for (status, at, days, expected) in [
        ("completed", "2026-10-15", Some(30), Some(Verdict::Monitor)),
        ("completed", "2026-10-01", Some(30), Some(Verdict::Monitor)),
        ("completed", "2026-08-01", Some(30), None),
        ("completed", "2026-08-15", None, Some(Verdict::Monitor)),
        ("in-progress", "2020-01-01", None, Some(Verdict::Monitor)),
        ("cancelled", "2026-11-20", None, None),
        ("declined", "2026-11-20", None, None),
        ("entered-in-error", "2026-11-20", None, None),
    ] {
        let record = dispensed(status, at, days);
        assert_eq!(verdict(&record), expected, "{status} {at} {days:?}");
    }
    let mut record = dispensed("completed", "2026-01-01", Some(12));
    record["daysSupply"]["unit"] = "mo".into();
    assert_eq!(
        verdict(&record),
        Some(Verdict::Monitor),
        "a unit that is not understood"
    );
}

#[test]
fn a6_what_was_stopped_acts_as_long_as_its_half_life_and_form() {
    let rules = rules();
    let stopped = |name: &'static str, end: &str| {
        let mut record = statement(Name(name));
        record["status"] = "completed".into();
        record["effectivePeriod"] = json!({"end": end});
        assessed(&rules, &record, Some(Setting::Home)).map(|one| one.verdict)
    };
    for (name, end, expected) in [
        ("selegiline", "2026-11-12", Some(Verdict::Contraindicated)),
        ("rasagiline", "2026-11-12", Some(Verdict::Contraindicated)),
        ("moclobemide", "2026-11-18", Some(Verdict::Contraindicated)),
        ("diazepam", "2026-11-10", Some(Verdict::Caution)),
        ("lorazepam", "2026-11-10", None),
        ("aripiprazole", "2026-11-01", Some(Verdict::Monitor)),
        ("Vivitrol", "2026-10-01", Some(Verdict::Caution)),
        ("Abilify Maintena", "2026-08-01", Some(Verdict::Monitor)),
        ("Invega Trinza", "2026-01-01", Some(Verdict::NotChecked)),
        (
            "paliperidone palmitate",
            "2026-08-01",
            Some(Verdict::Monitor),
        ),
        (
            "haloperidol decanoate",
            "2026-08-01",
            Some(Verdict::Monitor),
        ),
        ("haloperidol", "2026-08-01", None),
    ] {
        assert_eq!(stopped(name, end), expected, "{name} {end}");
    }
}

#[test]
fn a6_atomoxetine_meets_one_rule() {
    let rules = rules();
    let assessment = assessed(&rules, &statement(Name("atomoxetine")), Some(Setting::Home));
    let assessment = assessment.unwrap();
    let met: Vec<&str> = assessment
        .findings
        .iter()
        .map(|one| one.rule.id.as_str())
        .collect();
    assert_eq!(met, ["atomoxetine"]);
}

#[test]
fn a6_an_allergy_is_to_ketamine_by_any_code_and_never_skipped() {
    let rules = rules();
    let verdict = |code: Value| {
        let record = json!({"resourceType": "AllergyIntolerance", "code": code});
        assessed(&rules, &record, None).map(|one| one.verdict)
    };
    for code in [
        json!({"coding": [{"system": SNOMED, "code": "373464007"}]}),
        json!({"coding": [{"system": "urn:oid:2.16.840.1.113883.6.96", "code": "373464007"}]}),
        json!({"coding": [{"system": "http://fdasis.nlm.nih.gov", "code": "690G0D6V8H"}]}),
        json!({"coding": [{"system": RXNORM, "code": "203184"}]}),
        json!({"text": "special K"}),
        json!({"text": "Allergy to ketamine hydrochloride"}),
    ] {
        assert_eq!(
            verdict(code.clone()),
            Some(Verdict::Contraindicated),
            "{code}"
        );
    }
    for code in [
        json!({"coding": [{"system": SNOMED, "code": "1"}]}),
        json!({"text": "anaesthetic"}),
        json!({"coding": [{"system": SNOMED, "code": "91936005"}], "text": "penicillin"}),
        json!({}),
    ] {
        assert_eq!(verdict(code.clone()), Some(Verdict::NotChecked), "{code}");
    }
    for code in [
        json!({"coding": [{"system": SNOMED, "code": "716186003"}]}),
        json!({"text": "Allergy to peanuts"}),
        json!({"text": "amoxicillin"}),
        json!({"coding": [{"system": SNOMED, "code": "91936005", "display": "Allergy to penicillin"}]}),
    ] {
        assert_eq!(verdict(code.clone()), None, "{code}");
    }
}

#[test]
fn a6_a_medicine_is_called_by_its_name_and_never_by_a_link() {
    let rules = rules();
    let name = |record: &Value| {
        let product = json!({"resourceType": "Medication", "code": {"text": "Nardil 15 mg"}});
        let others = Others([("Medication/m", product)].into());
        assessed_with(&rules, record, None, &others).unwrap().name
    };
    let mut record = json!({"resourceType": "MedicationStatement", "status": "active",
        "medicationReference": {"reference": "Medication/m"}});
    assert_eq!(name(&record), "Nardil 15 mg");
    record["medicationReference"]["reference"] = "#m".into();
    record["contained"] = json!([{"resourceType": "Medication", "id": "m",
        "code": {"coding": [{"system": RXNORM, "code": "8123"}]}}]);
    assert_eq!(name(&record), "phenelzine");
    record["medicationReference"]["reference"] = "Medication/gone".into();
    assert_eq!(name(&record), "a medicine without a name");
}
