//! Every address of the service × every way not to be allowed. The addresses are
//! those of the OpenAPI document, which is made from the same tables as the routes.

use serde_json::{Value, json};
use unloop::access::issuer::TokenTerms;

use crate::support::{Server, deed};

crate::on_both_stores!(every_address_refuses_whoever_may_not);

const DOCUMENT: &str = include_str!("../../openapi/openapi.json");

/// Stands in every record of the patient, and must not get out.
const MARK: &str = "s3cret";

pub struct Address {
    pub method: String,
    pub path: String,
    /// Needs no token, or proves its clients by itself.
    pub open: bool,
}

pub fn addresses() -> Vec<Address> {
    let document: Value = serde_json::from_str(DOCUMENT).unwrap();
    let mut found = Vec::new();
    for (template, item) in document["paths"].as_object().unwrap() {
        let path = template
            .replace("{type}", "Condition")
            .replace("{compartment}", "Encounter")
            .replace("{member}", "Observation")
            .replace("{patientMember}", "Condition")
            .replace("{version}", "1")
            .replace("{id}", "mine");
        assert!(
            !path.contains('{'),
            "{template} has a part that this test does not know"
        );
        for (method, operation) in item.as_object().unwrap() {
            if method != "parameters" {
                found.push(Address {
                    method: method.to_uppercase(),
                    path: path.clone(),
                    open: operation["security"] == json!([]),
                });
            }
        }
    }
    assert!(found.len() > 70, "{}", found.len());
    found
}

async fn records(server: &Server) {
    let mine = json!({"reference": "Patient/mine"});
    let text = json!({"text": MARK});
    for content in [
        json!({"resourceType": "Patient", "id": "mine", "name": [text]}),
        json!({"resourceType": "Patient", "id": "other"}),
        json!({"resourceType": "Observation", "id": "mine", "status": "final", "code": text, "subject": mine}),
        json!({"resourceType": "MedicationStatement", "id": "mine", "status": "active",
            "medicationCodeableConcept": text, "subject": mine}),
        json!({"resourceType": "Appointment", "id": "mine", "status": "proposed", "description": MARK,
            "participant": [{"actor": mine, "status": "accepted"}]}),
        json!({"resourceType": "Condition", "id": "mine", "code": text, "subject": mine}),
        json!({"resourceType": "QuestionnaireResponse", "id": "mine", "status": "completed",
            "questionnaire": "https://unloop.dev/fhir/Questionnaire/ybocs", "subject": mine,
            "authored": "2026-01-02T10:00:00Z"}),
    ] {
        let path = format!(
            "/{}/{}",
            content["resourceType"].as_str().unwrap(),
            content["id"].as_str().unwrap()
        );
        let reply = server.call("PUT", &path).resource(&content).send().await;
        assert!(reply.status < 300, "{}", reply.text);
    }
}

async fn tokens(server: &Server) -> Vec<(&'static str, Option<String>)> {
    let of = |patient: &str, scope: &str| TokenTerms {
        subject: "tester".to_owned(),
        scope: scope.to_owned(),
        patient: Some(patient.to_owned()),
        fhir_user: Some(format!("Patient/{patient}")),
        ttl: 3600,
        ..TokenTerms::default()
    };
    let issuer = server.access.server.as_ref().unwrap();
    let mut past = server.access.gate.now().await.unwrap();
    past.seconds -= 86_400;
    let expired = issuer
        .built_in
        .issue(&of("mine", "system/*.cruds"), past, &deed("token-issue"))
        .await;
    let good = server.issue("system/*.cruds").await;
    let (signed, signature) = good.rsplit_once('.').unwrap();
    let changed: String = signature.chars().rev().collect();
    vec![
        ("no token", None),
        ("expired", Some(expired.unwrap().token)),
        ("a changed signature", Some(format!("{signed}.{changed}"))),
        ("no token at all", Some("x".to_owned())),
        (
            "no scope",
            Some(server.issue_as(&of("mine", "openid fhirUser")).await),
        ),
        (
            "another type",
            Some(server.issue_as(&of("mine", "patient/Basic.cruds")).await),
        ),
        (
            "another patient",
            Some(server.issue_as(&of("other", "patient/*.cruds")).await),
        ),
        (
            "granted",
            Some(server.issue_as(&of("mine", "patient/*.cruds")).await),
        ),
    ]
}

async fn every_address_refuses_whoever_may_not(server: Server) {
    records(&server).await;
    let client = reqwest::Client::new();
    for (who, token) in tokens(&server).await {
        // Nobody makes AuditEvents in the background here, and each request only some.
        while server.get("/AuditEvent?_count=0").send().await.status == 503 {}
        for address in addresses() {
            let method = reqwest::Method::from_bytes(address.method.as_bytes()).unwrap();
            let mut call = client.request(method, server.beside(&address.path));
            if let Some(token) = &token {
                call = call.bearer_auth(token);
            }
            let reply = call.send().await.unwrap();
            let status = reply.status().as_u16();
            let about = format!("{who}: {} {} -> {status}", address.method, address.path);
            let content = reply.text().await.unwrap();
            assert!(status < 500, "{about}: {content}");
            if address.open {
                continue;
            }
            let instance = address.path.contains("/mine") && !address.path.contains("Encounter");
            match who {
                "no token" | "expired" | "a changed signature" | "no token at all" => {
                    assert!([400, 401].contains(&status), "{about}: {content}");
                    assert!(status == 401 || who == "no token at all", "{about}");
                }
                "no scope" | "another type" => {
                    let nothing = !content.contains(MARK) && !content.contains("\"fullUrl\"");
                    let search = address.path == "/fhir" || address.path.starts_with("/fhir/_");
                    assert!(nothing && (status >= 400 || search), "{about}: {content}");
                }
                "another patient" => {
                    assert!(!content.contains(MARK), "{about}: {content}");
                    let member = address.path.matches('/').count() > 3
                        && !address.path.contains('$')
                        && !address.path.contains("_history");
                    if instance && address.method == "GET" && !member {
                        assert!([403, 404].contains(&status), "{about}: {content}");
                    }
                }
                _ if address.path.starts_with("/admin") => assert_eq!(status, 403, "{about}"),
                _ if instance && address.method == "GET" => {
                    // An operation may have nothing to say of a record like this.
                    let nothing = status == 422 && address.path.contains('$');
                    assert!(status == 200 || nothing, "{about}: {content}");
                }
                _ => {}
            }
            if address.method == "DELETE" && who == "granted" && status < 300 {
                records(&server).await;
            }
        }
    }
}
