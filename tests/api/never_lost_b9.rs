//! B9: what a transaction means is judged after its writes, or refused before them.
//! <https://hl7.org/fhir/R4/http.html#trules>, <https://www.rfc-editor.org/rfc/rfc9110#section-13.1>

use serde_json::{Value, json};

use crate::support::{Reply, Server, example};
use example::{bundle, entry, posted};

crate::on_both_stores!(
    conditional_references_lead_to_what_the_transaction_creates,
    conditional_references_see_what_the_transaction_changes_and_deletes,
    conditional_references_that_cannot_be_foreseen_are_refused,
    canonical_elements_are_not_rewritten,
    relative_references_stay_within_their_service,
    a_reading_entry_that_fails_refuses_the_transaction,
    if_match_with_a_star_or_a_list,
    if_none_match_guards_changes_too,
);

const ONE: &str = "urn:uuid:0b5c1c3e-6a0f-4a53-8c39-0d3c1b3f5a01";

fn observation(subject: &str) -> Value {
    entry(
        "POST",
        "Observation",
        Some(example::observation(subject, "2026-01-02")),
    )
}

async fn transact(server: &Server, entries: &[Value]) -> Reply {
    server
        .call("POST", "")
        .resource(&bundle("transaction", entries))
        .send()
        .await
}

async fn conditional_references_lead_to_what_the_transaction_creates(server: Server) {
    let mut put = example::identified("2");
    put["id"] = "two".into();
    let entries = [
        observation("Patient?identifier=http://example.org/mrn|1"),
        observation(&format!("{}/Patient?identifier=2", server.base)),
        observation("Patient?identifier=3&name=ident"),
        entry("POST", "Patient", Some(example::identified("1"))),
        entry("PUT", "Patient/two", Some(put)),
        entry(
            "PUT",
            "Patient?identifier=3",
            Some(example::identified("3")),
        ),
    ];
    let reply = transact(&server, &entries).await;
    assert_eq!(reply.status, 200, "{}", reply.text);
    for number in ["1", "2", "3"] {
        let found = server
            .count(&format!("/Observation?subject:Patient.identifier={number}"))
            .await;
        assert_eq!(found, 1, "{number}");
    }
    assert_eq!(server.count("/Patient").await, 3);
}

async fn conditional_references_see_what_the_transaction_changes_and_deletes(server: Server) {
    let old = server.create(&example::identified("1")).await;
    let delete = || entry("DELETE", &old.path()[1..], None);
    let reply = transact(&server, &[observation("Patient?identifier=1"), delete()]).await;
    assert_eq!(reply.status, 412, "{}", reply.text);
    // The new one alone has it then.
    let renew = [
        observation("Patient?identifier=1"),
        delete(),
        entry("POST", "Patient", Some(example::identified("1"))),
    ];
    let reply = transact(&server, &renew).await;
    assert_eq!(reply.status, 200, "{}", reply.text);
    assert_eq!(server.count("/Observation?patient.identifier=1").await, 1);
    let twice = [
        observation("Patient?identifier=1"),
        entry("POST", "Patient", Some(example::identified("1"))),
    ];
    let reply = transact(&server, &twice).await;
    assert_eq!(reply.status, 412, "{}", reply.text);
    assert!(
        reply.diagnostics().contains("more than one"),
        "{}",
        reply.text
    );
    let id = server
        .get("/Patient?identifier=1")
        .expect(200)
        .await
        .entries()
        .remove(0);
    let mut changed = example::identified("9");
    changed["id"] = id.split_once('/').unwrap().1.into();
    let moved = [
        observation("Patient?identifier=1"),
        entry("PUT", &id, Some(changed)),
    ];
    assert_eq!(transact(&server, &moved).await.status, 412);
    assert_eq!(server.count("/Observation").await, 1);
}

async fn conditional_references_that_cannot_be_foreseen_are_refused(server: Server) {
    let entries = [
        observation("Patient?identifier=1&organization.name=x"),
        entry("POST", "Patient", Some(example::identified("1"))),
    ];
    let reply = transact(&server, &entries).await;
    assert_eq!(reply.status, 400, "{}", reply.text);
    assert!(reply.diagnostics().contains("fullUrl"), "{}", reply.text);
    assert_eq!(server.count("/Patient").await, 0);
}

async fn canonical_elements_are_not_rewritten(server: Server) {
    let response = json!({"resourceType": "QuestionnaireResponse", "status": "completed",
        "questionnaire": ONE, "subject": {"reference": ONE},
        "extension": [{"url": "http://x.example/c", "valueCanonical": ONE}, {"url": "http://x.example/u", "valueUri": ONE}]});
    let entries = [
        posted(ONE, example::identified("1")),
        entry("POST", "QuestionnaireResponse", Some(response)),
    ];
    assert_eq!(transact(&server, &entries).await.status, 200);
    let found = server
        .get("/QuestionnaireResponse?subject:Patient.identifier=1")
        .expect(200)
        .await;
    let found = found.json()["entry"][0]["resource"].clone();
    assert_eq!(found["questionnaire"], ONE);
    assert_eq!(found["extension"][0]["valueCanonical"], ONE);
    assert_eq!(
        found["extension"][1]["valueUri"],
        found["subject"]["reference"]
    );
}

/// `Patient/1` of one service is not `Patient/1` of another.
async fn relative_references_stay_within_their_service(server: Server) {
    let of = |service: &str, path: &str, content: Value| {
        posted(&format!("http://{service}.example/fhir/{path}"), content)
    };
    let seen = |number: &str| {
        let mut seen = example::observation("Patient/1", "2026-01-02");
        seen["identifier"] = json!([{"value": number}]);
        seen
    };
    let entries = [
        of("a", "Patient/1", example::identified("A")),
        of("b", "Patient/1", example::identified("B")),
        of("a", "Observation/1", seen("A")),
        of("b", "Observation/1", seen("B")),
    ];
    assert_eq!(transact(&server, &entries).await.status, 200);
    for number in ["A", "B"] {
        let search = format!("/Observation?identifier={number}&patient.identifier={number}");
        assert_eq!(server.count(&search).await, 1, "{number}");
    }
    let [a, b, ..] = entries;
    let reply = transact(&server, &[a, b, observation("Patient/1")]).await;
    assert_eq!(reply.status, 400, "{}", reply.text);
    assert!(reply.text.contains("Bundle.entry[2]"), "{}", reply.text);
    assert_eq!(server.count("/Patient").await, 2);
    // An address of this service means its own record, also where another address ends alike.
    let mut own = example::identified("own");
    own["id"] = "1".into();
    server.put(&own).await;
    let absolute = format!("{}/Patient/1", server.base);
    let entries = [
        of("a", "Patient/1", example::identified("C")),
        observation(&absolute),
    ];
    assert_eq!(transact(&server, &entries).await.status, 200);
    assert_eq!(server.count("/Observation?patient.identifier=own").await, 1);
}

/// "Either accept all actions, or reject all."
async fn a_reading_entry_that_fails_refuses_the_transaction(server: Server) {
    let there = server.create(&example::identified("there")).await.path();
    let create = || entry("POST", "Patient", Some(example::identified("1")));
    for (url, status) in [
        ("Patient/nowhere".to_owned(), 404),
        ("Patient/nowhere/_history/1".to_owned(), 404),
        (format!("{}/_history/9", &there[1..]), 404),
        ("Patient?wrong=1".to_owned(), 400),
        ("Wrong/1".to_owned(), 404),
        (format!("{}?wrong=1", &there[1..]), 400),
        ("Patient/nowhere/$everything".to_owned(), 404),
    ] {
        let reply = transact(&server, &[create(), entry("GET", &url, None)]).await;
        assert_eq!(reply.status, status, "{url}: {}", reply.text);
        assert!(
            reply.text.contains("Bundle.entry[1]"),
            "{url}: {}",
            reply.text
        );
        assert_eq!(server.count("/Patient").await, 1, "{url}");
    }
    let gone = entry("DELETE", &there[1..], None);
    let reply = transact(&server, &[gone, entry("GET", &there[1..], None)]).await;
    assert_eq!(reply.status, 410, "{}", reply.text);
    let mut put = example::identified("2");
    put["id"] = "two".into();
    let entries = [
        entry("GET", "Patient/two", None),
        entry("GET", "Patient?identifier=1", None),
        entry("PUT", "Patient/two", Some(put)),
        create(),
    ];
    let reply = transact(&server, &entries).await;
    assert_eq!(reply.status, 200, "{}", reply.text);
    assert_eq!(reply.json()["entry"][0]["resource"]["id"], "two");
    assert_eq!(
        reply.json()["entry"][1]["resource"]["total"],
        1,
        "read after the writes"
    );
}

async fn if_match_with_a_star_or_a_list(server: Server) {
    let path = server.create(&example::identified("1")).await.path();
    let mut content = example::identified("1");
    content["id"] = path.rsplit('/').next().unwrap().into();
    let patch = json!([{"op": "add", "path": "/active", "value": false}]);
    let put = |tag: &str| {
        server
            .call("PUT", &path)
            .header("If-Match", tag)
            .resource(&content)
    };
    for tag in [
        "*",
        " * ",
        "W/\"7\", W/\"3\"",
        "\"9\",\"4\"",
        "W/\"x\", W/\"5\"",
    ] {
        put(tag).expect(200).await;
    }
    for tag in ["W/\"1\", W/\"2\"", "\"x\", \"y\"", "W/\"x\"", ""] {
        put(tag).expect(412).await;
        let call = server.call("PATCH", &path).header("If-Match", tag);
        call.patch(&patch).expect(412).await;
        server
            .call("DELETE", &path)
            .header("If-Match", tag)
            .expect(412)
            .await;
        let call = server
            .call("DELETE", "/Patient?identifier=1")
            .header("If-Match", tag);
        call.expect(412).await;
        let call = server
            .call("PUT", "/Patient?identifier=1")
            .header("If-Match", tag);
        call.resource(&content).expect(412).await;
    }
    let call = server
        .call("PATCH", &path)
        .header("If-Match", "W/\"1\", W/\"6\"");
    call.patch(&patch).expect(200).await;
    // Nothing is there that could match.
    let mut absent = content.clone();
    absent["id"] = "absent".into();
    for method in ["PUT", "DELETE"] {
        let call = server
            .call(method, "/Patient/absent")
            .header("If-Match", "*");
        let call = if method == "PUT" {
            call.resource(&absent)
        } else {
            call
        };
        call.expect(412).await;
    }
    let mut one = entry("PUT", &path[1..], Some(content.clone()));
    for (tag, status) in [
        ("W/\"1\", W/\"2\"", 412),
        ("*", 200),
        ("W/\"1\", W/\"8\"", 200),
    ] {
        one["request"]["ifMatch"] = tag.into();
        let reply = transact(&server, std::slice::from_ref(&one)).await;
        assert_eq!(reply.status, status, "{tag}: {}", reply.text);
    }
    server
        .call("DELETE", &path)
        .header("If-Match", "*")
        .expect(204)
        .await;
    server
        .call("DELETE", &path)
        .header("If-Match", "*")
        .expect(412)
        .await;
}

async fn if_none_match_guards_changes_too(server: Server) {
    let path = server.create(&example::identified("1")).await.path();
    let mut content = example::identified("1");
    content["id"] = path.rsplit('/').next().unwrap().into();
    let patch = json!([{"op": "add", "path": "/active", "value": false}]);
    for tag in ["*", "W/\"1\"", "W/\"4\", W/\"1\""] {
        let with = |method: &str| server.call(method, &path).header("If-None-Match", tag);
        with("PUT").resource(&content).expect(412).await;
        with("PATCH").patch(&patch).expect(412).await;
        with("DELETE").expect(412).await;
    }
    let put = server.call("PUT", &path).header("If-None-Match", "W/\"4\"");
    put.resource(&content).expect(200).await;
}
