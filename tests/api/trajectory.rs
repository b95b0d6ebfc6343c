//! The course of a patient's scores, over HTTP.

use serde_json::{Value, json};

use crate::measures::score;
use crate::medication::with_patient;
use crate::support::{Server, example};

fn on(id: &str, code: &str, value: i64, date: &str) -> Value {
    let mut one = score(id, code, value);
    one["effectiveDateTime"] = date.into();
    one
}

fn session(id: &str, start: &str) -> Value {
    json!({"resourceType": "MedicationAdministration", "id": id, "status": "completed",
        "medicationCodeableConcept": {"coding": [{"system": "http://www.nlm.nih.gov/research/umls/rxnorm", "code": "6130"}]},
        "subject": {"reference": "Patient/p"}, "effectiveDateTime": start})
}

pub fn all<'v>(answer: &'v Value, name: &str) -> Vec<&'v Value> {
    let parameters = answer["parameter"].as_array().unwrap().iter();
    parameters.filter(|one| one["name"] == name).collect()
}

pub fn part<'v>(of: &'v Value, name: &str) -> &'v Value {
    let parts = of["part"].as_array().unwrap();
    parts
        .iter()
        .find(|part| part["name"] == name)
        .unwrap_or(&Value::Null)
}

fn verdicts(answer: &Value) -> Vec<String> {
    let outcomes = all(answer, "outcome").into_iter();
    outcomes
        .map(|one| {
            let text = |name: &str| part(one, name)["valueCode"].as_str().unwrap();
            format!("{} {}", text("outcome"), text("verdict"))
        })
        .collect()
}

const URL: &str = "/Patient/p/$ybocs-trajectory";

async fn filled(server: &Server) {
    with_patient(server).await;
    for one in [
        on("a", "ybocs-total", 34, "2026-06-01"),
        on("b", "ybocs-total", 30, "2026-07-01"),
        on("c", "ybocs-total", 19, "2026-08-01"),
        on("d", "ybocs-total", 18, "2026-08-10"),
        on("ci", "cgi-improvement", 2, "2026-08-01"),
        on("di", "cgi-improvement", 1, "2026-08-10"),
        session("s", "2026-07-01T09:00:00Z"),
        session("t", "2026-07-08T09:00:00Z"),
    ] {
        server.put(&one).await;
    }
}

async fn a_course_is_told(server: Server) {
    filled(&server).await;
    let answer = server
        .get(&format!("{URL}?at=2026-08-20"))
        .expect(200)
        .await
        .json();
    assert_eq!(
        all(&answer, "overall")[0]["valueCode"],
        "response",
        "{answer}"
    );
    assert_eq!(all(&answer, "complete")[0]["valueBoolean"], true);
    let baseline = all(&answer, "baseline")[0];
    assert_eq!(
        part(baseline, "source")["valueReference"]["reference"],
        "Observation/b"
    );
    assert_eq!(part(baseline, "band")["valueCode"], "ybocs-severe");
    let points = all(&answer, "point");
    assert_eq!(points.len(), 4);
    assert_eq!(part(points[2], "change")["valueInteger"], -11);
    assert_eq!(
        part(points[2], "reductionPercent")["valueDecimal"].to_string(),
        "36.6"
    );
    assert!(part(points[0], "change").is_null());
    let sessions = all(&answer, "session");
    assert_eq!(part(sessions[0], "date")["valueDate"], "2026-07-01");
    assert_eq!(sessions.len(), 2);
    let expected = [
        "response met",
        "partial-response not-met",
        "remission not-met",
        "relapse not-met",
    ];
    assert_eq!(verdicts(&answer), expected);
    let rule = part(all(&answer, "outcome")[0], "rule")["valueUri"]
        .as_str()
        .unwrap();
    assert!(rule.ends_with("#response"), "{rule}");
    // On an earlier day less was known.
    let early = server
        .get(&format!("{URL}?at=2026-08-01"))
        .expect(200)
        .await
        .json();
    assert_eq!(verdicts(&early)[0], "response undetermined");
    assert_eq!(all(&early, "overall")[0]["valueCode"], "undetermined");
}

async fn other_measures_have_a_trend(server: Server) {
    with_patient(&server).await;
    for (id, value, date) in [("a", 20, "2026-06-01"), ("b", 12, "2026-07-01")] {
        let mut one = on(id, "", value, date);
        one["code"] = json!({"coding": [{"system": "http://loinc.org", "code": "44261-6"}]});
        server.put(&one).await;
    }
    let answer = server
        .get(&format!("{URL}?measure=phq9-total"))
        .expect(200)
        .await
        .json();
    let points = all(&answer, "point");
    assert_eq!(part(points[1], "change")["valueInteger"], -8);
    assert_eq!(
        part(points[1], "reductionPercent")["valueDecimal"].to_string(),
        "40.0"
    );
    assert!(all(&answer, "outcome").is_empty() && all(&answer, "overall").is_empty());
    let empty = server.get(URL).expect(200).await.json();
    assert_eq!(all(&empty, "overall")[0]["valueCode"], "undetermined");
    server
        .get(&format!("{URL}?measure=height"))
        .expect(400)
        .await;
    server
        .get("/Patient/none/$ybocs-trajectory")
        .expect(404)
        .await;
}

/// A10: what stood on the day of the first dose before it is the baseline, what came behind it
/// is a follow-up.
async fn a_fall_on_the_day_of_the_dose_is_a_response(server: Server) {
    with_patient(&server).await;
    for one in [
        on("a", "ybocs-total", 30, "2026-07-01T08:00:00+02:00"),
        session("s", "2026-07-01T10:00:00+02:00"),
        on("b", "ybocs-total", 14, "2026-07-01T16:00:00+02:00"),
        on("c", "ybocs-total", 14, "2026-07-09"),
        on("ci", "cgi-improvement", 2, "2026-07-05"),
    ] {
        server.put(&one).await;
    }
    let answer = server.get(&format!("{URL}?at=2026-07-10"));
    let answer = answer.expect(200).await.json();
    let baseline = part(all(&answer, "baseline")[0], "value");
    assert_eq!(baseline["valueInteger"], 30, "{answer}");
    assert_eq!(all(&answer, "overall")[0]["valueCode"], "response");
    assert_eq!(all(&answer, "course").len(), 1);
    let score = all(&answer, "scoreOutcome")[0];
    assert_eq!(part(score, "basis")["valueCode"], "score-only");
    assert_eq!(part(score, "verdict")["valueCode"], "met");
    assert_eq!(
        part(all(&answer, "outcome")[0], "basis")["valueCode"],
        "consensus"
    );
}

/// A10: before any treatment there is a baseline, and no outcome.
async fn without_a_dose_there_is_a_baseline_only(server: Server) {
    with_patient(&server).await;
    for one in [
        on("a", "ybocs-total", 30, "2026-06-01"),
        on("b", "ybocs-total", 10, "2026-07-01"),
        on("c", "ybocs-total", 10, "2026-08-01"),
        on("ci", "cgi-improvement", 1, "2026-07-31"),
    ] {
        server.put(&one).await;
    }
    let answer = server.get(URL).expect(200).await.json();
    assert_eq!(all(&answer, "overall")[0]["valueCode"], "baseline-only");
    assert!(verdicts(&answer).is_empty(), "{answer}");
    assert!(answer.to_string().contains("baseline only"), "{answer}");
    let course = all(&answer, "course");
    assert!(course.is_empty(), "{answer}");
}

/// A10: the latest course stands at the top, each with its own baseline, and an old baseline is named.
async fn each_course_is_told_with_its_own_baseline(server: Server) {
    with_patient(&server).await;
    for one in [
        on("a", "ybocs-total", 34, "2025-01-01"),
        session("s", "2025-01-05T09:00:00Z"),
        on("b", "ybocs-total", 30, "2025-03-01"),
        session("t", "2026-07-05T09:00:00Z"),
        on("c", "ybocs-total", 15, "2026-08-01"),
    ] {
        server.put(&one).await;
    }
    let answer = server.get(URL).expect(200).await.json();
    let courses = all(&answer, "course");
    assert_eq!(courses.len(), 2);
    let value = |course: &Value| part(part(course, "baseline"), "value")["valueInteger"].clone();
    assert_eq!(
        (value(courses[0]), value(courses[1])),
        (34.into(), 30.into())
    );
    assert_eq!(
        part(all(&answer, "baseline")[0], "value")["valueInteger"],
        30
    );
    assert!(
        answer.to_string().contains("more than 90 days older"),
        "{answer}"
    );
    assert_eq!(part(courses[1], "overall")["valueCode"], "undetermined");
}

async fn what_is_hidden_is_undetermined(server: Server) {
    filled(&server).await;
    let ask = |token: String| {
        let call = server.get(&format!("{URL}?at=2026-08-20"));
        async move {
            call.header("Authorization", &format!("Bearer {token}"))
                .send()
                .await
        }
    };
    let partial = server.issue("system/Patient.r system/Observation.rs").await;
    let answer = ask(partial).await.json();
    assert_eq!(all(&answer, "overall")[0]["valueCode"], "undetermined");
    assert!(
        verdicts(&answer)
            .iter()
            .all(|one| one.ends_with("undetermined")),
        "{answer}"
    );
    assert!(
        answer.to_string().contains("may not reach every record"),
        "{answer}"
    );
    let none = server.issue("system/Observation.rs").await;
    assert_eq!(ask(none).await.status, 403);
    let mut other = example::patient("Other");
    other["id"] = "q".into();
    server.put(&other).await;
    let found = server
        .get("/Patient/q/$ybocs-trajectory")
        .expect(200)
        .await
        .json();
    assert!(all(&found, "point").is_empty());
}

/// Worse than 13 points with CGI-I 6 for a week: no relapse, unless the course was
/// withdrawn for it, which only a clinician can say.
async fn a_revoked_course_leaves_a_relapse_open(server: Server) {
    with_patient(&server).await;
    for (id, value, cgi, date) in [
        ("a", 30, 4, "2026-06-01"),
        ("b", 15, 2, "2026-07-01"),
        ("c", 15, 2, "2026-07-10"),
        ("d", 28, 6, "2026-08-01"),
        ("e", 14, 4, "2026-08-08"),
    ] {
        server.put(&on(id, "ybocs-total", value, date)).await;
        let impression = on(&format!("{id}i"), "cgi-improvement", cgi, date);
        server.put(&impression).await;
    }
    server.put(&session("s", "2026-06-03T09:00:00Z")).await;
    let url = format!("{URL}?at=2026-08-20");
    let answer = server.get(&url).expect(200).await.json();
    assert_eq!(verdicts(&answer)[3], "relapse not-met", "{answer}");
    let mut plan = json!({"resourceType": "CarePlan", "id": "plan", "intent": "plan",
        "identifier": [{"system": "https://unloop.dev/fhir/course", "value": "p/1"}],
        "subject": {"reference": "Patient/p"}});
    plan["status"] = "active".into();
    server.put(&plan).await;
    let answer = server.get(&url).expect(200).await.json();
    assert_eq!(verdicts(&answer)[3], "relapse not-met");
    plan["status"] = "revoked".into();
    server.put(&plan).await;
    let answer = server.get(&url).expect(200).await.json();
    assert_eq!(verdicts(&answer)[3], "relapse undetermined");
    assert!(
        answer.to_string().contains("a clinician decides"),
        "{answer}"
    );
    // Who may not see the plan does not learn that there was no withdrawal.
    plan["status"] = "active".into();
    server.put(&plan).await;
    let token = server
        .issue("system/Patient.rs system/Observation.rs system/Appointment.rs system/Procedure.rs system/MedicationAdministration.rs system/Medication.rs")
        .await;
    let call = server
        .get(&url)
        .header("Authorization", &format!("Bearer {token}"));
    let answer = call.expect(200).await.json();
    assert_eq!(verdicts(&answer)[3], "relapse undetermined", "{answer}");
    assert_eq!(verdicts(&answer)[0], "response met", "{answer}");
}

crate::on_both_stores!(
    a_course_is_told,
    other_measures_have_a_trend,
    a_fall_on_the_day_of_the_dose_is_a_response,
    without_a_dose_there_is_a_baseline_only,
    each_course_is_told_with_its_own_baseline,
    what_is_hidden_is_undetermined,
    a_revoked_course_leaves_a_relapse_open,
);
