//! Contents with something cut out, put in or doubled are refused or taken, and
//! never a failure of the service. The same mutations every time.

use serde_json::json;

use crate::support::odd::{Dice, ODD, check, mutated};
use crate::support::{Server, example};

crate::on_both_stores!(
    mutated_contents_are_refused,
    mutated_bundles_are_refused,
    odd_patches_are_refused,
);

async fn send(server: &Server, method: &str, path: &str, media_type: &str, content: Vec<u8>) {
    let what = format!("{method} {path} {}", String::from_utf8_lossy(&content));
    let call = server.call(method, path).header("Content-Type", media_type);
    let reply = crate::support::Call(call.0.body(content)).send().await;
    check(&what, &reply);
    if reply.status < 300 && method != "PATCH" {
        // What was taken can be read.
        if let Some(location) = reply.headers.get("Location") {
            let read = server.get(location.to_str().unwrap()).send().await;
            assert_eq!(read.status, 200, "{what}: {}", read.text);
            let summary = format!("{}?_summary=true", location.to_str().unwrap());
            assert_eq!(server.get(&summary).send().await.status, 200, "{what}");
        }
    }
}

const JSON: &str = "application/fhir+json";

async fn mutated_contents_are_refused(server: Server) {
    let mut dice = Dice(20_261_121);
    let mut content = example::identified("1");
    content["id"] = "p".into();
    content["extension"] = json!([{"url": "http://example.org/n", "valueDecimal": 1}]);
    content["_birthDate"] = json!({"extension": [{"url": "http://example.org/t", "valueDateTime": "1974-12-25T14:35:45Z"}]});
    for _ in 0..300 {
        let bytes = mutated(&content.to_string(), &mut dice);
        let (method, path) = [("POST", "/Patient"), ("PUT", "/Patient/p")][dice.roll(2)];
        send(&server, method, path, JSON, bytes).await;
    }
    let deep = format!("{}1{}", "[".repeat(100_000), "]".repeat(100_000));
    send(&server, "POST", "/Patient", JSON, deep.into_bytes()).await;
    let wide = format!(
        "{{\"resourceType\":\"Patient\",{}\"id\":\"x\"}}",
        "\"a\":[],".repeat(50_000)
    );
    send(&server, "POST", "/Patient", JSON, wide.into_bytes()).await;
    let number = format!(
        "{{\"resourceType\":\"Basic\",\"extension\":[{{\"url\":\"x\",\"valueDecimal\":{}}}]}}",
        "9".repeat(100_000)
    );
    send(&server, "POST", "/Basic", JSON, number.into_bytes()).await;
}

async fn mutated_bundles_are_refused(server: Server) {
    let mut dice = Dice(42);
    let entries = [
        example::posted(
            "urn:uuid:0b5c1c3e-6a0f-4a53-8c39-0d3c1b3f5a01",
            example::patient("A"),
        ),
        example::entry("GET", "Patient?name=x&_include=Patient:link", None),
        example::entry(
            "PUT",
            "Patient?identifier=1",
            Some(example::identified("1")),
        ),
        example::entry("DELETE", "Patient/x", None),
    ];
    for number in 0..200 {
        let kind = ["batch", "transaction"][number % 2];
        let text = example::bundle(kind, &entries).to_string();
        send(&server, "POST", "", JSON, mutated(&text, &mut dice)).await;
    }
    for odd in ODD {
        let entries = [
            example::entry("GET", odd, None),
            example::entry("GET", &format!("Patient/{odd}"), None),
        ];
        for kind in ["batch", "transaction"] {
            let bundle = example::bundle(kind, &entries);
            let reply = server.call("POST", "").resource(&bundle).send().await;
            check(odd, &reply);
            let failed = reply.text.contains("\"status\":\"50");
            assert!(!failed, "{odd}: {}", reply.text);
        }
        let mut create = example::entry("POST", "Patient", Some(example::patient("A")));
        create["request"]["ifNoneExist"] = odd.into();
        create["request"]["ifMatch"] = odd.into();
        create["fullUrl"] = odd.into();
        let bundle = example::bundle("transaction", &[create]);
        check(odd, &server.call("POST", "").resource(&bundle).send().await);
    }
}

async fn odd_patches_are_refused(server: Server) {
    let mut dice = Dice(99);
    let path = server.create(&example::patient("A")).await.path();
    let patch = json!([
        {"op": "test", "path": "/active", "value": true},
        {"op": "add", "path": "/telecom", "value": [{"value": "1"}]},
        {"op": "move", "from": "/name/0/given/0", "path": "/name/0/given/1"},
        {"op": "remove", "path": "/telecom"},
    ]);
    for _ in 0..150 {
        let bytes = mutated(&patch.to_string(), &mut dice);
        send(
            &server,
            "PATCH",
            &path,
            "application/json-patch+json",
            bytes,
        )
        .await;
    }
    for pointer in [
        "",
        "/",
        "//",
        "/name/-1",
        "/name/99999999999999999999",
        "/~",
        "/~2",
        "/name/-/x",
        "name",
        "/\u{0}",
    ] {
        for op in ["add", "remove", "replace", "move", "copy", "test"] {
            let operation =
                json!([{"op": op, "path": pointer, "from": pointer, "value": {"a": 1}}]);
            let reply = server.call("PATCH", &path).patch(&operation).send().await;
            check(&operation.to_string(), &reply);
        }
    }
    server.get(&path).expect(200).await;
}
