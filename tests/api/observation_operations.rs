//! `Observation/$lastn` and `Observation/$stats` as R4 defines them.

use serde_json::{Value, json};

use crate::medication::with_patient;
use crate::support::{Server, example};
use crate::trajectory::all;

const LOINC: &str = "http://loinc.org";

fn measured(id: &str, codes: &[&str], time: &str, value: &str) -> Value {
    let codings: Vec<Value> = codes
        .iter()
        .map(|code| json!({"system": LOINC, "code": code}))
        .collect();
    let mut one = example::observation("Patient/p", time);
    one["id"] = id.into();
    one["code"] = json!({"coding": codings});
    one["category"] = json!([{"coding": [{"system": "http://terminology.hl7.org/CodeSystem/observation-category", "code": "laboratory"}]}]);
    let value: Value = serde_json::from_str(value).unwrap();
    one["valueQuantity"] = json!({"value": value, "unit": "mg/dL",
        "system": "http://unitsofmeasure.org", "code": "mg/dL"});
    one
}

async fn last(server: &Server, query: &str) -> Vec<String> {
    let reply = server
        .get(&format!("/Observation/$lastn?{query}"))
        .expect(200)
        .await;
    assert_eq!(reply.json()["type"], "searchset");
    let entries = reply.entries().into_iter();
    entries
        .map(|entry| entry.replace("Observation/", ""))
        .collect()
}

async fn the_last_of_each_code(server: Server) {
    with_patient(&server).await;
    for one in [
        measured("a1", &["2345-7"], "2026-01-01", "120"),
        measured("a2", &["2345-7"], "2026-01-03", "121"),
        measured("a3", &["2345-7"], "2026-01-02", "122"),
        measured("b1", &["2160-0"], "2026-01-05", "60"),
        measured("b2", &["2160-0"], "2026-01-05", "61"),
        measured("b3", &["2160-0"], "2026-01-04", "62"),
        measured("t", &["x", "y"], "2026-01-06", "1"),
        measured("u", &["y", "z"], "2026-01-07", "1"),
        measured("v", &["z"], "2026-01-02", "1"),
    ] {
        server.put(&one).await;
    }
    let mut wrong = measured("w", &["2345-7"], "2026-01-09", "999");
    wrong["status"] = "entered-in-error".into();
    server.put(&wrong).await;

    // The most recent of each group; b1 and b2 are of equal time.
    let all = "patient=Patient/p&category=laboratory";
    assert_eq!(last(&server, all).await, ["w", "u", "b1", "b2"]);
    let two = last(&server, &format!("{all}&max=2")).await;
    assert_eq!(two, ["w", "u", "t", "b1", "b2", "a2"]);
    let final_only = last(&server, "subject=Patient/p&code=2345-7&status=final&max=2").await;
    assert_eq!(final_only, ["a2", "a3"]);
    let before = last(&server, "patient=Patient/p&code=2345-7&date=lt2026-01-03").await;
    assert_eq!(before, ["a3"]);
    assert!(
        last(&server, "patient=Patient/q&code=2345-7")
            .await
            .is_empty()
    );
    let posted = json!({"resourceType": "Parameters", "parameter": [
        {"name": "patient", "valueString": "Patient/p"}, {"name": "code", "valueString": "2345-7"},
        {"name": "max", "valuePositiveInt": 1}]});
    let reply = server
        .call("POST", "/Observation/$lastn")
        .resource(&posted)
        .expect(200)
        .await;
    assert_eq!(reply.entries(), ["Observation/w"]);
    for query in [
        "category=laboratory",
        "patient=Patient/p",
        "patient=Patient/p&code=x&max=0",
        "patient=Patient/p&code=x&_sort=date",
        "patient=Patient/p&code=x&colour=red",
    ] {
        server
            .get(&format!("/Observation/$lastn?{query}"))
            .expect(400)
            .await;
    }
}

/// `value` of each statistic of the only code.
fn figures(answer: &Value) -> Vec<String> {
    let statistics = all(answer, "statistics");
    assert_eq!(statistics.len(), 1, "{answer}");
    let components = statistics[0]["resource"]["component"].as_array().unwrap();
    let line = |one: &Value| {
        let name = one["code"]["coding"][0]["code"].as_str().unwrap();
        format!("{name} {}", one["valueQuantity"]["value"])
    };
    components.iter().map(line).collect()
}

async fn figures_of_one_code(server: Server) {
    with_patient(&server).await;
    for (id, value, time) in [
        ("a", "110", "2026-01-01"),
        ("b", "120.5", "2026-01-02"),
        ("c", "130", "2026-01-03"),
    ] {
        server.put(&measured(id, &["2345-7"], time, value)).await;
    }
    let mut wrong = measured("w", &["2345-7"], "2026-01-02", "999");
    wrong["status"] = "entered-in-error".into();
    server.put(&wrong).await;
    let mut silent = measured("s", &["2345-7"], "2026-01-02", "1");
    silent.as_object_mut().unwrap().remove("valueQuantity");
    server.put(&silent).await;
    // As a component of a panel.
    let mut panel = measured("p", &["24321-2"], "2026-01-04", "1");
    let quantity = panel
        .as_object_mut()
        .unwrap()
        .remove("valueQuantity")
        .unwrap();
    panel["component"] = json!([{"code": {"coding": [{"system": LOINC, "code": "2345-7"}]}, "valueQuantity": quantity}]);
    panel["component"][0]["valueQuantity"]["value"] = 140.into();
    server.put(&panel).await;

    let base = format!("/Observation/$stats?subject=Patient/p&system={LOINC}");
    let every = "statistic=average&statistic=maximum&statistic=minimum&statistic=count&statistic=total-count&statistic=median";
    let answer = server
        .get(&format!("{base}&code=2345-7&{every}"))
        .expect(200)
        .await
        .json();
    let expected = [
        "average 125.125",
        "maximum 140",
        "minimum 110",
        "count 4",
        "total-count 5",
        "median 125.25",
    ];
    assert_eq!(figures(&answer), expected);
    let one = &all(&answer, "statistics")[0]["resource"];
    assert_eq!(one["subject"]["reference"], "Patient/p");
    assert_eq!(one["component"][0]["valueQuantity"]["code"], "mg/dL");

    let within = format!(
        "{base}&code=2345-7&period=2026-01-02/2026-01-03&statistic=sum&include=true&limit=1"
    );
    let answer = server.get(&within).expect(200).await.json();
    assert_eq!(figures(&answer), ["sum 250.5"]);
    assert_eq!(all(&answer, "source").len(), 1);
    let posted = json!({"resourceType": "Parameters", "parameter": [
        {"name": "subject", "valueUri": "Patient/p"},
        {"name": "coding", "valueCoding": {"system": LOINC, "code": "2345-7"}},
        {"name": "period", "valuePeriod": {"start": "2026-01-01", "end": "2026-01-01"}},
        {"name": "statistic", "valueCode": "average"}, {"name": "statistic", "valueCode": "count"}]});
    let call = server.call("POST", "/Observation/$stats").resource(&posted);
    assert_eq!(
        figures(&call.expect(200).await.json()),
        ["average 110", "count 1"]
    );
    let recent = server.get(&format!(
        "{base}&code=2345-7&duration=1&statistic=average&statistic=count"
    ));
    let recent = recent.expect(200).await.json();
    let absent = &all(&recent, "statistics")[0]["resource"]["component"][0];
    assert_eq!(
        absent["dataAbsentReason"]["coding"][0]["code"], "not-applicable",
        "{recent}"
    );

    for query in [
        "code=2345-7",
        "statistic=count",
        "code=2345-7&statistic=skew",
        "code=2345-7&statistic=count&period=x",
    ] {
        server.get(&format!("{base}&{query}")).expect(400).await;
    }
}

async fn two_units_are_not_one(server: Server) {
    with_patient(&server).await;
    server
        .put(&measured("a", &["2345-7"], "2026-01-01", "110"))
        .await;
    let base = format!("/Observation/$stats?subject=Patient/p&system={LOINC}");
    let mut other = measured("o", &["2345-7"], "2026-01-05", "16");
    other["valueQuantity"]["code"] = "mmol/L".into();
    server.put(&other).await;
    let mixed = server.get(&format!("{base}&code=2345-7&statistic=average"));
    mixed.expect(422).await;
}

async fn both_keep_to_the_callers_view(server: Server) {
    with_patient(&server).await;
    server
        .put(&measured("a", &["2345-7"], "2026-01-01", "110"))
        .await;
    let mut other = measured("b", &["2345-7"], "2026-01-02", "150");
    other["status"] = "preliminary".into();
    server.put(&other).await;
    let token = server.issue("system/Observation.rs?status=final").await;
    let ask = |url: &str| {
        let call = server
            .get(url)
            .header("Authorization", &format!("Bearer {token}"));
        async move { call.send().await }
    };
    let reply = ask("/Observation/$lastn?patient=Patient/p&code=2345-7").await;
    assert_eq!(reply.entries(), ["Observation/a"]);
    // A chain leads nowhere that the caller may not search.
    let reply = ask("/Observation/$lastn?patient.birthdate=1974-12-25&code=2345-7").await;
    assert!(
        reply.status == 403 || reply.entries().is_empty(),
        "{}",
        reply.text
    );
    let stats = format!(
        "/Observation/$stats?subject=Patient/p&system={LOINC}&code=2345-7&statistic=average"
    );
    assert_eq!(ask(&stats).await.status, 403);
    let none = server.issue("system/Patient.rs").await;
    let call = server
        .get(&stats)
        .header("Authorization", &format!("Bearer {none}"));
    call.expect(403).await;
}

crate::on_both_stores!(
    the_last_of_each_code,
    figures_of_one_code,
    two_units_are_not_one,
    both_keep_to_the_callers_view,
);
