//! <https://hl7.org/fhir/R4/http.html#read>, `#cread`, `#mime-type`

use serde_json::json;

use crate::support::{Call, Server, example};

crate::on_both_stores!(
    a_read_answers_the_resource_with_its_version_and_time,
    a_read_is_not_repeated_for_who_has_the_version,
    a_read_is_not_repeated_for_who_has_read_since,
    what_is_not_there_is_told_apart_from_what_was_deleted,
    head_answers_like_get_without_the_content,
    other_formats_than_json_are_refused,
    json_is_negotiated_in_all_its_names,
    answers_are_compressed_for_who_asks,
    an_address_has_its_methods_and_parameters_only,
);

async fn a_read_answers_the_resource_with_its_version_and_time(server: Server) {
    let made = server.create(&example::patient("Chalmers")).await;
    let reply = server
        .get(&format!("/Patient/{}", made.id()))
        .expect(200)
        .await;
    assert_eq!(reply.header("ETag"), "W/\"1\"");
    assert!(reply.header("Last-Modified").ends_with(" GMT"));
    let content_type = reply.header("Content-Type").to_ascii_lowercase();
    assert!(
        content_type.starts_with("application/fhir+json"),
        "{content_type}"
    );
    assert_eq!(reply.text, made.text);
    let meta = &reply.json()["meta"];
    assert_eq!(meta["versionId"], "1");
    assert!(meta["lastUpdated"].as_str().unwrap().ends_with('Z'));
    crate::snapshot("read", &reply);
}

async fn a_read_is_not_repeated_for_who_has_the_version(server: Server) {
    let path = server.create(&example::patient("A")).await.path();
    for tag in ["W/\"1\"", "\"1\"", "W/\"7\", W/\"1\"", "*"] {
        let reply = server
            .get(&path)
            .header("If-None-Match", tag)
            .expect(304)
            .await;
        assert_eq!(reply.text, "");
        assert_eq!(reply.header("ETag"), "W/\"1\"");
    }
    for tag in ["W/\"2\"", "\"x\"", "\"\""] {
        let read = server.get(&path).header("If-None-Match", tag);
        assert!(read.expect(200).await.text.starts_with('{'));
    }
}

async fn a_read_is_not_repeated_for_who_has_read_since(server: Server) {
    let made = server.create(&example::patient("A")).await;
    let path = made.path();
    let seen = server.get(&path).expect(200).await;
    let since = seen.header("Last-Modified");
    let read = server.get(&path).header("If-Modified-Since", since);
    assert_eq!(read.expect(304).await.text, "");
    let long_ago = "Sat, 01 Jan 2000 00:00:00 GMT";
    let read = server.get(&path).header("If-Modified-Since", long_ago);
    read.expect(200).await;
    // RFC 9110: the date counts only without If-None-Match, and only if it is one.
    let read = server.get(&path).header("If-Modified-Since", since);
    read.header("If-None-Match", "W/\"9\"").expect(200).await;
    let read = server.get(&path).header("If-Modified-Since", "yesterday");
    read.expect(200).await;
}

async fn what_is_not_there_is_told_apart_from_what_was_deleted(server: Server) {
    let reply = server.get("/Patient/nobody").expect(404).await;
    assert_eq!(reply.code(), "not-found");
    assert!(reply.diagnostics().contains("Patient/nobody"));

    let path = server.create(&example::patient("A")).await.path();
    server.call("DELETE", &path).expect(204).await;
    let reply = server.get(&path).expect(410).await;
    assert_eq!(reply.code(), "deleted");
    assert!(
        reply.diagnostics().contains("/_history"),
        "says what is left"
    );

    let reply = server.get("/Patinet/1").expect(404).await;
    assert!(reply.diagnostics().contains("not a resource type"));
    server.get("/patient/1").expect(404).await;
    // No id can look like this, so nothing is there.
    server.get("/Patient/a_b").expect(404).await;
    let long = "x".repeat(65);
    server.get(&format!("/Patient/{long}")).expect(404).await;
}

async fn head_answers_like_get_without_the_content(server: Server) {
    let path = server.create(&example::patient("A")).await.path();
    for path in [path.as_str(), "/metadata", "/Patient/nobody"] {
        let plain = |method: &str| {
            let call = server.call(method, path);
            call.header("Accept-Encoding", "identity")
        };
        let get = plain("GET").send().await;
        let head = plain("HEAD").expect(get.status).await;
        assert_eq!(head.text, "");
        assert_eq!(head.header("Content-Length"), get.text.len().to_string());
        for name in ["Content-Type", "ETag", "Last-Modified", "Content-Length"] {
            assert_eq!(head.headers.get(name), get.headers.get(name), "{name}");
        }
    }
}

async fn other_formats_than_json_are_refused(server: Server) {
    let path = server.create(&example::patient("A")).await.path();
    for format in ["xml", "application/fhir%2Bxml", "text/turtle", "html", ""] {
        let url = format!("{path}?_format={format}");
        let reply = server.get(&url).expect(406).await;
        assert!(reply.diagnostics().contains("_format"), "names the place");
        assert!(reply.diagnostics().contains("application/fhir+json"));
    }
    for accept in ["application/fhir+xml", "text/html", "application/json;q=0"] {
        let reply = server.get(&path).header("Accept", accept).expect(406).await;
        assert!(reply.diagnostics().contains("Accept"), "names the place");
    }
    let other_version = "application/fhir+json; fhirVersion=3.0";
    let read = server.get(&path).header("Accept", other_version);
    read.expect(406).await;
}

async fn json_is_negotiated_in_all_its_names(server: Server) {
    let path = server.create(&example::patient("A")).await.path();
    for format in ["json", "application/json", "application/fhir%2Bjson"] {
        let url = format!("{path}?_format={format}");
        // _format outweighs Accept.
        let read = server.get(&url).header("Accept", "application/fhir+xml");
        read.expect(200).await;
    }
    for accept in [
        "application/fhir+json",
        "application/json",
        "*/*",
        "application/*",
        "text/html, application/xhtml+xml, */*;q=0.8",
        "application/fhir+xml;q=0.9, application/fhir+json;q=1.0",
        "application/fhir+json; fhirVersion=4.0",
    ] {
        server.get(&path).header("Accept", accept).expect(200).await;
    }
}

async fn answers_are_compressed_for_who_asks(server: Server) {
    let plain = server
        .get("/metadata")
        .header("Accept-Encoding", "identity");
    let plain = plain.expect(200).await;
    assert!(!plain.headers.contains_key("Content-Encoding"));
    let client = reqwest::Client::builder().no_gzip().build().unwrap();
    let call = client.get(format!("{}/metadata", server.base));
    let packed = Call(call.header("Accept-Encoding", "gzip"));
    let packed = packed.expect(200).await;
    assert_eq!(packed.header("Content-Encoding"), "gzip");
    // The client asks for gzip itself and unpacks it.
    assert_eq!(server.get("/metadata").expect(200).await.text, plain.text);
}

async fn an_address_has_its_methods_and_parameters_only(server: Server) {
    let path = server.create(&example::patient("A")).await.path();
    let reply = server.get(&format!("{path}?name=x")).expect(400).await;
    assert!(reply.diagnostics().contains("\"name\""));
    let post = server.call("POST", &path).resource(&json!({}));
    let reply = post.expect(405).await;
    assert!(reply.diagnostics().contains("PUT"), "says what it has");
    // <https://www.rfc-editor.org/rfc/rfc9110#name-405-method-not-allowed>
    assert_eq!(reply.header("Allow"), "GET, HEAD, PUT, PATCH, DELETE");
    let options = server.call("OPTIONS", &path).expect(405).await;
    assert!(!options.header("Allow").is_empty());
    let metadata = server.call("DELETE", "/metadata").expect(405).await;
    assert_eq!(metadata.header("Allow"), "GET, HEAD");
    server
        .get(&format!("{path}/nothing/here"))
        .expect(404)
        .await;
    server.get(&format!("{path}/$nothing")).expect(404).await;
}
