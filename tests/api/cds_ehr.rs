//! An EHR with a FHIR server of its own. <https://cds-hooks.hl7.org/2.0/#fhir-resource-access>

use serde_json::{Value, json};

use crate::candidacy::total;
use crate::cds_hooks::{asked, cards, medicine_cards, opened, order, send};
use crate::medication::{coded, statement, with_patient};
use crate::readiness;
use crate::support::{Server, StoreKind};
use crate::web::Web;

const SCOPE: &str = "patient/*.rs";

/// This service, which may read the EHR's server.
async fn beside(listed: &str) -> Server {
    Server::start_beside(StoreKind::Sqlite, listed)
        .await
        .unwrap()
}

/// A token of the EHR's, for this patient.
async fn granted(ehr: &Server, scope: &str) -> Value {
    let terms = unloop::access::issuer::TokenTerms {
        subject: "unloop".to_owned(),
        scope: scope.to_owned(),
        patient: Some("p".to_owned()),
        ttl: 300,
        ..unloop::access::issuer::TokenTerms::default()
    };
    json!({"access_token": ehr.issue_as(&terms).await, "token_type": "Bearer",
        "expires_in": 300, "scope": scope, "subject": "unloop"})
}

/// Ketamine is ordered in the EHR.
fn ordered(server: &str, authorization: Value) -> Value {
    let mut call = asked("order-sign", &[order("k", coded("6130"))], &[]);
    call["fhirServer"] = server.into();
    call["fhirAuthorization"] = authorization;
    call
}

fn summaries(cards: &[Value]) -> Vec<&str> {
    cards
        .iter()
        .map(|card| card["summary"].as_str().unwrap())
        .collect()
}

fn not_checked(cards: &[Value]) -> Option<&str> {
    let of = |card: &&Value| card["summary"].as_str().unwrap().starts_with("Not checked");
    Some(cards.iter().find(of)?["detail"].as_str().unwrap())
}

fn allergy() -> Value {
    json!({"resourceType": "AllergyIntolerance", "id": "a", "code": coded("6130"),
        "clinicalStatus": {"coding": [{"system": "http://terminology.hl7.org/CodeSystem/allergyintolerance-clinical", "code": "active"}]},
        "patient": {"reference": "Patient/p"}})
}

/// A real server: products by reference, prescriptions and allergies.
async fn what_the_ehr_has_is_read_with_its_token(ehr: Server) {
    with_patient(&ehr).await;
    let server = beside(&ehr.base).await;
    let all = granted(&ehr, SCOPE).await;
    let call = ordered(&ehr.base, all.clone());
    let found = medicine_cards(&server, &call).await;
    let open = not_checked(&found).expect("nothing is recorded there");
    assert!(open.contains("No current medicine is recorded"), "{open}");

    ehr.put(&json!({"resourceType": "Medication", "id": "1", "code": coded("10734")}))
        .await;
    let mut taken = statement("m", json!(null));
    taken
        .as_object_mut()
        .unwrap()
        .remove("medicationCodeableConcept");
    taken["medicationReference"] = json!({"reference": "Medication/1"});
    ehr.put(&taken).await;
    // Another product has this id here.
    server
        .put(&json!({"resourceType": "Medication", "id": "1", "code": coded("321988")}))
        .await;
    ehr.put(&allergy()).await;
    let found = medicine_cards(&server, &call).await;
    assert_eq!(found.len(), 2, "{:?}", summaries(&found));
    assert!(
        found.iter().all(|card| card["indicator"] == "critical"),
        "{found:?}"
    );
    assert!(
        found[0]["links"][0]["url"]
            .as_str()
            .unwrap()
            .ends_with("#maoi-irreversible")
    );
    assert_eq!(not_checked(&found), None);

    // The token is what decides there.
    let part = granted(&ehr, "patient/MedicationStatement.rs patient/Medication.rs").await;
    let found = medicine_cards(&server, &ordered(&ehr.base, part)).await;
    let open = not_checked(&found).expect("a list was refused");
    assert!(
        open.contains("Allergies") && open.contains("Prescriptions"),
        "{open}"
    );
    assert!(!open.contains("Medicines taken"), "{open}");
    for authorization in [
        Value::Null,
        json!({"access_token": "x", "token_type": "Bearer"}),
    ] {
        let found = medicine_cards(&server, &ordered(&ehr.base, authorization)).await;
        let open = not_checked(&found).expect("all of them were refused");
        assert!(open.contains("Medicines taken"), "{open}");
    }

    // What comes along need not be fetched.
    let mut call = ordered(&ehr.base, all);
    call["prefetch"] = json!({"medications": {"resourceType": "Bundle", "type": "searchset",
        "entry": [{"resource": taken}]}});
    let found = medicine_cards(&server, &call).await;
    let unknown = found
        .iter()
        .find(|card| card["summary"].as_str().unwrap().contains("not-checked"));
    assert!(
        unknown.is_some(),
        "the product did not come along: {:?}",
        summaries(&found)
    );
    assert!(
        found.iter().any(|card| card["indicator"] == "critical"),
        "the allergy: {found:?}"
    );
}

/// Ids of another server are not ids of this one.
async fn records_of_other_people_are_not_mixed_in(server: Server) {
    with_patient(&server).await;
    server.put(&statement("m", coded("10734"))).await;
    server.put(&total("a", 30, "2026-08-01")).await;
    server.put(&total("b", 18, "2026-10-01")).await;
    let web = Web::start();
    let unlisted = format!("{}/fhir", web.url);
    let call = ordered(
        &unlisted,
        json!({"access_token": "x", "token_type": "Bearer"}),
    );
    let found = medicine_cards(&server, &call).await;
    assert_eq!(found.len(), 1, "{:?}", summaries(&found));
    let open = not_checked(&found).unwrap();
    for name in ["Medicines taken", "Prescriptions", "Allergies"] {
        assert!(open.contains(name), "{open}");
    }
    assert_eq!(web.connections(), 0, "what is not listed is not asked");

    let mut viewed = opened();
    viewed["fhirServer"] = unlisted.as_str().into();
    assert!(cards(&server, "ocd-progress", &viewed).await.is_empty());
    // A record here says that it is the same person.
    let link = |id: &str| {
        json!({"resourceType": "Patient", "id": id, "link": [{"type": "seealso",
            "other": {"reference": format!("{unlisted}/Patient/p")}}]})
    };
    server.put(&link("p")).await;
    let found = cards(&server, "ocd-progress", &viewed).await;
    assert!(summaries(&found)[0].starts_with("Y-BOCS 18"), "{found:?}");
    let found = medicine_cards(&server, &call).await;
    assert_eq!(
        found[0]["indicator"], "critical",
        "what is known here counts too: {found:?}"
    );
    assert!(not_checked(&found).is_some());
    // Two say so: nobody knows who it is.
    server.put(&link("q")).await;
    assert!(cards(&server, "ocd-progress", &viewed).await.is_empty());

    // This server by its own address is no other server.
    viewed["fhirServer"] = format!("{}/", server.base).into();
    assert!(!cards(&server, "ocd-progress", &viewed).await.is_empty());
}

async fn a_session_of_another_server_is_not_checked(server: Server) {
    readiness::everything(&server, "home").await;
    let session = readiness::session("home");
    let mut call = json!({"hook": "appointment-book", "hookInstance": "d1577c69-dfbe-44ad-ba6d-3e05e953b2ea",
        "fhirServer": "https://ehr.example.org/fhir",
        "context": {"userId": "Practitioner/d", "patientId": "p",
            "appointments": {"resourceType": "Bundle", "type": "collection", "entry": [{"resource": session}]}}});
    let found = cards(&server, "session-readiness", &call).await;
    assert!(
        summaries(&found)[0].ends_with("is not checked"),
        "{found:?}"
    );
    for wrong in [json!(1), json!("file:///etc/passwd"), json!("")] {
        call["fhirServer"] = wrong;
        assert_eq!(send(&server, "session-readiness", &call).await.status, 400);
    }
}

/// Whatever it does, a card says that it was not seen.
async fn an_ehr_that_does_not_answer_as_it_should_is_not_checked(_: Server) {
    let (web, elsewhere) = (Web::start(), Web::start());
    let listed = format!("{}/fhir", web.url);
    let server = beside(&listed).await;
    let call = ordered(
        &listed,
        json!({"access_token": "x", "token_type": "Bearer"}),
    );
    let pages: Vec<String> = [
        "MedicationStatement",
        "MedicationRequest",
        "MedicationAdministration",
        "MedicationDispense",
        "AllergyIntolerance",
    ]
    .iter()
    .map(|name| match *name {
        "AllergyIntolerance" => format!("/fhir/{name}?patient=p&_count=100"),
        name => format!("/fhir/{name}?patient=p&_count=100&_include={name}:medication"),
    })
    .collect();
    let answer = |status: &str, headers: &str, content: &str| {
        for page in &pages {
            web.raw(page, status, headers, content);
        }
    };
    let empty = json!({"resourceType": "Bundle", "type": "searchset"});
    answer("200 OK", "", &empty.to_string());
    let found = medicine_cards(&server, &call).await;
    assert_eq!(found.len(), 1, "{found:?}");
    let open = not_checked(&found).unwrap();
    assert!(open.contains("No current medicine is recorded"), "{open}");
    let mut paged = empty.clone();
    paged["link"] = json!([{"relation": "next", "url": format!("{listed}?page=2")}]);
    let mut warned = empty.clone();
    warned["entry"] = json!([{"search": {"mode": "outcome"}, "resource": {"resourceType": "OperationOutcome",
        "issue": [{"severity": "warning", "code": "incomplete"}]}}]);
    let long = format!(
        "{{\"resourceType\": \"Bundle\", \"x\": \"{}\"}}",
        "x".repeat(3 << 20)
    );
    let redirect = format!("location: {}/fhir\r\n", elsewhere.url);
    for (status, headers, content) in [
        ("200 OK", "", paged.to_string()),
        ("200 OK", "", warned.to_string()),
        ("200 OK", "", "{".to_owned()),
        ("200 OK", "", json!({"resourceType": "Patient"}).to_string()),
        ("200 OK", "", long),
        ("302 Found", redirect.as_str(), empty.to_string()),
        ("403 Forbidden", "", empty.to_string()),
        ("500 Internal Server Error", "", String::new()),
    ] {
        answer(status, headers, &content);
        let found = medicine_cards(&server, &call).await;
        assert!(not_checked(&found).is_some(), "{status} {found:?}");
    }
    assert_eq!(elsewhere.connections(), 0, "no redirect is followed");
    web.go_down();
    assert!(not_checked(&medicine_cards(&server, &call).await).is_some());
}

crate::on_both_stores!(
    what_the_ehr_has_is_read_with_its_token,
    records_of_other_people_are_not_mixed_in,
    a_session_of_another_server_is_not_checked,
    an_ehr_that_does_not_answer_as_it_should_is_not_checked,
);
