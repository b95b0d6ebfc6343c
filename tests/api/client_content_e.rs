//! E: content as clients bring and ask for it: extensions by FHIRPath Patch, and Binary in its
//! own content type.

use serde_json::{Value, json};

use crate::support::Server;

crate::on_both_stores!(
    a_fhirpath_patch_adds_extensions,
    a_binary_is_sent_and_read_in_its_own_type,
);

/// <https://hl7.org/fhir/R4/fhirpatch.html>: a value without a type of Parameters comes as parts.
async fn a_fhirpath_patch_adds_extensions(server: Server) {
    server
        .put(
            &json!({"resourceType": "Patient", "id": "p", "birthDate": "1980-01-01",
            "name": [{"family": "F", "given": ["A", "B"]}]}),
        )
        .await;
    let add = |path: &str, url: &str| {
        json!({"name": "operation", "part": [
            {"name": "type", "valueCode": "add"}, {"name": "path", "valueString": path},
            {"name": "name", "valueString": "extension"},
            {"name": "value", "part": [{"name": "url", "valueUri": url},
                {"name": "value[x]", "valueString": "seen"}]}]})
    };
    let patch = json!({"resourceType": "Parameters", "parameter": [
        add("Patient", "http://example.org/whole"), add("Patient.name[0]", "http://example.org/name"),
        add("Patient.birthDate", "http://example.org/birth"),
        add("Patient.name[0].given[1]", "http://example.org/given")]});
    let call = server.call("PATCH", "/Patient/p").resource(&patch);
    let found = call.expect(200).await.json();
    let seen = |extensions: &Value, url: &str| {
        assert_eq!(
            extensions[0],
            json!({"url": url, "valueString": "seen"}),
            "{found}"
        );
    };
    seen(&found["extension"], "http://example.org/whole");
    seen(&found["name"][0]["extension"], "http://example.org/name");
    seen(
        &found["_birthDate"]["extension"],
        "http://example.org/birth",
    );
    assert_eq!(found["name"][0]["_given"][0], Value::Null);
    seen(
        &found["name"][0]["_given"][1]["extension"],
        "http://example.org/given",
    );
}

/// As Medplum's `createBinary` and HAPI's client send it, and as `download` reads it.
async fn a_binary_is_sent_and_read_in_its_own_type(server: Server) {
    server
        .put(&json!({"resourceType": "Patient", "id": "p"}))
        .await;
    let call = server
        .call("POST", "/Binary")
        .header("X-Security-Context", "Patient/p");
    let made = call
        .text("text/plain; charset=utf-8", "hello, world")
        .expect(201)
        .await;
    let made = made.json();
    assert_eq!(made["contentType"], "text/plain; charset=utf-8");
    assert_eq!(made["data"], "aGVsbG8sIHdvcmxk");
    assert_eq!(made["securityContext"]["reference"], "Patient/p");
    let path = format!("/Binary/{}", made["id"].as_str().unwrap());
    for accept in ["*/*", "text/plain", "application/pdf, */*;q=0.1"] {
        let reply = server.get(&path).header("Accept", accept).expect(200).await;
        assert_eq!(reply.text, "hello, world", "{accept}");
        assert_eq!(reply.header("content-type"), "text/plain; charset=utf-8");
        assert!(reply.header("content-security-policy").contains("sandbox"));
        assert_eq!(reply.header("x-content-type-options"), "nosniff");
        assert!(!reply.header("etag").is_empty());
    }
    for accept in [
        "application/fhir+json",
        "application/json",
        "application/fhir+xml;q=1.0, application/fhir+json;q=1.0",
    ] {
        let reply = server.get(&path).header("Accept", accept).expect(200).await;
        assert_eq!(reply.json()["data"], "aGVsbG8sIHdvcmxk", "{accept}");
    }
    let reply = server
        .get(&format!("{path}?_format=json"))
        .expect(200)
        .await;
    assert_eq!(reply.json()["resourceType"], "Binary");
    let call = server.call("PUT", &path).text("text/csv", "a,b");
    call.expect(200).await;
    assert_eq!(server.get(&path).expect(200).await.text, "a,b");
    assert_eq!(
        server
            .get(&format!("{path}/_history/1"))
            .expect(200)
            .await
            .text,
        "hello, world"
    );
    // The resource itself is still one.
    let resource = json!({"resourceType": "Binary", "contentType": "image/png", "data": "AAEC"});
    let call = server
        .call("POST", "/Binary")
        .text("application/json", &resource.to_string());
    assert_eq!(call.expect(201).await.json()["contentType"], "image/png");
    // Other types have no other form.
    server
        .call("POST", "/Patient")
        .text("text/plain", "x")
        .expect(415)
        .await;
    server
        .get("/Patient/p")
        .header("Accept", "text/plain")
        .expect(406)
        .await;
}
