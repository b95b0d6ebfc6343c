//! Earlier trials of serotonin reuptake inhibitors, over HTTP.

use serde_json::{Value, json};

use crate::medication::{coded, statement, with_patient};
use crate::support::Server;
use crate::trajectory::{all, part};

const URL: &str = "/Patient/p/$sri-trials?at=2026-11-01";

/// So many milligrams once a day.
fn taken(id: &str, code: &str, start: &str, end: &str, dose: i64) -> Value {
    let mut one = statement(id, coded(code));
    one["status"] = "completed".into();
    one["effectivePeriod"] = json!({"start": start, "end": end});
    one["dosage"] = json!([{"timing": {"repeat": {"frequency": 1, "period": 1, "periodUnit": "d"}},
        "doseAndRate": [{"doseQuantity": {"value": dose, "unit": "mg"}}]}]);
    one
}

/// `drug verdict` of each trial.
fn verdicts(answer: &Value) -> Vec<String> {
    let trials = all(answer, "trial").into_iter();
    trials
        .map(|trial| {
            let drug = part(trial, "drug")["valueString"].as_str().unwrap();
            format!(
                "{drug} {}",
                part(trial, "verdict")["valueCode"].as_str().unwrap()
            )
        })
        .collect()
}

async fn filled(server: &Server) {
    with_patient(server).await;
    // Eight weeks, titrated, four of them at 200 mg.
    server
        .put(&taken("s1", "36437", "2026-01-01", "2026-01-28", 100))
        .await;
    server
        .put(&taken("s2", "36437", "2026-01-29", "2026-02-25", 200))
        .await;
    // A day short of four weeks at the dose.
    server
        .put(&taken("f1", "4493", "2026-04-01", "2026-05-05", 20))
        .await;
    server
        .put(&taken("f2", "4493", "2026-05-06", "2026-06-01", 40))
        .await;
    let mut unknown = taken("p", "32937", "2026-07-01", "2026-09-30", 40);
    unknown.as_object_mut().unwrap().remove("dosage");
    server.put(&unknown).await;
}

async fn trials_are_judged(server: Server) {
    with_patient(&server).await;
    let none = server.get(URL).expect(200).await.json();
    assert_eq!(all(&none, "overall")[0]["valueCode"], "undetermined");
    filled(&server).await;
    let answer = server.get(URL).expect(200).await.json();
    let expected = [
        "sertraline adequate",
        "fluoxetine inadequate",
        "paroxetine undetermined",
    ];
    assert_eq!(verdicts(&answer), expected, "{answer}");
    assert_eq!(all(&answer, "overall")[0]["valueCode"], "adequate");
    assert_eq!(all(&answer, "adequate")[0]["valueInteger"], 1);
    let first = all(&answer, "trial")[0];
    assert_eq!(part(first, "daysCertain")["valueInteger"], 56);
    assert_eq!(part(first, "daysAtDoseCertain")["valueInteger"], 28);
    assert_eq!(part(first, "from")["valueDate"], "2026-01-01");
    assert_eq!(
        part(first, "mark")["valueString"],
        "unverified: confirm before clinical use"
    );
    let rule = part(first, "rule")["valueUri"].as_str().unwrap();
    assert!(rule.ends_with("#dose-sertraline"), "{rule}");

    // Before the four weeks were over.
    let url = URL.replace("2026-11-01", "2026-02-24");
    let early = server.get(&url).expect(200).await.json();
    assert_eq!(verdicts(&early), ["sertraline inadequate"]);
    let posted = json!({"resourceType": "Parameters", "parameter": [{"name": "at", "valueDate": "2026-11-01"}]});
    let call = server
        .call("POST", "/Patient/p/$sri-trials")
        .resource(&posted);
    assert_eq!(verdicts(&call.expect(200).await.json()), expected);
    server
        .get("/Patient/p/$sri-trials?at=yesterday")
        .expect(400)
        .await;
    server.get("/Patient/none/$sri-trials").expect(404).await;
}

/// A medicine that nobody understands may have been one of them.
async fn what_is_not_understood_keeps_it_open(server: Server) {
    with_patient(&server).await;
    server
        .put(&taken("f", "4493", "2026-04-01", "2026-05-05", 20))
        .await;
    let known = server.get(URL).expect(200).await.json();
    assert_eq!(all(&known, "overall")[0]["valueCode"], "inadequate");
    server
        .put(&statement("odd", json!({"text": "mysterin"})))
        .await;
    let open = server.get(URL).expect(200).await.json();
    assert_eq!(all(&open, "overall")[0]["valueCode"], "undetermined");
    assert_eq!(all(&open, "complete")[0]["valueBoolean"], false);
    let odd = all(&open, "notUnderstood")[0];
    assert_eq!(
        odd["valueReference"]["reference"],
        "MedicationStatement/odd"
    );
}

async fn a_partial_view_says_so(server: Server) {
    filled(&server).await;
    let ask = |token: String| {
        let call = server
            .get(URL)
            .header("Authorization", &format!("Bearer {token}"));
        async move { call.send().await }
    };
    let some = server
        .issue("system/Patient.rs system/MedicationStatement.rs?status=completed")
        .await;
    // Whether there is more than this view reaches is not told.
    let before = ask(some.clone()).await.json();
    assert_eq!(all(&before, "complete")[0]["valueBoolean"], false);
    server.put(&statement("now", coded("36437"))).await;
    server
        .call("DELETE", "/MedicationStatement/s2")
        .expect(204)
        .await;
    let partial = ask(some).await.json();
    assert_eq!(all(&partial, "complete")[0]["valueBoolean"], false);
    assert_eq!(all(&partial, "overall")[0]["valueCode"], "undetermined");
    let without = server.issue("system/Patient.r").await;
    let hidden = ask(without).await.json();
    assert!(verdicts(&hidden).is_empty());
    assert_eq!(all(&hidden, "overall")[0]["valueCode"], "undetermined");
    let blind = server.issue("system/MedicationStatement.rs").await;
    assert_eq!(ask(blind).await.status, 403);
}

crate::on_both_stores!(
    trials_are_judged,
    what_is_not_understood_keeps_it_open,
    a_partial_view_says_so,
);
