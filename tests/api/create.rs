//! <https://hl7.org/fhir/R4/http.html#create>, `#ccreate`

use serde_json::json;

use crate::support::{Server, example};

crate::on_both_stores!(
    a_create_answers_201_with_location_and_etag,
    identity_and_version_are_the_services,
    prefer_decides_on_the_content,
    a_conditional_create_makes_one_resource,
    a_conditional_create_with_many_matches_is_refused,
    a_condition_must_be_one,
    a_condition_keeps_its_question_marks,
);

async fn a_create_answers_201_with_location_and_etag(server: Server) {
    let create = server.call("POST", "/Patient");
    let reply = create
        .resource(&example::patient("Chalmers"))
        .expect(201)
        .await;
    let id = reply.id();
    assert_eq!(reply.header("ETag"), "W/\"1\"");
    assert!(reply.headers.contains_key("Last-Modified"));
    let location = format!("{}/Patient/{id}/_history/1", server.base);
    assert_eq!(reply.header("Location"), location);
    let read = server.get(&format!("/Patient/{id}")).expect(200).await;
    assert_eq!(read.text, reply.text);
}

async fn identity_and_version_are_the_services(server: Server) {
    let mut patient = example::patient("A");
    patient["id"] = "mine".into();
    patient["meta"] = json!({
        "versionId": "33", "lastUpdated": "2001-01-01T00:00:00Z", "source": "#here",
    });
    let made = server.create(&patient).await.json();
    assert_ne!(made["id"], "mine");
    assert_eq!(made["meta"]["versionId"], "1");
    assert_eq!(made["meta"]["source"], "#here", "the rest of meta is kept");
    let updated = made["meta"]["lastUpdated"].as_str().unwrap();
    assert!(!updated.starts_with("2001"), "{updated}");
}

async fn prefer_decides_on_the_content(server: Server) {
    let create = |prefer: &str| {
        let call = server.call("POST", "/Patient").header("Prefer", prefer);
        call.resource(&example::patient("A")).expect(201)
    };
    let minimal = create("return=minimal").await;
    assert_eq!(minimal.text, "");
    assert!(minimal.header("Location").contains("/Patient/"));
    let whole = create("return=representation").await;
    assert_eq!(whole.json()["resourceType"], "Patient");
    let outcome = create("return=OperationOutcome").await;
    assert_eq!(outcome.json()["resourceType"], "OperationOutcome");
    let quoted = create("return=\"minimal\"").await;
    assert_eq!(quoted.text, "", "RFC 7240: a value may be quoted");
    let both = create("handling=lenient; return=minimal").await;
    assert_eq!(both.text, "");
    let foreign = create("respond-async").await;
    assert_eq!(foreign.json()["resourceType"], "Patient");
}

async fn a_conditional_create_makes_one_resource(server: Server) {
    let create = || {
        let call = server.call("POST", "/Patient");
        call.header("If-None-Exist", "identifier=http://example.org/mrn|77")
            .resource(&example::identified("77"))
    };
    let first = create().expect(201).await;
    let again = create().expect(200).await;
    assert_eq!(again.id(), first.id());
    assert_eq!(again.header("ETag"), "W/\"1\"");
    assert_eq!(server.count("/Patient").await, 1);
    // Deleted is not there.
    server.call("DELETE", &first.path()).expect(204).await;
    assert_ne!(create().expect(201).await.id(), first.id());
}

async fn a_conditional_create_with_many_matches_is_refused(server: Server) {
    server.create(&example::identified("1")).await;
    server.create(&example::identified("1")).await;
    let create = server.call("POST", "/Patient");
    let create = create.header("If-None-Exist", "identifier=http://example.org/mrn|1");
    let reply = create.resource(&example::identified("1")).expect(412).await;
    assert_eq!(reply.code(), "multiple-matches");
    assert!(reply.diagnostics().contains("If-None-Exist"));
    assert_eq!(server.count("/Patient").await, 2);
}

async fn a_condition_must_be_one(server: Server) {
    for (criteria, says) in [
        ("", "no search parameter"),
        ("_sort=name", "no search parameter"),
        ("nmae=x", "`nmae`"),
        ("birthdate=yesterday", "birthdate"),
    ] {
        let create = server.call("POST", "/Patient");
        let create = create.header("If-None-Exist", criteria);
        let reply = create.resource(&example::patient("A")).expect(400).await;
        assert!(reply.diagnostics().contains(says), "{}", reply.text);
    }
    assert_eq!(server.count("/Patient").await, 0);
}

async fn a_condition_keeps_its_question_marks(server: Server) {
    let mut patient = example::patient("A");
    patient["identifier"] = json!([{"system": "http://example.org/?mrn", "value": "1"}]);
    for (criteria, status) in [
        ("identifier=http://example.org/?mrn|1", 201),
        ("identifier=http://example.org/?mrn|1", 200),
        ("Patient?identifier=http://example.org/?mrn|1", 200),
        ("?identifier=http://example.org/?mrn|1", 200),
    ] {
        let create = server.call("POST", "/Patient");
        let create = create.header("If-None-Exist", criteria);
        create.resource(&patient).expect(status).await;
    }
}
