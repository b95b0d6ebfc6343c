//! `$validate` as R4 defines it: an OperationOutcome with status 200, and nothing is stored.
//! <https://hl7.org/fhir/R4/resource-operation-validate.html>

use serde_json::{Value, json};
use unloop::access::issuer::TokenTerms;

use crate::support::{Reply, Server};

crate::on_both_stores!(
    content_is_judged_and_not_stored,
    modes_ask_what_the_content_is_for,
    stored_resources_are_judged_by_their_address,
    who_may_do_nothing_is_told_nothing,
);

fn issues(reply: &Reply) -> Vec<(String, String)> {
    let json = reply.json();
    assert_eq!(json["resourceType"], "OperationOutcome", "{}", reply.text);
    let text = |issue: &Value, name: &str| issue[name].as_str().unwrap_or_default().to_owned();
    let place = |issue: &Value| {
        issue["expression"][0]
            .as_str()
            .unwrap_or_default()
            .to_owned()
    };
    let issues = json["issue"].as_array().unwrap().iter();
    issues
        .map(|issue| (text(issue, "severity"), place(issue)))
        .collect()
}

async fn validate(server: &Server, path: &str, content: &Value) -> Vec<(String, String)> {
    let call = server.call("POST", path).resource(content);
    issues(&call.expect(200).await)
}

fn fine() -> Vec<(String, String)> {
    vec![("information".to_owned(), String::new())]
}

fn error(place: &str) -> Vec<(String, String)> {
    vec![("error".to_owned(), place.to_owned())]
}

async fn content_is_judged_and_not_stored(server: Server) {
    let good = json!({"resourceType": "Patient", "birthDate": "1980"});
    let bad = json!({"resourceType": "Patient", "birthDate": "1980-02-30"});
    let path = "/Patient/$validate";
    assert_eq!(validate(&server, path, &good).await, fine());
    assert_eq!(
        validate(&server, path, &bad).await,
        error("Patient.birthDate")
    );
    let inside = |resource: &Value, mode: &str| {
        json!({"resourceType": "Parameters", "parameter": [
            {"name": "mode", "valueCode": mode}, {"name": "resource", "resource": resource}]})
    };
    assert_eq!(
        validate(&server, path, &inside(&good, "create")).await,
        fine()
    );
    assert_eq!(
        validate(&server, path, &inside(&bad, "create")).await,
        error("Patient.birthDate")
    );
    let other = json!({"resourceType": "Group", "type": "person", "actual": true});
    assert_eq!(validate(&server, path, &other).await, error("resourceType"));
    let unknown = json!({"resourceType": "Patient", "nme": "x", "gender": "x"});
    assert_eq!(validate(&server, path, &unknown).await.len(), 2);
    assert_eq!(server.count("/Patient").await, 0, "nothing is stored");
    server.call("POST", path).expect(400).await;
    let nonsense = server.call("POST", path).text("application/fhir+json", "{");
    nonsense.expect(400).await;
    server.get("/$validate").expect(404).await;
}

async fn modes_ask_what_the_content_is_for(server: Server) {
    let mut content = json!({"resourceType": "Patient", "active": true});
    let update = "/Patient/p/$validate?mode=update";
    assert_eq!(
        validate(&server, update, &content).await,
        error("Patient.id")
    );
    content["id"] = "q".into();
    assert_eq!(
        validate(&server, update, &content).await,
        error("Patient.id")
    );
    content["id"] = "p".into();
    assert_eq!(validate(&server, update, &content).await, fine());
    // "Profiles: if one is named, the resource is judged by it."
    let own = "http://hl7.org/fhir/StructureDefinition/Patient";
    let path = |profile: &str| format!("/Patient/$validate?mode=profile&profile={profile}");
    assert_eq!(validate(&server, &path(own), &content).await, fine());
    assert_eq!(
        validate(&server, &path("http://example.org/p"), &content).await,
        error("")
    );
    content["meta"] = json!({"profile": ["http://example.org/p"]});
    let found = validate(&server, "/Patient/$validate", &content).await;
    assert_eq!(
        found[0],
        ("warning".to_owned(), "Patient.meta.profile".to_owned())
    );
    let call = server
        .call("POST", "/Patient/$validate?mode=sing")
        .resource(&content);
    assert!(call.expect(400).await.diagnostics().contains("mode"));
}

async fn stored_resources_are_judged_by_their_address(server: Server) {
    server
        .put(&json!({"resourceType": "Patient", "id": "p"}))
        .await;
    for path in ["/Patient/p/$validate", "/Patient/p/$validate?mode=delete"] {
        let reply = server.get(path).expect(200).await;
        assert_eq!(issues(&reply), fine(), "{path}");
    }
    server.get("/Patient/nobody/$validate").expect(404).await;
    server.get("/Patient/p").expect(200).await;
}

async fn who_may_do_nothing_is_told_nothing(server: Server) {
    server
        .put(&json!({"resourceType": "Patient", "id": "p"}))
        .await;
    let terms = TokenTerms {
        subject: "reader".to_owned(),
        scope: "system/Patient.rs".to_owned(),
        ttl: 3600,
        ..TokenTerms::default()
    };
    let token = format!("Bearer {}", server.issue_as(&terms).await);
    let content = json!({"resourceType": "Patient"});
    for (path, status) in [
        ("/Patient/$validate", 200),
        ("/Patient/$validate?mode=create", 403),
        ("/Patient/p/$validate?mode=delete", 403),
        ("/Observation/$validate", 403),
    ] {
        let call = server.call("POST", path).header("Authorization", &token);
        call.resource(&content).expect(status).await;
    }
}
