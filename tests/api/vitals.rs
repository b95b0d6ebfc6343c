//! Vital signs on write, by the R4 profiles
//! <https://hl7.org/fhir/R4/observation-vitalsigns.html> and the limits of the
//! knowledge base.

use serde_json::{Value, json};
use unloop::clinical::vitals::Strictness;

use crate::medication::with_patient;
use crate::support::{Server, StoreKind};

const UCUM: &str = "http://unitsofmeasure.org";
const QUALITY: &str = "https://unloop.dev/fhir/CodeSystem/data-quality";

pub fn quantity(value: &str, code: &str) -> Value {
    let value: Value = serde_json::from_str(value).unwrap();
    json!({"value": value, "unit": code, "system": UCUM, "code": code})
}

pub fn vital(id: &str, loinc: &[&str]) -> Value {
    let coding: Vec<Value> = loinc
        .iter()
        .map(|code| json!({"system": "http://loinc.org", "code": code}))
        .collect();
    json!({
        "resourceType": "Observation",
        "id": id,
        "status": "final",
        "category": [{"coding": [{"system": "http://terminology.hl7.org/CodeSystem/observation-category", "code": "vital-signs"}]}],
        "code": {"coding": coding},
        "subject": {"reference": "Patient/p"},
        "effectiveDateTime": "2026-11-20T09:00:00Z",
    })
}

pub fn measured(id: &str, loinc: &[&str], value: &str, unit: &str) -> Value {
    let mut content = vital(id, loinc);
    content["valueQuantity"] = quantity(value, unit);
    content
}

fn half(loinc: &str, value: &str, unit: &str) -> Value {
    json!({"code": {"coding": [{"system": "http://loinc.org", "code": loinc}]}, "valueQuantity": quantity(value, unit)})
}

pub fn pressure(id: &str, systolic: &str, diastolic: &str) -> Value {
    let mut content = vital(id, &["85354-9"]);
    content["component"] = json!([
        half("8480-6", systolic, "mm[Hg]"),
        half("8462-4", diastolic, "mm[Hg]")
    ]);
    content
}

/// Status and texts of the answer to a PUT.
pub async fn sent(server: &Server, content: &Value) -> (u16, String) {
    let path = format!("/Observation/{}", content["id"].as_str().unwrap());
    let call = server.call("PUT", &path).resource(content);
    let reply = call
        .header("Prefer", "return=OperationOutcome")
        .send()
        .await;
    (reply.status, reply.diagnostics())
}

pub async fn stored(server: &Server, id: &str) -> Value {
    let call = server.get(&format!("/Observation/{id}"));
    call.expect(200).await.json()
}

/// The codes of the service's own tags.
pub fn tags(content: &Value) -> Vec<&str> {
    let tags = content["meta"]["tag"].as_array().into_iter().flatten();
    tags.filter(|tag| tag["system"] == QUALITY)
        .map(|tag| tag["code"].as_str().unwrap())
        .collect()
}

async fn the_impossible_is_refused(server: Server) {
    with_patient(&server).await;
    let mut other_unit = pressure("x", "120", "80");
    other_unit["component"][0]["valueQuantity"] = quantity("120", "kg");
    let mut kilopascal = pressure("x", "16", "130");
    kilopascal["component"][0]["valueQuantity"] = quantity("16", "kPa");
    let cases = [
        (pressure("x", "80", "120"), "not above"),
        (pressure("x", "120", "120"), "not above"),
        // 16 kPa are 120.0 mm[Hg].
        (kilopascal, "not above"),
        (other_unit, "does not measure"),
        (
            measured("x", &["8867-4"], "70", "mm[Hg]"),
            "does not measure",
        ),
        (measured("x", &["29463-7"], "70", "cm"), "does not measure"),
        (measured("x", &["8310-5"], "37", "%"), "does not measure"),
    ];
    for (content, said) in cases {
        let (status, text) = sent(&server, &content).await;
        assert_eq!((status, text.contains(said)), (422, true), "{text}");
    }
    let mut mistake = pressure("x", "80", "120");
    mistake["status"] = "entered-in-error".into();
    assert_eq!(sent(&server, &mistake).await.0, 201, "a mistake may say so");
}

async fn what_cannot_be_read_is_refused(server: Server) {
    with_patient(&server).await;
    let mut alone = pressure("x", "120", "80");
    alone["component"] = json!([]);
    alone.as_object_mut().unwrap().remove("component");
    let mut empty = pressure("x", "120", "80");
    empty["component"][1]
        .as_object_mut()
        .unwrap()
        .remove("valueQuantity");
    let mut twice = pressure("x", "120", "80");
    let again = twice["component"][0].clone();
    twice["component"].as_array_mut().unwrap().push(again);
    let mut own = pressure("x", "120", "80");
    own["valueQuantity"] = quantity("120", "mm[Hg]");
    let mut words = vital("x", &["8867-4"]);
    words["valueString"] = "about 70".into();
    let mut no_system = measured("x", &["8867-4"], "70", "/min");
    no_system["valueQuantity"] = json!({"value": 70, "unit": "a lot"});
    for (content, said) in [
        (alone, "one diastolic component"),
        (empty.clone(), "neither value nor dataAbsentReason"),
        (twice, "there are 2"),
        (own, "none of its own"),
        (words, "is a Quantity"),
        (no_system, "UCUM"),
        (measured("x", &["8867-4"], "70", "boom"), "no unit of UCUM"),
    ] {
        let (status, text) = sent(&server, &content).await;
        assert_eq!((status, text.contains(said)), (422, true), "{text}");
    }
    empty["component"][1]["dataAbsentReason"] = json!({"coding": [{"system": "http://terminology.hl7.org/CodeSystem/data-absent-reason", "code": "not-performed"}]});
    assert_eq!(sent(&server, &empty).await.0, 201);
    let both = measured("s", &["2708-6", "59408-5"], "97", "%");
    let (status, text) = sent(&server, &both).await;
    assert_eq!((status, text.contains("59408-5")), (201, false), "{text}");
    let (status, text) = sent(&server, &measured("s1", &["2708-6"], "97", "%")).await;
    assert_eq!((status, text.contains("59408-5")), (201, true), "{text}");
}

/// Whoever says that it meets a profile is taken at its word.
async fn a_claimed_profile_holds(server: Server) {
    with_patient(&server).await;
    for name in ["category", "effectiveDateTime", "subject"] {
        let mut content = measured("x", &["8867-4"], "70", "/min");
        content.as_object_mut().unwrap().remove(name);
        let (status, text) = sent(&server, &content).await;
        assert!(matches!(status, 200 | 201), "{text}");
        assert!(text.contains("The profile asks for"), "{text}");
        content["meta"] =
            json!({"profile": ["http://hl7.org/fhir/StructureDefinition/heartrate|4.0.1"]});
        assert_eq!(sent(&server, &content).await.0, 422, "{name}");
    }
}

async fn the_implausible_is_flagged_until_somebody_confirms_it(server: Server) {
    with_patient(&server).await;
    let reading = measured("w", &["29463-7"], "400", "kg");
    let (status, text) = sent(&server, &reading).await;
    assert_eq!(
        (status, text.contains("implausible")),
        (201, true),
        "{text}"
    );
    assert_eq!(tags(&stored(&server, "w").await), ["implausible"]);
    assert_eq!(
        server
            .count(&format!("/Observation?_tag={QUALITY}|implausible"))
            .await,
        1
    );
    // An update that drops the tag is flagged again.
    sent(&server, &reading).await;
    assert_eq!(tags(&stored(&server, "w").await), ["implausible"]);

    let mut confirmed = reading.clone();
    confirmed["meta"] = json!({"tag": [{"system": QUALITY, "code": "confirmed"}]});
    assert_eq!(sent(&server, &confirmed).await.0, 422, "nobody says so");
    confirmed["note"] = json!([{"authorString": "Dr Example", "time": "2026-11-20T10:00:00Z", "text": "Weighed twice."}]);
    let (status, text) = sent(&server, &confirmed).await;
    assert_eq!(
        (status, text.contains("implausible")),
        (200, false),
        "{text}"
    );
    assert_eq!(tags(&stored(&server, "w").await), ["confirmed"]);
    // The sender's next update knows nothing of it and has the same value.
    sent(&server, &reading).await;
    let kept = stored(&server, "w").await;
    assert_eq!(tags(&kept), ["confirmed"]);
    assert_eq!(kept["note"], confirmed["note"]);
    // Another value is another matter, even with the tag of the one before.
    let mut other = kept.clone();
    other["valueQuantity"] = quantity("500", "kg");
    sent(&server, &other).await;
    assert_eq!(tags(&stored(&server, "w").await), ["implausible"]);
    sent(&server, &measured("w", &["29463-7"], "80", "kg")).await;
    assert_eq!(stored(&server, "w").await["meta"]["tag"], Value::Null);
}

/// The same limits, whatever the unit; the ends belong to what is plausible.
async fn units_convert(server: Server) {
    with_patient(&server).await;
    for (loinc, value, unit, plausible) in [
        ("8310-5", "43", "Cel", true),
        ("8310-5", "43.1", "Cel", false),
        ("8310-5", "98.6", "[degF]", true),
        ("8310-5", "110", "[degF]", false),
        ("29463-7", "350", "kg", true),
        ("29463-7", "24900", "g", false),
        ("29463-7", "150", "[lb_av]", true),
        ("29463-7", "800", "[lb_av]", false),
        ("8302-2", "70", "[in_i]", true),
        ("8302-2", "1.75", "m", true),
        ("8302-2", "20", "[in_i]", false),
        ("8867-4", "250", "/min", true),
        ("8867-4", "251", "/min", false),
        ("9279-1", "4", "/min", true),
        ("9279-1", "3.9", "/min", false),
        ("39156-5", "90.5", "kg/m2", false),
    ] {
        let (_, text) = sent(&server, &measured("v", &[loinc], value, unit)).await;
        assert_eq!(
            !text.contains("implausible"),
            plausible,
            "{value} {unit}: {text}"
        );
    }
    let (_, text) = sent(&server, &pressure("v", "301", "80")).await;
    assert!(text.contains("implausible"), "{text}");
}

/// Only what the limits say, only where the sender says nothing.
async fn interpretation_is_filled_and_never_overwritten(server: Server) {
    with_patient(&server).await;
    let code = |holder: &Value| holder["interpretation"][0]["coding"][0]["code"].clone();
    for (systolic, diastolic, [whole, first, second]) in [
        ("140", "90", [None, None, None]),
        ("141", "90", [Some("H"), Some("H"), None]),
        ("130", "91", [Some("H"), None, Some("H")]),
        ("181", "95", [Some("HH"), Some("HH"), Some("H")]),
        ("150", "101", [Some("HH"), Some("H"), Some("HH")]),
    ] {
        sent(&server, &pressure("b", systolic, diastolic)).await;
        let found = stored(&server, "b").await;
        let components = &found["component"];
        assert_eq!(code(&found), json!(whole), "{systolic}/{diastolic}");
        assert_eq!(code(&components[0]), json!(first), "{systolic}/{diastolic}");
        assert_eq!(
            code(&components[1]),
            json!(second),
            "{systolic}/{diastolic}"
        );
    }
    for (value, expected) in [("94", None), ("93.9", Some("L")), ("89", Some("LL"))] {
        sent(&server, &measured("o", &["2708-6", "59408-5"], value, "%")).await;
        assert_eq!(
            code(&stored(&server, "o").await),
            json!(expected),
            "{value}"
        );
    }
    // What the service said follows the value ...
    let mut read = stored(&server, "o").await;
    read["valueQuantity"] = quantity("97", "%");
    sent(&server, &read).await;
    assert_eq!(stored(&server, "o").await["interpretation"], Value::Null);
    // ... what the sender said stays.
    read["valueQuantity"] = quantity("85", "%");
    read["interpretation"] = json!([{"text": "as always"}]);
    sent(&server, &read).await;
    assert_eq!(
        stored(&server, "o").await["interpretation"],
        read["interpretation"]
    );
    // Of what may be a mistake nothing is said.
    sent(&server, &measured("o", &["2708-6", "59408-5"], "20", "%")).await;
    assert_eq!(stored(&server, "o").await["interpretation"], Value::Null);
}

async fn in_a_transaction_all_of_it_is_held_to(server: Server) {
    with_patient(&server).await;
    let entry =
        |content: Value| crate::support::example::entry("PUT", "Observation/t", Some(content));
    let bundle =
        crate::support::example::bundle("transaction", &[entry(pressure("t", "80", "120"))]);
    server.call("POST", "").resource(&bundle).expect(422).await;
    server
        .bundle(
            "transaction",
            &[entry(measured("t", &["8867-4"], "300", "/min"))],
        )
        .await;
    assert_eq!(tags(&stored(&server, "t").await), ["implausible"]);
}

crate::on_both_stores!(
    the_impossible_is_refused,
    what_cannot_be_read_is_refused,
    a_claimed_profile_holds,
    the_implausible_is_flagged_until_somebody_confirms_it,
    units_convert,
    interpretation_is_filled_and_never_overwritten,
    in_a_transaction_all_of_it_is_held_to,
);

/// History comes in as it is; a strict deployment refuses what is implausible.
#[tokio::test]
async fn a_deployment_says_how_much_it_refuses() {
    let implausible = measured("w", &["29463-7"], "400", "kg");
    let mut unreadable = measured("u", &["29463-7"], "80", "kg");
    unreadable["valueQuantity"] = json!({"value": 80, "unit": "stones"});
    let impossible = pressure("i", "80", "120");
    for (strictness, expected) in [
        (Strictness::History, [201, 201, 201]),
        (Strictness::Standard, [201, 422, 422]),
        (Strictness::Strict, [422, 422, 422]),
    ] {
        let server = Server::start_holding(StoreKind::Sqlite, strictness)
            .await
            .unwrap();
        with_patient(&server).await;
        for (content, status) in [&implausible, &unreadable, &impossible]
            .into_iter()
            .zip(expected)
        {
            let (found, text) = sent(&server, content).await;
            assert_eq!(found, status, "{strictness:?}: {text}");
        }
    }
}
