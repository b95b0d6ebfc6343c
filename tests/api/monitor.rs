//! `Appointment/{id}/$session-monitor`: what is due, late and out of limits.

use serde_json::{Value, json};

use crate::readiness::{everything, pressure};
use crate::support::Server;
use crate::trajectory::{all, part};

crate::on_both_stores!(
    a_session_at_home_is_watched,
    an_infusion_is_watched_more_closely,
    what_happened_holds_the_discharge,
    what_is_hidden_holds_the_discharge,
);

/// The start of ketamine, RxNorm 6130.
pub fn dose(start: &str) -> Value {
    json!({"resourceType": "MedicationAdministration", "id": "dose", "status": "in-progress",
        "medicationCodeableConcept": {"coding": [{"system": "http://www.nlm.nih.gov/research/umls/rxnorm", "code": "6130"}]},
        "subject": {"reference": "Patient/p"}, "effectivePeriod": {"start": start}})
}

pub async fn monitor(server: &Server, at: &str) -> Value {
    let path = format!("/Appointment/session/$session-monitor?at=2020-03-01T{at}:00Z");
    server.get(&path).expect(200).await.json()
}

/// `minute state` of the blood pressure.
pub fn steps(answer: &Value) -> Vec<String> {
    let steps = all(answer, "measurement").into_iter();
    let steps = steps.filter(|step| part(step, "sign")["valueCode"] == "blood-pressure");
    steps
        .map(|step| {
            let state = part(step, "state")["valueCode"].as_str().unwrap();
            format!("{} {state}", part(step, "minute")["valueInteger"])
        })
        .collect()
}

pub fn discharge(answer: &Value) -> &str {
    let discharge = all(answer, "discharge")[0];
    part(discharge, "state")["valueCode"].as_str().unwrap()
}

pub async fn measured(server: &Server, id: &str, time: &str, systolic: i64, diastolic: i64) {
    let time = format!("2020-03-01T{time}:00Z");
    server.put(&pressure(id, &time, systolic, diastolic)).await;
}

/// Before, 40 minutes and 2 hours after the dose.
async fn a_session_at_home_is_watched(server: Server) {
    everything(&server, "home").await;
    // Measured at half past eight, half an hour before the start.
    assert_eq!(
        steps(&monitor(&server, "09:00").await),
        ["0 done", "40 waiting-for-dose", "120 waiting-for-dose"]
    );
    server.put(&dose("2020-03-01T09:10:00Z")).await;
    assert_eq!(
        steps(&monitor(&server, "09:15").await),
        ["0 done", "40 upcoming", "120 upcoming"]
    );
    assert_eq!(
        steps(&monitor(&server, "09:50").await),
        ["0 done", "40 due", "120 upcoming"]
    );
    assert_eq!(
        steps(&monitor(&server, "10:10").await),
        ["0 done", "40 late", "120 upcoming"]
    );
    // Within the rise that is expected in the first hour.
    measured(&server, "at40", "09:52", 160, 100).await;
    assert!(all(&monitor(&server, "10:10").await, "outOfLimits").is_empty());
    measured(&server, "at40", "09:52", 182, 85).await;
    let answer = monitor(&server, "10:10").await;
    assert_eq!(steps(&answer), ["0 done", "40 done", "120 upcoming"]);
    let beyond = all(&answer, "outOfLimits");
    assert_eq!(beyond.len(), 1);
    assert_eq!(part(beyond[0], "effect")["valueCode"], "call");
    assert_eq!(
        part(beyond[0], "reading")["valueReference"]["reference"],
        "Observation/at40"
    );
    assert_eq!(discharge(&answer), "not-met");
    measured(&server, "at120", "11:11", 128, 80).await;
    let answer = monitor(&server, "11:20").await;
    assert_eq!(steps(&answer), ["0 done", "40 done", "120 done"]);
    assert_eq!(discharge(&answer), "met", "{answer}");
    assert!(!all(&answer, "advice").is_empty());
}

/// Every 10 minutes of 40, every 15 after; saturation and heart rate too.
async fn an_infusion_is_watched_more_closely(server: Server) {
    everything(&server, "clinic").await;
    server.put(&dose("2020-03-01T09:00:00Z")).await;
    let answer = monitor(&server, "09:31").await;
    assert_eq!(
        steps(&answer),
        [
            "0 done",
            "10 late",
            "20 late",
            "30 due",
            "40 upcoming",
            "55 upcoming",
            "70 upcoming",
            "85 upcoming",
            "100 upcoming"
        ]
    );
    let signs = all(&answer, "measurement").into_iter();
    let mut signs: Vec<&str> = signs
        .map(|step| part(step, "sign")["valueCode"].as_str().unwrap())
        .collect();
    signs.dedup();
    assert_eq!(signs, ["blood-pressure", "heart-rate", "oxygen-saturation"]);
    let saturation = |value: i64| {
        let mut content = pressure("o2", "2020-03-01T09:20:00Z", 120, 80);
        content.as_object_mut().unwrap().remove("component");
        content["code"] = json!({"coding": [
            {"system": "http://loinc.org", "code": "2708-6"},
            {"system": "http://loinc.org", "code": "59408-5"}]});
        content["valueQuantity"] = json!({"value": value, "system": "http://unitsofmeasure.org", "code": "%", "unit": "%"});
        content
    };
    for (value, beyond) in [
        (94, None),
        (93, Some("alert")),
        (90, Some("alert")),
        (89, Some("stop")),
    ] {
        server.put(&saturation(value)).await;
        let answer = monitor(&server, "09:31").await;
        let found = all(&answer, "outOfLimits");
        let reason = found.first().map(|one| {
            part(one, "reason")["valueString"]
                .as_str()
                .unwrap()
                .to_owned()
        });
        match beyond {
            None => assert_eq!(reason, None, "{value}"),
            Some(word) => assert!(reason.unwrap().contains(word), "{value}"),
        }
    }
}

async fn what_happened_holds_the_discharge(server: Server) {
    everything(&server, "home").await;
    server.put(&dose("2020-03-01T09:00:00Z")).await;
    measured(&server, "at40", "09:41", 130, 80).await;
    measured(&server, "at120", "11:01", 130, 80).await;
    assert_eq!(discharge(&monitor(&server, "11:05").await), "met");
    let mut event = json!({"resourceType": "AdverseEvent", "id": "e", "actuality": "actual",
        "subject": {"reference": "Patient/p"}, "event": {"text": "Nausea"}});
    // Nobody says when.
    server.put(&event).await;
    let answer = monitor(&server, "11:05").await;
    assert_eq!(
        all(&answer, "adverseEvent")[0]["valueReference"]["reference"],
        "AdverseEvent/e"
    );
    assert_eq!(discharge(&answer), "not-met");
    event["date"] = "2020-03-01T09:30:00Z".into();
    event["outcome"] = json!({"coding": [{
        "system": "http://terminology.hl7.org/CodeSystem/adverse-event-outcome", "code": "resolved"}]});
    server.put(&event).await;
    assert_eq!(discharge(&monitor(&server, "11:05").await), "met");
    // The last reading is too high.
    measured(&server, "at120", "11:01", 150, 80).await;
    assert_eq!(discharge(&monitor(&server, "11:05").await), "not-met");
    // A reading that nobody has confirmed.
    measured(&server, "at120", "11:01", 130, 80).await;
    measured(&server, "odd", "11:03", 310, 80).await;
    assert_eq!(discharge(&monitor(&server, "11:05").await), "not-met");
}

async fn what_is_hidden_holds_the_discharge(server: Server) {
    everything(&server, "home").await;
    server.put(&dose("2020-03-01T09:00:00Z")).await;
    measured(&server, "at40", "09:41", 130, 80).await;
    measured(&server, "at120", "11:01", 130, 80).await;
    let all_types = [
        "Appointment",
        "MedicationAdministration",
        "Observation",
        "AdverseEvent",
    ];
    for hidden in &all_types[1..] {
        let rights = all_types.iter().filter(|name| *name != hidden);
        let scope: Vec<String> = rights.map(|name| format!("system/{name}.rs")).collect();
        let token = server.issue(&scope.join(" ")).await;
        let path = "/Appointment/session/$session-monitor?at=2020-03-01T11:05:00Z";
        let reply = reqwest::Client::new()
            .get(format!("{}{path}", server.base))
            .header("Authorization", format!("Bearer {token}"))
            .send()
            .await
            .unwrap();
        assert_eq!(reply.status().as_u16(), 200, "{hidden}");
        let answer: Value = serde_json::from_str(&reply.text().await.unwrap()).unwrap();
        assert_eq!(discharge(&answer), "not-met", "{hidden}");
    }
}
