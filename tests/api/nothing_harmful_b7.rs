//! B7 of issue 12: what is impossible is stored as history, flagged and left out of every
//! computation; what EHRs send daily is understood; what is dated in the future is flagged.

use serde_json::{Value, json};
use unloop::clinical::vitals::Strictness;

use crate::medication::with_patient;
use crate::support::{Server, StoreKind, example};
use crate::vitals::{measured, pressure, sent, stored, tags, vital};

crate::on_both_stores!(
    what_senders_write_daily_is_understood,
    what_is_dated_in_the_future_is_flagged,
    candidacy_reads_every_shape,
);

fn quantity(value: i64, unit: Value) -> Value {
    let mut quantity = json!({"value": value});
    quantity
        .as_object_mut()
        .unwrap()
        .extend(unit.as_object().unwrap().clone());
    quantity
}

/// The unit is spelled out in UCUM; what was sent stays beside it.
async fn what_senders_write_daily_is_understood(server: Server) {
    with_patient(&server).await;
    let ucum = "http://unitsofmeasure.org";
    for (loinc, value, unit, code) in [
        ("8867-4", 70, json!({"unit": "bpm"}), "/min"),
        ("8867-4", 70, json!({"unit": "beats/minute"}), "/min"),
        (
            "8867-4",
            70,
            json!({"unit": "bpm", "system": ucum, "code": "bpm"}),
            "/min",
        ),
        ("29463-7", 180, json!({"unit": "lbs."}), "[lb_av]"),
        ("29463-7", 80, json!({"unit": "KG"}), "kg"),
        ("8310-5", 98, json!({"unit": "F"}), "[degF]"),
        ("8310-5", 98, json!({"unit": "°F"}), "[degF]"),
        (
            "8310-5",
            37,
            json!({"unit": "C", "system": ucum, "code": "C"}),
            "Cel",
        ),
        ("59408-5", 97, json!({"unit": "percent"}), "%"),
        ("8480-6", 120, json!({"unit": "mmHg"}), "mm[Hg]"),
    ] {
        let mut content = vital("u", &[loinc]);
        content["valueQuantity"] = quantity(value, unit.clone());
        let (status, text) = sent(&server, &content).await;
        assert!(matches!(status, 200 | 201), "{unit}: {text}");
        let found = stored(&server, "u").await;
        assert_eq!(found["valueQuantity"]["code"], code, "{unit}");
        assert_eq!(found["valueQuantity"]["system"], ucum);
        assert_eq!(found["valueQuantity"]["unit"], unit["unit"]);
        assert!(tags(&found).is_empty(), "{unit}");
    }
    // A unit that another sign has is no unit of this one.
    let mut odd = vital("x", &["8867-4"]);
    odd["valueQuantity"] = quantity(70, json!({"unit": "F"}));
    assert_eq!(sent(&server, &odd).await.0, 422);
    // The saturation by pulse alone, and one half of a blood pressure.
    let pulse = measured("s", &["59408-5"], "97", "%");
    assert_eq!(sent(&server, &pulse).await.0, 201);
    let mut half = pressure("h", "120", "80");
    half["component"].as_array_mut().unwrap().truncate(1);
    assert_eq!(sent(&server, &half).await.0, 201);
    let mut other = pressure("o", "120", "80");
    other["code"]["coding"][0]["code"] = "55284-4".into();
    other["component"].as_array_mut().unwrap().reverse();
    assert_eq!(sent(&server, &other).await.0, 201);
}

async fn what_is_dated_in_the_future_is_flagged(server: Server) {
    with_patient(&server).await;
    let mut content = measured("f", &["8867-4"], "70", "/min");
    content["effectiveDateTime"] = "2099-01-01T00:00:00Z".into();
    let (status, text) = sent(&server, &content).await;
    assert_eq!((status, text.contains("future")), (201, true), "{text}");
    assert_eq!(tags(&stored(&server, "f").await), ["implausible"]);
    for (loinc, value, unit) in [
        ("8867-4", "0", "/min"),
        ("2708-6", "101", "%"),
        ("8310-5", "45", "Cel"),
    ] {
        sent(&server, &measured("i", &[loinc], value, unit)).await;
        assert_eq!(
            tags(&stored(&server, "i").await),
            ["implausible"],
            "{loinc}"
        );
    }
}

/// The diastolic first, two Observations, and the newest of all.
async fn candidacy_reads_every_shape(server: Server) {
    with_patient(&server).await;
    let status = async |server: &Server| {
        let path = "/Patient/p/$ketamine-candidacy?at=2026-11-25";
        let answer = server.get(path).expect(200).await.json();
        let criteria = answer["parameter"].as_array().unwrap().clone();
        let found = criteria.iter().find(|one| {
            one["name"] == "criterion" && one["part"][0]["valueCode"] == "blood-pressure"
        });
        let parts = found.unwrap()["part"].as_array().unwrap();
        let status = parts.iter().find(|part| part["name"] == "status").unwrap();
        status["valueCode"].as_str().unwrap().to_owned()
    };
    let mut other = pressure("o", "150", "80");
    other["code"]["coding"][0]["code"] = "55284-4".into();
    other["component"].as_array_mut().unwrap().reverse();
    sent(&server, &other).await;
    assert_eq!(status(&server).await, "not-met");
    let mut upper = measured("s", &["8480-6"], "120", "mm[Hg]");
    let mut lower = measured("d", &["8462-4"], "80", "mm[Hg]");
    for half in [&mut upper, &mut lower] {
        half["effectiveDateTime"] = "2026-11-21T09:00:00Z".into();
        sent(&server, half).await;
    }
    assert_eq!(status(&server).await, "met");
    lower["valueQuantity"]["value"] = 110.into();
    sent(&server, &lower).await;
    assert_eq!(status(&server).await, "not-met");
    // What will be measured is not known.
    let mut later = pressure("later", "120", "80");
    later["effectiveDateTime"] = "2026-11-28T09:00:00Z".into();
    sent(&server, &later).await;
    assert_eq!(status(&server).await, "not-met");
}

/// A whole transaction is not lost for one reading of 1949.
#[tokio::test]
async fn history_keeps_what_is_impossible_and_nothing_rests_on_it() {
    let server = Server::start_holding(StoreKind::Sqlite, Strictness::History)
        .await
        .unwrap();
    with_patient(&server).await;
    let mut impossible = pressure("i", "82", "97");
    impossible["effectiveDateTime"] = "1949-05-01T09:00:00Z".into();
    let mut right = pressure("r", "120", "80");
    right["effectiveDateTime"] = "2020-11-20T09:00:00Z".into();
    let entries = [
        example::entry("PUT", "Observation/i", Some(impossible.clone())),
        example::entry("PUT", "Observation/r", Some(right)),
    ];
    server.bundle("transaction", &entries).await;
    assert_eq!(tags(&stored(&server, "i").await), ["implausible"]);
    // Nobody can confirm it.
    impossible["meta"] = json!({"tag": [{"system": "https://unloop.dev/fhir/CodeSystem/data-quality", "code": "confirmed"}]});
    impossible["note"] =
        json!([{"authorString": "Dr Example", "time": "2020-11-20T10:00:00Z", "text": "Right."}]);
    sent(&server, &impossible).await;
    assert_eq!(tags(&stored(&server, "i").await), ["implausible"]);
}
