//! <https://hl7.org/fhir/R4/terminologies.html#required>

use serde_json::{Value, json};
use unloop::fhir::definitions::r4;

use crate::support::{problems, told};

fn invalid(place: &str) -> [(String, String); 1] {
    [("code-invalid".to_owned(), place.to_owned())]
}

#[test]
fn a_code_is_one_of_the_value_set() {
    let patient = |gender: &str| json!({"resourceType": "Patient", "gender": gender});
    for right in ["male", "female", "other", "unknown"] {
        assert_eq!(problems(&patient(right)), []);
    }
    for wrong in ["m", "Male", "femal", "unknow n"] {
        assert_eq!(told(&patient(wrong)), invalid("Patient.gender"));
    }
    assert!(
        problems(&patient("m"))[0].text.contains("male"),
        "the codes to use"
    );
}

#[test]
fn a_concept_has_one_coding_of_the_value_set() {
    let condition = |status: Value| json!({"resourceType": "Condition", "subject": {"display": "x"}, "clinicalStatus": status});
    let system = "http://terminology.hl7.org/CodeSystem/condition-clinical";
    for right in [
        json!({"coding": [{"system": system, "code": "active"}]}),
        json!({"coding": [{"system": "urn:own", "code": "1"}, {"system": system, "code": "relapse"}]}),
        json!({"extension": [{"url": "urn:x", "valueCode": "unknown"}]}),
    ] {
        assert_eq!(problems(&condition(right.clone())), [], "{right}");
    }
    for wrong in [
        json!({"text": "active"}),
        json!({"coding": [{"code": "active"}]}),
        json!({"coding": [{"system": "urn:own", "code": "active"}]}),
        json!({"coding": [{"system": system, "code": "better"}]}),
        json!({"coding": [{"system": system}]}),
    ] {
        assert_eq!(
            told(&condition(wrong.clone())),
            invalid("Condition.clinicalStatus"),
            "{wrong}"
        );
    }
}

/// <https://hl7.org/fhir/R4/valueset-mimetypes.html>, BCP 13;
/// <https://hl7.org/fhir/R4/valueset-currencies.html>, ISO 4217
#[test]
fn codes_that_r4_does_not_publish_are_judged_by_their_form() {
    let attachment = |mime: &str| json!({"resourceType": "Binary", "contentType": mime});
    for right in [
        "text/plain",
        "application/fhir+json",
        "text/plain; charset=UTF-8",
        "image/*",
    ] {
        let passes = problems(&attachment(right)).is_empty();
        assert_eq!(passes, right != "image/*", "{right}");
    }
    assert_eq!(told(&attachment("pdf")), invalid("Binary.contentType"));
    let money = |currency: &str| {
        json!({"resourceType": "Invoice", "status": "draft",
            "totalNet": {"value": 1, "currency": currency}})
    };
    assert_eq!(problems(&money("USD")), []);
    assert_eq!(told(&money("usd")), invalid("Invoice.totalNet.currency"));
}

/// Four value sets of required bindings cannot be written out: their codes are
/// not part of R4. The answers of LOINC and the UCUM units are not checked.
#[test]
fn every_required_binding_has_its_codes() {
    let mut open = Vec::new();
    for definition in r4().types.values() {
        for element in &definition.elements {
            let Some(url) = element.required_binding.as_deref() else {
                continue;
            };
            let known = ["code", "CodeableConcept"];
            assert!(
                element.types.iter().all(|t| known.contains(&t.as_str())),
                "{url}"
            );
            if !r4().value_set(url).expect("a value set").is_written_out() {
                open.push(url);
            }
        }
    }
    open.sort_unstable();
    open.dedup();
    assert_eq!(
        open,
        [
            "http://hl7.org/fhir/ValueSet/currencies",
            "http://hl7.org/fhir/ValueSet/mimetypes",
            "http://hl7.org/fhir/ValueSet/ucum-units",
            "http://loinc.org/vs/LL379-9",
        ]
    );
}

#[test]
fn value_sets_of_several_systems_have_the_codes_of_all() {
    let has = |url: &str, code: &str| {
        let url = format!("http://hl7.org/fhir/ValueSet/{url}");
        r4().value_set(&url).expect("a value set").has_code(code)
    };
    for code in ["Patient", "HumanName", "code", "Any", "Type"] {
        assert!(has("all-types", code), "{code}");
    }
    assert!(has("defined-types", "Patient") && !has("defined-types", "Any"));
    assert!(has("event-timing", "MORN") && has("event-timing", "ACM"));
    assert!(has("task-intent", "order") && !has("task-intent", "nothing"));
}
