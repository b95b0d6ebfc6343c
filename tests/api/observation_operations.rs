//! `Observation/$lastn` and `Observation/$stats` as R4 defines them.

use serde_json::{Value, json};

use crate::audit::recorded;
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
    let bundle = reply.json();
    let own = bundle["link"][0]["url"].as_str().unwrap();
    assert_eq!(bundle["link"][0]["relation"], "self");
    let expected = "/Observation/$lastn?max=1&patient=Patient%2Fp&code=2345-7";
    assert!(own.ends_with(expected), "{own}");
    // The trail names what was answered, not what was looked through.
    let mut seen = 0;
    recorded(&server, &mut seen).await;
    last(&server, "patient=Patient/p&code=2345-7&status=final").await;
    let records = recorded(&server, &mut seen).await;
    let versions = &records[0]["shown"]["Observation"];
    assert_eq!(versions, &json!(["a2/1"]), "{records:?}");
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
        "code=2345-7&statistic=mode",
        "code=2345-7&statistic=count&period=x",
    ] {
        server.get(&format!("{base}&{query}")).expect(400).await;
    }
}

/// Skew and kurtosis by the formulas of Joanes and Gill, all else by Python's
/// `statistics`; the line is one of days since the first value.
async fn every_statistic_of_the_value_set(server: Server) {
    with_patient(&server).await;
    for (id, value, time) in [
        ("a", "110", "2026-01-01"),
        ("b", "120.5", "2026-01-02"),
        ("c", "130", "2026-01-03"),
        ("d", "140", "2026-01-04"),
    ] {
        server.put(&measured(id, &["2345-7"], time, value)).await;
    }
    let expected = [
        ("sum", "500.5", "mg/dL"),
        ("variance", "165.0625", "(mg/dL).(mg/dL)"),
        ("std-dev", "12.8476652", "mg/dL"),
        ("20-percent", "116.3", "mg/dL"),
        ("80-percent", "134", "mg/dL"),
        ("4-lower", "117.875", "mg/dL"),
        ("4-upper", "132.5", "mg/dL"),
        ("4-dev", "7.3125", "mg/dL"),
        ("5-1", "116.3", "mg/dL"),
        ("5-2", "122.4", "mg/dL"),
        ("5-3", "128.1", "mg/dL"),
        ("5-4", "134", "mg/dL"),
        ("skew", "-0.04773", ""),
        ("kurtosis", "-0.982451", ""),
        ("regression", "9.95", "(mg/dL)/d"),
        ("regression", "110.2", "mg/dL"),
    ];
    let mut names: Vec<&str> = expected.iter().map(|(name, ..)| *name).collect();
    names.dedup();
    let query: String = names
        .iter()
        .map(|name| format!("&statistic={name}"))
        .collect();
    let url = format!("/Observation/$stats?subject=Patient/p&system={LOINC}&code=2345-7{query}");
    let answer = server.get(&url).expect(200).await.json();
    let lines: Vec<String> = expected
        .iter()
        .map(|(name, value, _)| format!("{name} {value}"))
        .collect();
    assert_eq!(figures(&answer), lines);
    let components = &all(&answer, "statistics")[0]["resource"]["component"];
    for (component, (name, _, unit)) in components.as_array().unwrap().iter().zip(expected) {
        let code = component["valueQuantity"]["code"].as_str();
        assert_eq!(code.unwrap_or_default(), unit, "{name}");
    }
    let part = |place: usize| &components[place]["code"]["coding"][1]["code"];
    assert_eq!(
        (part(14), part(15)),
        (&json!("gradient"), &json!("intercept"))
    );
    let text = components[15]["code"]["text"].as_str().unwrap();
    assert!(text.contains("2026-01-01T00:00:00"), "{text}");
}

/// 16 kPa are 16,000 / 133.322 mm[Hg].
async fn units_of_one_kind_convert(server: Server) {
    with_patient(&server).await;
    for (id, value, unit) in [
        ("a", "1.2", "g/L"),
        ("b", "110", "mg/dL"),
        ("c", "100", "mg/dL"),
    ] {
        let mut one = measured(id, &["2345-7"], "2026-01-01", value);
        one["valueQuantity"]["code"] = unit.into();
        server.put(&one).await;
    }
    let base = format!("/Observation/$stats?subject=Patient/p&system={LOINC}");
    let url = format!("{base}&code=2345-7&statistic=average&statistic=maximum");
    let answer = server.get(&url).expect(200).await.json();
    assert_eq!(figures(&answer), ["average 110", "maximum 120"]);
    let quantity = &all(&answer, "statistics")[0]["resource"]["component"][0]["valueQuantity"];
    assert_eq!(quantity["code"], "mg/dL");

    let mut other = measured("o", &["2345-7"], "2026-01-05", "16");
    other["valueQuantity"]["code"] = "mmol/L".into();
    server.put(&other).await;
    let mixed = server.get(&url).expect(422).await;
    assert!(
        mixed.text.contains("mmol/L") && mixed.text.contains("mg/dL"),
        "{}",
        mixed.text
    );
    // A unit that is no UCUM converts into nothing, and the same one needs not to.
    let mut unknown = measured("u", &["2160-0"], "2026-01-05", "3");
    unknown["valueQuantity"]["code"] = "[pH]".into();
    server.put(&unknown).await;
    let alone = server.get(&format!(
        "{base}&code=2160-0&statistic=variance&statistic=average"
    ));
    let alone = alone.expect(200).await.json();
    assert_eq!(figures(&alone), ["variance null", "average 3"]);
}

/// A pressure that nobody has confirmed is no value that figures rest on.
async fn what_is_implausible_does_not_count(server: Server) {
    with_patient(&server).await;
    for (id, value) in [("a", "70"), ("b", "80"), ("w", "900")] {
        let mut one = example::observation("Patient/p", "2026-01-01T10:00:00Z");
        one["id"] = id.into();
        one["category"] = json!([{"coding": [{"system": "http://terminology.hl7.org/CodeSystem/observation-category", "code": "vital-signs"}]}]);
        one["code"] = json!({"coding": [{"system": LOINC, "code": "8867-4"}]});
        one["valueQuantity"] = json!({"value": value.parse::<i64>().unwrap(), "unit": "/min",
            "system": "http://unitsofmeasure.org", "code": "/min"});
        server.put(&one).await;
    }
    let url = format!(
        "/Observation/$stats?subject=Patient/p&system={LOINC}&code=8867-4&statistic=maximum&statistic=count&statistic=total-count"
    );
    let answer = server.get(&url).expect(200).await.json();
    assert_eq!(figures(&answer), ["maximum 80", "count 2", "total-count 3"]);
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
    every_statistic_of_the_value_set,
    units_of_one_kind_convert,
    what_is_implausible_does_not_count,
    both_keep_to_the_callers_view,
);
