//! A7 of issue 12: every judgement over "a patient" goes over the whole set of
//! linked patients, or says what it may not see.
//! <https://hl7.org/fhir/R4/patient-definitions.html#Patient.link>

use serde_json::{Value, json};

use crate::candidacy::active;
use crate::cds_hooks;
use crate::course::parts;
use crate::medication::{asked, coded, statement, verdicts, with_patient};
use crate::readiness;
use crate::support::{Server, example};
use crate::trajectory::all;

crate::on_both_stores!(
    a_medicine_of_a_linked_record_counts_whichever_way_the_link_points,
    chains_and_cycles_of_links_are_followed,
    a_record_by_an_identifier_of_the_patient_counts,
    a_link_to_an_unseen_record_is_never_complete,
    every_judgement_reads_the_records_of_linked_patients,
    records_of_others_do_not_count,
);

const TRANYLCYPROMINE: &str = "10734";

fn linked(id: &str, links: &[(&str, &str)]) -> Value {
    let mut patient = example::patient("Sands");
    patient["id"] = id.into();
    let links = links
        .iter()
        .map(|(kind, other)| json!({"type": kind, "other": {"reference": other}}));
    let links: Vec<Value> = links.collect();
    if !links.is_empty() {
        patient["link"] = links.into();
    }
    patient
}

fn about(patient: &str, mut content: Value) -> Value {
    for name in ["subject", "patient"] {
        if content.get(name).is_some() {
            content[name] = json!({"reference": format!("Patient/{patient}")});
        }
    }
    content
}

fn overall(answer: &Value) -> (Value, Value) {
    let overall = all(answer, "overall")[0]["valueCode"].clone();
    (overall, all(answer, "complete")[0]["valueBoolean"].clone())
}

/// Who is linked to whom does not matter, nor by which of the four types.
async fn a_medicine_of_a_linked_record_counts_whichever_way_the_link_points(server: Server) {
    let old = about("old", statement("maoi", coded(TRANYLCYPROMINE)));
    server.put(&linked("p", &[])).await;
    server.put(&linked("old", &[])).await;
    server.put(&old).await;
    assert!(verdicts(&asked(&server, "").await).is_empty());
    for kind in ["replaces", "replaced-by", "refer", "seealso"] {
        for (from, to) in [("p", "Patient/old"), ("old", "Patient/p")] {
            server.put(&linked(from, &[(kind, to)])).await;
            let answer = asked(&server, "").await;
            let expected = (
                "MedicationStatement/maoi".to_owned(),
                "contraindicated".to_owned(),
            );
            assert_eq!(verdicts(&answer), [expected], "{from} {kind} {to}");
            server.put(&linked(from, &[])).await;
        }
    }
}

async fn chains_and_cycles_of_links_are_followed(server: Server) {
    // p <- a -> b <- c, and c points back to p.
    server.put(&linked("p", &[])).await;
    server.put(&linked("b", &[])).await;
    server
        .put(&linked(
            "a",
            &[("seealso", "Patient/p"), ("replaces", "Patient/b")],
        ))
        .await;
    server
        .put(&linked(
            "c",
            &[("replaced-by", "Patient/b"), ("seealso", "Patient/p")],
        ))
        .await;
    server
        .put(&about("c", statement("maoi", coded(TRANYLCYPROMINE))))
        .await;
    for patient in ["p", "a", "b", "c"] {
        let url = format!("/Patient/{patient}/$medication-compatibility");
        let answer = server.get(&url).expect(200).await.json();
        assert_eq!(overall(&answer).0, "contraindicated", "{patient}");
    }
}

async fn a_record_by_an_identifier_of_the_patient_counts(server: Server) {
    let identifier = json!({"system": "urn:example:mrn", "value": "a,b|c"});
    let mut patient = linked("p", &[("replaces", "Patient/old")]);
    patient["identifier"] = json!([{"system": "urn:example:mrn", "value": "other"}]);
    let mut old = linked("old", &[]);
    old["identifier"] = json!([identifier]);
    server.put(&old).await;
    server.put(&patient).await;
    let mut medicine = statement("maoi", coded(TRANYLCYPROMINE));
    medicine["subject"] = json!({"identifier": identifier});
    server.put(&medicine).await;
    assert_eq!(overall(&asked(&server, "").await).0, "contraindicated");
    // Who names another record means that one.
    server.put(&linked("q", &[])).await;
    medicine["subject"]["reference"] = "Patient/q".into();
    server.put(&medicine).await;
    assert!(verdicts(&asked(&server, "").await).is_empty());
    // A link may name the old record by its identifier, too.
    medicine["subject"] = json!({"reference": "Patient/old"});
    server.put(&medicine).await;
    patient["link"] = json!([{"type": "replaces", "other": {"identifier": identifier}}]);
    server.put(&patient).await;
    for patient in ["p", "old"] {
        let url = format!("/Patient/{patient}/$medication-compatibility");
        let answer = server.get(&url).expect(200).await.json();
        assert_eq!(overall(&answer).0, "contraindicated", "{patient}");
    }
}

async fn a_link_to_an_unseen_record_is_never_complete(server: Server) {
    server
        .put(&linked(
            "p",
            &[("replaces", "https://elsewhere.example.org/fhir/Patient/1")],
        ))
        .await;
    server.put(&statement("ssri", coded("36437"))).await;
    assert_eq!(
        overall(&asked(&server, "").await),
        ("not-checked".into(), false.into())
    );
    // It may be read, and is not there.
    server.put(&linked("old", &[])).await;
    server
        .put(&linked("p", &[("replaces", "Patient/old")]))
        .await;
    assert_eq!(overall(&asked(&server, "").await).1, true);
    // A token that may read only the surviving record.
    let terms = unloop::access::issuer::TokenTerms {
        subject: "tester".to_owned(),
        scope: "patient/*.rs".to_owned(),
        patient: Some("p".to_owned()),
        ttl: 3600,
        ..Default::default()
    };
    let token = format!("Bearer {}", server.issue_as(&terms).await);
    let call = server.get("/Patient/p/$medication-compatibility");
    let answer = call
        .header("Authorization", &token)
        .expect(200)
        .await
        .json();
    assert_eq!(
        overall(&answer),
        ("not-checked".into(), false.into()),
        "{answer}"
    );
}

async fn every_judgement_reads_the_records_of_linked_patients(server: Server) {
    readiness::everything(&server, "home").await;
    let mut patient = server.get("/Patient/p").expect(200).await.json();
    patient["link"] = json!([{"type": "replaces", "other": {"reference": "Patient/old"}}]);
    server.put(&linked("old", &[])).await;
    server.put(&patient).await;
    let state = async |id: &str| {
        let reply = server
            .get("/Appointment/session/$session-readiness?at=2020-03-01T08:55:00Z")
            .expect(200)
            .await;
        let checks = parts(&reply, "check");
        let mut checks = checks
            .iter()
            .filter(|one| one["part"][0]["valueCode"] == id);
        checks.next().unwrap()["part"][1]["valueCode"]
            .as_str()
            .unwrap()
            .to_owned()
    };
    assert_eq!(state("medicines").await, "go");
    server
        .put(&about("old", statement("maoi", coded(TRANYLCYPROMINE))))
        .await;
    server
        .put(&about(
            "old",
            readiness::pressure("high", "2020-03-01T08:50:00Z", 200, 115),
        ))
        .await;
    server
        .put(&about(
            "old",
            readiness::screen("worse", "2020-03-01T08:40:00Z", "risk-high"),
        ))
        .await;
    server
        .put(&about(
            "old",
            active("psychosis", "http://snomed.info/sct", "69322001"),
        ))
        .await;
    for id in ["medicines", "blood-pressure", "suicidality"] {
        assert_eq!(state(id).await, "hold", "{id}");
    }
    let url = "/Patient/p/$ketamine-candidacy?at=2020-03-01";
    let answer = server.get(url).expect(200).await.json();
    assert_eq!(
        all(&answer, "overall")[0]["valueCode"],
        "not-a-candidate-now",
        "{answer}"
    );
    let url = "/Appointment/session/$session-monitor?at=2020-03-01T09:00:00Z";
    let answer = server.get(url).expect(200).await.json();
    assert!(answer.to_string().contains("Observation/high"), "{answer}");
    let mut sertraline = about("old", statement("ssri", coded("36437")));
    sertraline["effectivePeriod"] = json!({"start": "2019-01-01"});
    server.put(&sertraline).await;
    let answer = server
        .get("/Patient/p/$sri-trials")
        .expect(200)
        .await
        .json();
    assert_eq!(all(&answer, "trial").len(), 1, "{answer}");
    let score = about("old", crate::candidacy::total("rated", 30, "2020-01-01"));
    server.put(&score).await;
    let answer = server
        .get("/Patient/p/$ybocs-trajectory")
        .expect(200)
        .await
        .json();
    assert!(answer.to_string().contains("Observation/rated"), "{answer}");
    // The EHR hears of the old record's medicine while ketamine is ordered.
    let order = cds_hooks::order("k", coded("6130"));
    let call = cds_hooks::asked("order-sign", &[order], &[]);
    let cards = cds_hooks::cards(&server, cds_hooks::SIGN, &call).await;
    assert!(
        cards.iter().any(|card| card["indicator"] == "critical"),
        "{cards:?}"
    );
}

async fn records_of_others_do_not_count(server: Server) {
    with_patient(&server).await;
    server.put(&linked("q", &[("seealso", "Patient/r")])).await;
    server.put(&linked("r", &[])).await;
    server
        .put(&about("r", statement("maoi", coded(TRANYLCYPROMINE))))
        .await;
    assert!(verdicts(&asked(&server, "").await).is_empty());
}
