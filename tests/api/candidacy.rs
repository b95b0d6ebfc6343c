//! The criteria before a course: every one met, not met and unknown.

use serde_json::{Value, json};

use crate::candidacy_table::table;
use crate::support::{Server, example};
use crate::vitals::{measured, pressure, vital};

const AT: &str = "2026-11-21";
pub const SNOMED: &str = "http://snomed.info/sct";

pub fn condition(id: &str, system: &str, code: &str, clinical: &str, verified: &str) -> Value {
    let system_of = |name: &str| format!("http://terminology.hl7.org/CodeSystem/condition-{name}");
    json!({
        "resourceType": "Condition", "id": id, "subject": {"reference": "Patient/p"},
        "code": {"coding": [{"system": system, "code": code}]},
        "clinicalStatus": {"coding": [{"system": system_of("clinical"), "code": clinical}]},
        "verificationStatus": {"coding": [{"system": system_of("ver-status"), "code": verified}]},
    })
}

pub fn active(id: &str, system: &str, code: &str) -> Value {
    condition(id, system, code, "active", "confirmed")
}

pub fn answers(id: &str, authored: &str, answers: &[(&str, bool)]) -> Value {
    let items: Vec<Value> = answers
        .iter()
        .map(|(link, holds)| json!({"linkId": link, "answer": [{"valueBoolean": holds}]}))
        .collect();
    json!({
        "resourceType": "QuestionnaireResponse", "id": id, "status": "completed",
        "questionnaire": "https://unloop.dev/fhir/Questionnaire/ketamine-candidacy",
        "subject": {"reference": "Patient/p"}, "authored": authored, "item": items,
    })
}

/// Every statement of the questionnaire.
pub const ASKED: [&str; 18] = [
    "erp",
    "function",
    "psychosis",
    "substance-use",
    "therapy",
    "label-contraindication",
    "pregnancy",
    "intracranial-pressure",
    "heart",
    "liver",
    "eye-pressure",
    "capacity",
    "bladder",
    "kidney",
    "seizure",
    "airway",
    "dissociation",
    "porphyria",
];

/// All of them are true but these, which nobody has answered.
pub fn all_answers(id: &str, authored: &str, without: &[&str]) -> Value {
    let asked = ASKED.iter().filter(|link| !without.contains(link));
    let asked: Vec<(&str, bool)> = asked.map(|link| (*link, true)).collect();
    answers(id, authored, &asked)
}

pub fn total(id: &str, points: i64, day: &str) -> Value {
    json!({
        "resourceType": "Observation", "id": id, "status": "final",
        "code": {"coding": [{"system": "https://unloop.dev/fhir/CodeSystem/measures", "code": "ybocs-total"}]},
        "method": {"coding": [{"system": SNOMED, "code": "840418002"}]},
        "subject": {"reference": "Patient/p"}, "effectiveDateTime": day,
        "performer": [{"reference": "Practitioner/d"}], "valueInteger": points,
    })
}

pub fn sertraline(start: &str, end: &str) -> Value {
    json!({
        "resourceType": "MedicationStatement", "id": "ssri", "status": "completed",
        "subject": {"reference": "Patient/p"},
        "medicationCodeableConcept": {"coding": [{"system": "http://www.nlm.nih.gov/research/umls/rxnorm", "code": "36437"}]},
        "effectivePeriod": {"start": start, "end": end},
        "dosage": [{
            "timing": {"repeat": {"frequency": 1, "period": 1, "periodUnit": "d"}},
            "doseAndRate": [{"doseQuantity": {"value": 200, "unit": "mg", "system": "http://unitsofmeasure.org", "code": "mg"}}],
        }],
    })
}

pub fn session(id: &str, participants: &[(&str, &str, &str)]) -> Value {
    let patient = ("", "Patient/p", "accepted");
    let participants: Vec<Value> = std::iter::once(&patient)
        .chain(participants)
        .map(|(code, actor, status)| {
            let mut one = json!({"actor": {"reference": actor}, "status": status, "required": "required"});
            if !code.is_empty() {
                one["type"] = json!([{"coding": [{"system": "http://terminology.hl7.org/CodeSystem/v3-ParticipationType", "code": code}]}]);
            }
            one
        })
        .collect();
    json!({
        "resourceType": "Appointment", "id": id, "status": "proposed",
        "serviceType": [{"coding": [{"system": "https://unloop.dev/fhir/CodeSystem/appointment-kind", "code": "ketamine-session"}]}],
        "start": "2026-11-24T09:00:00Z", "end": "2026-11-24T11:00:00Z",
        "participant": participants,
    })
}

/// A patient for whom everything is known and nothing stands against it.
pub async fn with_everything(server: &Server) {
    let mut patient = example::patient("Sands");
    patient["id"] = "p".into();
    patient["birthDate"] = "1990-04-02".into();
    let mut companion =
        json!({"resourceType": "RelatedPerson", "id": "r", "patient": {"reference": "Patient/p"}});
    companion["active"] = true.into();
    for content in [
        patient,
        companion,
        json!({"resourceType": "Practitioner", "id": "d"}),
        json!({"resourceType": "Location", "id": "l"}),
        active("ocd", SNOMED, "191736004"),
        total("y", 27, "2026-11-10"),
        sertraline("2025-01-01", "2025-06-30"),
        pressure("b", "128", "82"),
        screen("2026-11-18"),
        all_answers("q", "2026-11-15", &[]),
        session(
            "s",
            &[
                ("PART", "RelatedPerson/r", "accepted"),
                ("ESC", "RelatedPerson/r", "accepted"),
                ("", "Location/l", "accepted"),
            ],
        ),
    ] {
        server.put(&content).await;
    }
}

pub fn screen(day: &str) -> Value {
    let mut screen = vital("c", &["93374-7"]);
    screen["category"] = json!([{"coding": [{"system": "http://terminology.hl7.org/CodeSystem/observation-category", "code": "survey"}]}]);
    screen["effectiveDateTime"] = day.into();
    screen["valueString"] = "low".into();
    screen
}

pub async fn asked(server: &Server, query: &str) -> Value {
    let url = format!("/Patient/p/$ketamine-candidacy?at={AT}{query}");
    server.get(&url).expect(200).await.json()
}

pub fn overall(answer: &Value) -> &str {
    answer["parameter"][0]["valueCode"].as_str().unwrap()
}

/// (status, effect, evidence) of one criterion.
pub fn criterion(answer: &Value, id: &str) -> (String, String, Vec<String>) {
    let part = |criterion: &Value, name: &str| -> Vec<Value> {
        let parts = criterion["part"].as_array().unwrap();
        parts
            .iter()
            .filter(|part| part["name"] == name)
            .cloned()
            .collect()
    };
    let parameters = answer["parameter"].as_array().unwrap();
    let mut criteria = parameters.iter().filter(|one| one["name"] == "criterion");
    let found = criteria.find(|one| part(one, "id")[0]["valueCode"] == id);
    let found = found.unwrap_or_else(|| panic!("no {id} in {answer}"));
    let code = |name: &str| {
        part(found, name)[0]["valueCode"]
            .as_str()
            .unwrap()
            .to_owned()
    };
    let evidence = part(found, "evidence");
    let evidence = evidence
        .iter()
        .map(|one| one["valueReference"]["reference"].as_str().unwrap());
    (
        code("status"),
        code("effect"),
        evidence.map(str::to_owned).collect(),
    )
}

async fn every_criterion_is_met_not_met_and_unknown(server: Server) {
    with_everything(&server).await;
    let best = asked(&server, "").await;
    assert_eq!(overall(&best), "eligible-for-review", "{best}");
    assert!(
        !best.to_string().to_lowercase().contains("approved"),
        "{best}"
    );
    let clinical = unloop::clinical::knowledge::Knowledge::embedded().unwrap();
    for entry in &clinical.criteria {
        assert_eq!(criterion(&best, &entry.id).0, "met", "{}", entry.id);
    }
    for (id, change, expected) in table() {
        match change["delete"].as_str() {
            Some(path) => drop(server.call("DELETE", path).expect(204).await),
            None => drop(server.put(&change).await),
        }
        let answer = asked(&server, "").await;
        let (found, effect, evidence) = criterion(&answer, id);
        assert_eq!(found, expected, "{id} after {change}: {answer}");
        assert!(found != "not-met" || !evidence.is_empty(), "{id}: {answer}");
        let whole = match (effect.as_str(), expected) {
            (_, "met") | ("flag" | "block-at-session", _) => "eligible-for-review",
            ("block", "not-met") => "not-a-candidate-now",
            _ => "needs-information",
        };
        assert_eq!(overall(&answer), whole, "{id} after {change}");
        for path in [
            "/Condition/x",
            "/Observation/later",
            "/AllergyIntolerance/a",
            "/Procedure/e",
            "/QuestionnaireResponse/later",
        ] {
            server.call("DELETE", path).send().await;
        }
        with_everything(&server).await;
    }
}

/// The clinic's limit is another one, and what is asked there as well.
async fn the_setting_counts(server: Server) {
    with_everything(&server).await;
    server.put(&pressure("b", "150", "85")).await;
    for (setting, expected) in [("clinic", "unknown"), ("home", "not-met")] {
        let answer = asked(&server, &format!("&setting={setting}")).await;
        assert_eq!(criterion(&answer, "blood-pressure").0, expected);
        let asks = |id: &str| {
            answer
                .to_string()
                .contains(&format!("\"valueCode\":\"{id}\""))
        };
        assert_eq!(
            (asks("companion"), asks("driver")),
            (setting == "home", setting == "clinic")
        );
    }
    server.put(&pressure("b", "181", "85")).await;
    let clinic = asked(&server, "&setting=clinic").await;
    assert_eq!(criterion(&clinic, "blood-pressure").0, "not-met");
    for query in ["&setting=car", "&persist=maybe", "&dose=1"] {
        let url = format!("/Patient/p/$ketamine-candidacy?at={AT}{query}");
        server.get(&url).expect(400).await;
    }
    server
        .get("/Patient/none/$ketamine-candidacy")
        .expect(404)
        .await;
}

/// What a token may not read is unknown, never met.
async fn what_is_hidden_is_unknown(server: Server) {
    with_everything(&server).await;
    server.put(&measured("w", &["29463-7"], "80", "kg")).await;
    let all = "Patient Condition Observation QuestionnaireResponse MedicationStatement AllergyIntolerance Procedure Appointment Flag ServiceRequest Medication";
    for (without, ids) in [
        (
            "Condition",
            vec![
                "ocd",
                "psychosis",
                "substance-use",
                "bipolar",
                "pregnancy",
                "label-contraindication",
            ],
        ),
        (
            "Observation",
            vec!["severity", "blood-pressure", "suicidality"],
        ),
        ("QuestionnaireResponse", vec!["therapy", "function", "erp"]),
        ("MedicationStatement", vec!["sri-trial"]),
        ("Appointment", vec!["companion", "driver", "supervision"]),
    ] {
        let scopes = all.split(' ').filter(|name| *name != without);
        let scope: Vec<String> = scopes.map(|name| format!("system/{name}.rs")).collect();
        let token = server.issue(&scope.join(" ")).await;
        let url = format!("/Patient/p/$ketamine-candidacy?at={AT}");
        let call = server
            .get(&url)
            .header("Authorization", &format!("Bearer {token}"));
        let answer = call.expect(200).await.json();
        for id in ids {
            assert_eq!(
                criterion(&answer, id).0,
                "unknown",
                "{without}: {id}: {answer}"
            );
        }
        assert!(
            answer.to_string().contains("may not reach every record"),
            "{without}"
        );
    }
}

async fn it_is_stored_and_mania_is_watched_for(server: Server) {
    with_everything(&server).await;
    let label =
        json!({"system": "http://terminology.hl7.org/CodeSystem/v3-ActCode", "code": "PSY"});
    let mut bipolar = active("x", SNOMED, "13746004");
    bipolar["meta"] = json!({"security": [label]});
    server.put(&bipolar).await;
    let answer = asked(&server, "&persist=true").await;
    assert_eq!(criterion(&answer, "bipolar").0, "not-met");
    assert_eq!(server.count("/Flag?patient=Patient/p").await, 1);
    assert_eq!(
        server
            .count("/ServiceRequest?patient=Patient/p&status=active")
            .await,
        1
    );
    let found = server
        .get("/RiskAssessment?patient=Patient/p")
        .expect(200)
        .await
        .json();
    let stored = &found["entry"][0]["resource"];
    let outcome = &stored["prediction"][0]["outcome"]["coding"][0]["code"];
    assert_eq!(outcome, overall(&answer));
    let basis = stored["basis"].to_string();
    for source in [
        "Condition/ocd",
        "Observation/y",
        "Observation/b",
        "QuestionnaireResponse/q",
    ] {
        assert!(basis.contains(source), "{basis}");
    }
    // What follows from a record is as sensitive as the record.
    for name in ["RiskAssessment", "Flag", "ServiceRequest"] {
        let path = format!("/{name}?patient=Patient/p");
        let found = server.get(&path).expect(200).await.json();
        let labels = &found["entry"][0]["resource"]["meta"]["security"];
        assert_eq!(*labels, json!([label]), "{name}");
    }
    // Watched, it is met, and nothing is raised twice.
    let again = asked(&server, "&persist=true").await;
    assert_eq!(criterion(&again, "bipolar").0, "met");
    assert_eq!(server.count("/Flag?patient=Patient/p").await, 1);
    assert_eq!(server.count("/RiskAssessment?patient=Patient/p").await, 2);
    // Reading is not writing.
    let token = server.issue("system/*.rs").await;
    let url = format!("/Patient/p/$ketamine-candidacy?at={AT}&persist=true");
    let call = server
        .get(&url)
        .header("Authorization", &format!("Bearer {token}"));
    call.expect(403).await;
    assert_eq!(server.count("/RiskAssessment?patient=Patient/p").await, 2);
}

crate::on_both_stores!(
    every_criterion_is_met_not_met_and_unknown,
    the_setting_counts,
    what_is_hidden_is_unknown,
    it_is_stored_and_mania_is_watched_for,
);
