//! Numbers, quantities and what stands beside them.
//! <https://hl7.org/fhir/R4/search.html#number>, <https://hl7.org/fhir/R4/search.html#quantity>,
//! <https://hl7.org/fhir/R4/search.html#composite>

use serde_json::{Value, json};

use super::found::check;
use super::judge::{catalogue, object, query};

const UCUM: &str = "http://unitsofmeasure.org";

fn probability(digits: &str) -> Value {
    let number: Value = serde_json::from_str(digits).expect("a number of the test");
    json!({
        "resourceType": "RiskAssessment", "id": "r",
        "prediction": [{"probabilityDecimal": number}]
    })
}

/// The table of the specification, both ends of each range.
#[test]
fn numbers_match_to_the_precision_asked_for() {
    let cases = [
        ("100", "99.5", true),
        ("100", "100.4999", true),
        ("100", "100.5", false),
        ("100", "99.4999", false),
        ("100.00", "99.995", true),
        ("100.00", "100.005", false),
        ("100.00", "100.1", false),
        ("1e2", "95", true),
        ("1e2", "104.9", true),
        ("1e2", "105", false),
        ("lt100", "99.9", true),
        ("lt100", "100", false),
        ("le100", "100", true),
        ("le100", "100.1", false),
        ("gt100", "100.1", true),
        ("gt100", "100", false),
        ("ge100", "100", true),
        ("ge100", "99.9", false),
        ("ne100", "99.5", false),
        ("ne100", "100.5", true),
        ("sa100", "100.1", true),
        ("sa100", "100", false),
        ("eb100", "99.9", true),
        ("eb100", "100", false),
        ("ap100", "90", true),
        ("ap100", "110", true),
        ("ap100", "89.9", false),
        ("ap100", "110.1", false),
        ("-5", "-5.2", true),
        ("gt-5", "-4", true),
        ("lt-5", "-4", false),
        ("0", "0.0", true),
        ("0.1", "0.10000000000000000000001", true),
    ];
    for (asked, stored, found) in cases {
        let url = format!("RiskAssessment?probability={asked}");
        let resource = probability(stored);
        match found {
            true => check(&resource, &[&url], &[]),
            false => check(&resource, &[], &[&url]),
        }
    }
}

fn observation(quantity: Value) -> Value {
    json!({
        "resourceType": "Observation", "id": "o", "status": "final",
        "code": {"coding": [{"system": "http://loinc.org", "code": "8480-6"}]},
        "valueQuantity": quantity
    })
}

#[test]
fn quantities_compare_across_units() {
    let grams = observation(json!({"value": 5.4, "unit": "gram", "system": UCUM, "code": "g"}));
    check(
        &grams,
        &[
            "Observation?value-quantity=5.4",
            "Observation?value-quantity=5.4|http://unitsofmeasure.org|g",
            "Observation?value-quantity=5400|http://unitsofmeasure.org|mg",
            "Observation?value-quantity=5.40e-3|http://unitsofmeasure.org|kg",
            "Observation?value-quantity=5.4||g",
            "Observation?value-quantity=5.4||gram",
            "Observation?value-quantity=gt5000|http://unitsofmeasure.org|mg",
            "Observation?value-quantity=ap5|http://unitsofmeasure.org|g",
            "Observation?value-quantity=1,5.4",
            "Observation?combo-value-quantity=5.4||g",
            "Observation?combo-value-quantity:missing=false",
            "Observation?value-quantity:missing=false",
            "Observation?component-value-quantity:missing=true",
        ],
        &[
            "Observation?value-quantity=5.4|http://unitsofmeasure.org|L",
            "Observation?value-quantity=5.4|http://unitsofmeasure.org|mg",
            "Observation?value-quantity=5.4|http://example.org/units|g",
            "Observation?value-quantity=5.4||mg",
            "Observation?value-quantity=lt5000|http://unitsofmeasure.org|mg",
            "Observation?value-quantity=5.41",
            "Observation?component-value-quantity=5.4",
        ],
    );
}

/// "<5" may be any value below 5.
#[test]
fn comparators_open_the_range() {
    let below = observation(json!({"value": 5, "comparator": "<", "system": UCUM, "code": "mg"}));
    check(
        &below,
        &[
            "Observation?value-quantity=lt5",
            "Observation?value-quantity=lt3",
            "Observation?value-quantity=eb5",
            "Observation?value-quantity=gt4",
            "Observation?value-quantity=ne5",
        ],
        &[
            "Observation?value-quantity=gt5",
            "Observation?value-quantity=5",
            "Observation?value-quantity=sa1",
        ],
    );
    let at_least = observation(json!({"value": 5, "comparator": ">=", "unit": "mg"}));
    check(
        &at_least,
        &[
            "Observation?value-quantity=gt500",
            "Observation?value-quantity=ge5||mg",
        ],
        &[
            "Observation?value-quantity=lt5",
            "Observation?value-quantity=eb5",
        ],
    );
}

#[test]
fn ages_ranges_and_money_are_quantities() {
    let condition = json!({
        "resourceType": "Condition", "id": "c",
        "onsetRange": {"low": {"value": 20, "system": UCUM, "code": "a"}, "high": {"value": 30, "system": UCUM, "code": "a"}},
        "abatementAge": {"value": 40, "system": UCUM, "code": "a"}
    });
    check(
        &condition,
        &[
            "Condition?onset-age=gt25|http://unitsofmeasure.org|a",
            "Condition?onset-age=lt25",
            "Condition?onset-age=ge20",
            "Condition?onset-age=sa19",
            "Condition?onset-age=ap31",
            "Condition?abatement-age=40|http://unitsofmeasure.org|a",
            "Condition?abatement-age=480|http://unitsofmeasure.org|mo",
        ],
        &[
            "Condition?onset-age=25",
            "Condition?onset-age=gt30",
            "Condition?onset-age=sa25",
        ],
    );
    let invoice = json!({
        "resourceType": "Invoice", "id": "i", "totalNet": {"value": 12.5, "currency": "EUR"}
    });
    check(
        &invoice,
        &[
            "Invoice?totalnet=12.5|urn:iso:std:iso:4217|EUR",
            "Invoice?totalnet=12.5||EUR",
        ],
        &["Invoice?totalnet=12.5||USD"],
    );
}

fn blood_pressure() -> Value {
    let component = |code: &str, value: u32| {
        json!({
            "code": {"coding": [{"system": "http://loinc.org", "code": code}]},
            "valueQuantity": {"value": value, "unit": "mmHg", "system": UCUM, "code": "mm[Hg]"}
        })
    };
    json!({
        "resourceType": "Observation", "id": "bp",
        "code": {"coding": [{"system": "http://loinc.org", "code": "85354-9"}]},
        "component": [component("8480-6", 150), component("8462-4", 90)]
    })
}

/// "Both in the same component": a diastolic of 150 is not there.
#[test]
fn components_never_mix() {
    check(
        &blood_pressure(),
        &[
            "Observation?component-code-value-quantity=8480-6$gt140",
            "Observation?component-code-value-quantity=http://loinc.org|8480-6$150",
            "Observation?component-code-value-quantity=http://loinc.org|8462-4$lt100|http://unitsofmeasure.org|mm[Hg]",
            "Observation?component-code-value-quantity=8462-4$12.0|http://unitsofmeasure.org|kPa",
            "Observation?combo-code-value-quantity=8480-6$gt140||mmHg",
            "Observation?combo-code-value-quantity=x$1,8480-6$gt140",
            "Observation?component-code-value-quantity:missing=false",
        ],
        &[
            "Observation?component-code-value-quantity=8462-4$gt140",
            "Observation?component-code-value-quantity=85354-9$gt140",
            "Observation?component-code-value-quantity=http://snomed.info/sct|8480-6$gt140",
            "Observation?code-value-quantity=8480-6$gt140",
            "Observation?code-value-quantity:missing=false",
            "Observation?component-code-value-quantity=8480-6$gt140||mg",
        ],
    );
}

#[test]
fn any_kind_of_value_stands_beside_a_code() {
    let mut coded = observation(json!(null));
    coded["valueCodeableConcept"] =
        json!({"coding": [{"system": "http://example.org", "code": "POS"}]});
    check(
        &coded,
        &[
            "Observation?code-value-concept=8480-6$pos",
            "Observation?code-value-concept=8480-6$http://example.org|POS",
            "Observation?combo-code-value-concept=8480-6$POS",
        ],
        &[
            "Observation?code-value-concept=8480-6$neg",
            "Observation?code-value-concept=1$POS",
        ],
    );
    let mut dated = observation(json!(null));
    dated["valueDateTime"] = json!("2020-05-17");
    check(
        &dated,
        &[
            "Observation?code-value-date=8480-6$ge2020",
            "Observation?code-value-date=8480-6$2020-05",
        ],
        &["Observation?code-value-date=8480-6$lt2020"],
    );
    let mut text = observation(json!(null));
    text["valueString"] = json!("Quiet");
    check(
        &text,
        &["Observation?code-value-string=8480-6$qui"],
        &["Observation?code-value-string=8480-6$loud"],
    );
    let document = json!({
        "resourceType": "DocumentReference", "id": "d",
        "relatesTo": [
            {"code": "replaces", "target": {"reference": "DocumentReference/old"}},
            {"code": "appends", "target": {"reference": "DocumentReference/other"}}
        ]
    });
    check(
        &document,
        &[
            "DocumentReference?relationship=replaces$DocumentReference/old",
            "DocumentReference?relationship=appends$other",
        ],
        &["DocumentReference?relationship=replaces$DocumentReference/other"],
    );
}

#[test]
fn what_is_no_number_is_refused() {
    for url in [
        "probability=x",
        "probability=1.2.3",
        "probability=xx5",
        "probability=",
        "probability=1e9999",
    ] {
        assert!(query(Some("RiskAssessment"), url).is_err(), "{url}");
    }
    for url in [
        "value-quantity=5|mg",
        "value-quantity=5|http://unitsofmeasure.org|",
        "value-quantity=|http://unitsofmeasure.org|mg",
        "value-quantity=5|a|b|c",
        "value-quantity:below=5",
        "code-value-quantity=8480-6",
        "code-value-quantity=8480-6$1$2",
        "code-value-quantity=8480-6$abc",
    ] {
        assert!(query(Some("Observation"), url).is_err(), "{url}");
    }
}

fn components(components: &[(&str, &str, Value)]) -> Value {
    let component = |(system, code, quantity): &(&str, &str, Value)| json!({"code": {"coding": [{"system": system, "code": code}]}, "valueQuantity": quantity});
    json!({
        "resourceType": "Observation", "id": "o", "status": "final",
        "code": {"text": "panel"},
        "component": components.iter().map(component).collect::<Vec<_>>()
    })
}

/// "code=x&value=5" must hold of one and the same component.
#[test]
fn one_code_of_two_systems_keeps_its_values_apart() {
    let milligrams = |value| json!({"value": value, "system": UCUM, "code": "mg"});
    let both = components(&[
        ("http://a", "x", milligrams(5)),
        ("http://b", "x", milligrams(10)),
    ]);
    let url = |asked: &str| format!("Observation?component-code-value-quantity={asked}");
    let found = [
        "http://a|x$lt7",
        "http://b|x$gt7",
        "x$lt7",
        "x$gt7",
        "http://a|x$5||mg",
    ];
    let missed = [
        "http://a|x$gt7",
        "http://b|x$lt7",
        "|x$gt7",
        "http://c|x$gt1",
        "http://b|x$5||mg",
    ];
    check_all(&both, &found.map(url), &missed.map(url));
    let one = components(&[
        ("http://a", "x", milligrams(5)),
        ("http://a", "y", milligrams(10)),
    ]);
    let found = ["http://a|x$lt7", "x$lt7", "http://a|y$gt7"];
    let missed = ["http://a|x$gt7", "http://b|x$lt7", "|x$lt7", "y$lt7"];
    check_all(&one, &found.map(url), &missed.map(url));
}

#[test]
fn units_of_two_components_stay_apart() {
    let milligrams = json!({"value": 5, "unit": "milligram", "system": UCUM, "code": "mg"});
    let tablets = json!({"value": 10, "unit": "tablets"});
    let mixed = components(&[
        ("http://a", "x", milligrams.clone()),
        ("http://a", "y", tablets),
    ]);
    let url = |asked: &str| format!("Observation?component-value-quantity={asked}");
    let found = ["5||mg", "5||milligram", "10||tablets", "gt7", "lt7||mg"];
    let missed = ["10||mg", "5||tablets", "gt7||milligram", "7||mg"];
    check_all(&mixed, &found.map(url), &missed.map(url));
    let combined = |asked: &str| format!("Observation?combo-code-value-quantity={asked}");
    let found = ["x$5||mg", "http://a|y$10||tablets"];
    let missed = ["x$10||tablets", "http://a|y$5||mg", "y$10||mg"];
    check_all(&mixed, &found.map(combined), &missed.map(combined));
    let alike = components(&[
        ("http://a", "x", milligrams.clone()),
        ("http://a", "y", json!({"value": 9, "unit": "mg"})),
    ]);
    let found = ["5||mg", "9||mg", "ne5||mg"];
    let missed = ["7||mg", "9||milligram", "5||g"];
    check_all(&alike, &found.map(url), &missed.map(url));
}

fn check_all(resource: &Value, found: &[String], missed: &[String]) {
    let found: Vec<&str> = found.iter().map(String::as_str).collect();
    let missed: Vec<&str> = missed.iter().map(String::as_str).collect();
    check(resource, &found, &missed);
}

/// The number and the value in base units: alone, beside the code, and beside the
/// system of the code (`system|$value`).
#[test]
fn what_is_alike_stands_once() {
    let quantity = json!({"value": 5.4, "unit": "gram", "system": UCUM, "code": "g"});
    let rows = catalogue().extract("Observation", &object(observation(quantity)));
    assert_eq!(rows.ranges.len(), 6);
}
