//! What may be sent, and what comes back unchanged.
//! <https://hl7.org/fhir/R4/json.html>, <https://hl7.org/fhir/R4/http.html#mime-type>

use serde_json::{Value, json};

use crate::support::{Server, StoreKind, example};

crate::on_both_stores!(
    content_must_be_fhir_json,
    what_is_not_json_is_refused_with_its_place,
    duplicate_keys_are_refused_with_their_place,
    the_type_must_be_that_of_the_address,
    limits_are_named,
    numbers_keep_their_digits,
    extensions_and_primitive_siblings_survive,
    text_of_every_script_survives,
);

async fn content_must_be_fhir_json(server: Server) {
    let reply = server.call("POST", "/Patient").expect(400).await;
    assert_eq!(reply.code(), "required");
    for media_type in [
        "application/fhir+xml",
        "text/plain",
        "application/x-www-form-urlencoded",
    ] {
        let call = server.call("POST", "/Patient").text(media_type, "{}");
        let reply = call.expect(415).await;
        assert!(
            reply.diagnostics().contains("application/fhir+json"),
            "{media_type}"
        );
    }
    let call = server.call("POST", "/Patient");
    call.text("application/fhir+json; charset=latin1", "{}")
        .expect(415)
        .await;
    let patch = server.call("POST", "/Patient").patch(&json!([]));
    patch.expect(415).await;
    let content = example::patient("A").to_string();
    for media_type in [
        "application/json",
        "application/fhir+json; charset=UTF-8",
        "application/fhir+json; fhirVersion=4.0",
    ] {
        let call = server.call("POST", "/Patient").text(media_type, &content);
        call.expect(201).await;
    }
}

async fn what_is_not_json_is_refused_with_its_place(server: Server) {
    for content in [
        "{",
        "{\"resourceType\":\"Patient\",}",
        "<Patient/>",
        "{} {}",
    ] {
        let call = server.call("POST", "/Patient");
        let reply = call
            .text("application/fhir+json", content)
            .expect(400)
            .await;
        assert_eq!(reply.code(), "structure");
        assert!(reply.diagnostics().contains("line 1"), "{}", reply.text);
    }
    for content in ["[]", "1", "\"Patient\"", "null"] {
        let call = server.call("POST", "/Patient");
        let reply = call
            .text("application/fhir+json", content)
            .expect(400)
            .await;
        assert!(reply.diagnostics().contains("resource"), "{}", reply.text);
    }
}

async fn duplicate_keys_are_refused_with_their_place(server: Server) {
    let content = r#"{"resourceType":"Patient","name":[{"family":"A","family":"B"}]}"#;
    let call = server.call("POST", "/Patient");
    let reply = call
        .text("application/fhir+json", content)
        .expect(400)
        .await;
    assert!(reply.diagnostics().contains("\"family\""));
    assert_eq!(reply.json()["issue"][0]["expression"][0], "name[0]");
    crate::snapshot("duplicate_key", &reply);
}

async fn the_type_must_be_that_of_the_address(server: Server) {
    let call = server.call("POST", "/Observation");
    let reply = call.resource(&example::patient("A")).expect(400).await;
    assert!(reply.diagnostics().contains("Observation"));
    assert_eq!(reply.json()["issue"][0]["expression"][0], "resourceType");
    for content in [
        json!({}),
        json!({"resourceType": 7}),
        json!({"resourceType": null}),
    ] {
        let reply = server.call("POST", "/Patient").resource(&content);
        assert!(
            reply
                .expect(400)
                .await
                .diagnostics()
                .contains("resourceType")
        );
    }
    let call = server.call("POST", "/Patinet").resource(&json!({}));
    call.expect(404).await;
}

async fn limits_are_named(server: Server) {
    let text = "x".repeat(5 << 20);
    let call = server.call("POST", "/Patient");
    let reply = call.resource(&example::patient(&text)).expect(413).await;
    assert!(reply.diagnostics().contains("bytes"));

    let mut deep = json!({"url": "http://example.org/x", "valueString": "x"});
    for _ in 0..100 {
        deep = json!({"url": "http://example.org/x", "extension": [deep]});
    }
    let content = json!({"resourceType": "Patient", "extension": [deep]});
    let call = server.call("POST", "/Patient").resource(&content);
    let reply = call.expect(413).await;
    assert!(reply.diagnostics().contains("64 levels"), "{}", reply.text);

    let url = format!("/Patient?name={}", "x".repeat(9000));
    let reply = server.get(&url).expect(414).await;
    assert!(reply.diagnostics().contains("_search"), "says the remedy");
}

/// The document as JSON text, but for what the service itself writes.
async fn comes_back(server: &Server, content: &str) {
    let call = server.call("POST", "/Basic");
    let made = call
        .text("application/fhir+json", content)
        .expect(201)
        .await;
    let read = server.get(&made.path()).expect(200).await;
    let (_, sent) = content.split_once(r#""resourceType":"Basic","#).unwrap();
    assert!(read.text.ends_with(&format!("}},{sent}")), "{}", read.text);
}

async fn numbers_keep_their_digits(server: Server) {
    for digits in [
        "1.10",
        "0.00",
        "100",
        "-0.0",
        "-7",
        "-0",
        "1e-7",
        "1.0e+2",
        "12345678901234567890.123456789",
    ] {
        let content = format!(
            r#"{{"resourceType":"Basic","code":{{"text":"x"}},"extension":[{{"url":"http://example.org/n","valueDecimal":{digits}}}]}}"#
        );
        let call = server.call("POST", "/Basic");
        let made = call
            .text("application/fhir+json", &content)
            .expect(201)
            .await;
        let read = server.get(&made.path()).expect(200).await;
        let number = format!("\"valueDecimal\":{digits}}}");
        assert!(read.text.contains(&number), "{digits}: {}", read.text);
        let history = server
            .get(&format!("{}/_history", made.path()))
            .expect(200)
            .await;
        assert!(history.text.contains(&number), "{digits}: {}", history.text);
    }
}

async fn extensions_and_primitive_siblings_survive(server: Server) {
    comes_back(&server, concat!(
        r#"{"resourceType":"Basic","extension":[{"url":"http://example.org/unknown","extension":[{"url":"a","valueCode":"b"}]}],"#,
        r#""code":{"text":"x","_text":{"id":"t","extension":[{"url":"http://example.org/e","valueBoolean":false}]}},"#,
        r#""created":"2026-11-21","_created":{"extension":[{"url":"http://example.org/e","valueString":" spaced  "}]}}"#,
    )).await;
}

async fn text_of_every_script_survives(server: Server) {
    comes_back(
        &server,
        r#"{"resourceType":"Basic","code":{"text":"Ä ß 漢字 🧠 \"q\" \\ / é e\u0301 \u200f\n\t"}}"#
            .replace("\\u0301", "\u{301}")
            .replace("\\u200f", "\u{200f}")
            .as_str(),
    )
    .await;
}

/// <https://hl7.org/fhir/R4/http.html#capabilities>: a setting narrows the types.
async fn narrowed(kind: StoreKind) {
    let only = |settings: &mut unloop::fhir::engine::Settings| {
        settings.types = vec!["Patient".to_owned()];
    };
    let Some(server) = Server::start_with(kind, only).await else {
        return;
    };
    server.create(&example::patient("A")).await;
    let reply = server.get("/Observation").expect(404).await;
    assert!(reply.diagnostics().contains("does not keep Observation"));
    let types = server.get("/metadata").expect(200).await.json();
    let types = types["rest"][0]["resource"].as_array().map(Vec::len);
    assert_eq!(types, Some(1));
    let _: Value = server.get("/?_type=Patient").expect(200).await.json();
}

#[tokio::test]
async fn a_type_that_is_not_exposed_is_not_there_on_sqlite() {
    narrowed(StoreKind::Sqlite).await;
}

#[tokio::test]
async fn a_type_that_is_not_exposed_is_not_there_on_postgres() {
    narrowed(StoreKind::Postgres).await;
}
