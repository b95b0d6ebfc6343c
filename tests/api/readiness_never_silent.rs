//! A of issue 12, "never silent": adding any resource to a record never turns hold into go,
//! unless it is a recorded review or a newer measurement. Each reason against a session
//! meets each resource that says the opposite without being newer. (A recorded dose of ketamine ends
//! the window; it is tested in `nothing_harmful_a1`.)

use serde_json::{Value, json};

use crate::appointments::concept;
use crate::candidacy::{SNOMED, active, answers};
use crate::course::parts;
use crate::medication::{coded, statement};
use crate::readiness::{ask, checks, consent, everything, pressure, screen, vital};
use crate::support::Server;

crate::on_both_stores!(no_resource_turns_hold_into_go);

const MEASURES: &str = "https://unloop.dev/fhir/CodeSystem/measures";

/// At one time before the session, which the others below are not later than.
const TIME: &str = "2020-03-01T08:50:00Z";
const BEFORE: &str = "2020-03-01T08:20:00Z";

fn altman(id: &str, time: &str, points: i64) -> Value {
    json!({"resourceType": "Observation", "id": id, "status": "final",
        "code": concept(MEASURES, "altman-total")[0], "subject": {"reference": "Patient/p"},
        "effectiveDateTime": time, "valueInteger": points,
        "performer": [{"reference": "Practitioner/d"}]})
}

fn event(id: &str, seriousness: &str) -> Value {
    let system = "http://terminology.hl7.org/CodeSystem/adverse-event-seriousness";
    json!({"resourceType": "AdverseEvent", "id": id, "actuality": "actual",
        "subject": {"reference": "Patient/p"}, "seriousness": concept(system, seriousness)[0]})
}

fn with(mut content: Value, member: &str, value: Value) -> Value {
    content[member] = value;
    content
}

/// Each stands against the session.
fn problems() -> Vec<Value> {
    let mut refusal = consent();
    refusal["id"] = "problem".into();
    refusal["provision"] = json!({"type": "deny"});
    let mut odd = screen("problem", TIME, "risk-low");
    odd.as_object_mut().unwrap().remove("valueCodeableConcept");
    vec![
        pressure("problem", TIME, 200, 115),
        with(
            pressure("problem", TIME, 120, 80),
            "status",
            "preliminary".into(),
        ),
        vital("problem", TIME, "8480-6", 150, "mm[Hg]"),
        vital("problem", TIME, "8867-4", 160, "/min"),
        vital("problem", TIME, "59408-5", 85, "%"),
        screen("problem", TIME, "risk-high"),
        odd,
        altman("problem", TIME, 18),
        event("problem", "Serious"),
        refusal,
        statement("problem", coded("10734")),
        statement("problem", json!({"text": "something unheard of"})),
        active("problem", SNOMED, "69322001"),
    ]
}

/// Each says that all is well, and is not newer.
fn comforts() -> Vec<Value> {
    let mut permission = consent();
    permission["id"] = "comfort".into();
    vec![
        pressure("comfort", BEFORE, 118, 76),
        pressure("comfort", TIME, 118, 76),
        pressure("comfort", "2099-01-01", 118, 76),
        vital("comfort", TIME, "8462-4", 70, "mm[Hg]"),
        vital("comfort", BEFORE, "8867-4", 66, "/min"),
        vital("comfort", TIME, "2708-6", 99, "%"),
        screen("comfort", BEFORE, "risk-low"),
        screen("comfort", TIME, "risk-low"),
        altman("comfort", TIME, 0),
        altman("comfort", "2020-02-01T08:00:00Z", 0),
        event("comfort", "Non-serious"),
        permission,
        statement("comfort", coded("36437")),
        active("comfort", SNOMED, "444814009"),
        answers(
            "comfort",
            "2020-02-28",
            &[("psychosis", true), ("therapy", true)],
        ),
        json!({"resourceType": "Patient", "id": "comfort", "link": [{"type": "replaces", "other": {"reference": "Patient/q"}}]}),
    ]
}

async fn overall(server: &Server) -> (String, Vec<String>) {
    let reply = ask(server).await;
    let overall = parts(&reply, "overall")[0]["valueCode"].clone();
    (overall.as_str().unwrap().to_owned(), checks(&reply))
}

async fn remove(server: &Server, content: &Value) {
    let kind = content["resourceType"].as_str().unwrap();
    let path = format!("/{kind}/{}", content["id"].as_str().unwrap());
    server.call("DELETE", &path).send().await;
}

async fn no_resource_turns_hold_into_go(server: Server) {
    everything(&server, "clinic").await;
    server
        .put(&json!({"resourceType": "Patient", "id": "p", "birthDate": "1990-04-02"}))
        .await;
    server.put(&active("ocd", SNOMED, "191736004")).await;
    let before: Vec<String> = overall(&server).await.1;
    for problem in problems() {
        server.put(&problem).await;
        let (state, held) = overall(&server).await;
        assert_eq!(state, "hold", "{problem}");
        // The checks that this one holds.
        let against: Vec<&String> = held.iter().filter(|line| !before.contains(line)).collect();
        assert!(!against.is_empty() || held == before, "{problem}");
        for comfort in comforts() {
            server.put(&comfort).await;
            let (state, now) = overall(&server).await;
            assert_eq!(state, "hold", "{problem} and {comfort}");
            for line in held.iter().filter(|line| !line.ends_with(" go")) {
                let id = line.split(' ').next().unwrap();
                let go = format!("{id} go");
                // Answers settle what nobody had answered: a recorded review.
                let reviewed =
                    id == "candidacy" && comfort["resourceType"] == "QuestionnaireResponse";
                assert!(
                    reviewed || !now.contains(&go),
                    "{id} after {comfort} beside {problem}: {now:?}"
                );
            }
            remove(&server, &comfort).await;
        }
        remove(&server, &problem).await;
    }
}
