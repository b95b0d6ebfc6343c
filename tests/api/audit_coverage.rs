//! Nothing is answered without a record: every address of the service, whoever
//! asks, and the requests that are about access itself.

use reqwest::Method;
use serde_json::{Value, json};

use crate::audit::recorded;
use crate::refusals::addresses;
use crate::support::{Backend, Server};

crate::on_both_stores!(
    every_address_leaves_a_record,
    whoever_gets_tokens_is_recorded,
    whoever_administrates_is_recorded,
    no_token_is_in_the_trail,
    without_the_trail_nobody_gets_a_token,
);

/// What everybody may know.
fn is_public(path: &str) -> bool {
    let known = ["/cds-services", "/fhir/metadata", "/openapi.json"];
    known.contains(&path) || path.contains("/.well-known/") || path.starts_with("/health/")
}

async fn every_address_leaves_a_record(server: Server) {
    let mut seen = 0;
    let stranger = reqwest::Client::new();
    let mut asked = addresses();
    assert!(asked.iter().any(|address| is_public(&address.path)));
    asked.retain(|address| !is_public(&address.path));
    for unknown in [
        "/fhir/Nothing/1",
        "/fhir/a/b/c/d/e",
        "/auth/other",
        "/admin/other/1",
    ] {
        for method in ["GET", "POST", "DELETE", "PROPFIND"] {
            asked.push(crate::refusals::Address {
                method: method.to_owned(),
                path: unknown.to_owned(),
                open: false,
            });
        }
    }
    for address in asked {
        let method = Method::from_bytes(address.method.as_bytes()).unwrap();
        for (who, client) in [("nobody", &stranger), ("a system", &server.client)] {
            let call = client.request(method.clone(), server.beside(&address.path));
            let status = call.send().await.unwrap().status().as_u16();
            let rows = recorded(&server, &mut seen).await;
            let about = format!("{who}: {} {} -> {status}", address.method, address.path);
            assert!(!rows.is_empty(), "{about} left no record");
            let told = rows
                .iter()
                .any(|row| row["status"] == status || status < 300);
            assert!(told, "{about}: {rows:?}");
        }
    }
}

/// The one record since the last look, and its AuditEvent.
async fn one(server: &Server, seen: &mut usize) -> (Value, Value) {
    let rows = recorded(server, seen).await;
    assert_eq!(rows.len(), 1, "{rows:?}");
    let call = server.get("/AuditEvent?_sort=-date&_count=1");
    let found = call.expect(200).await.json();
    *seen += 1;
    (rows[0].clone(), found["entry"][0]["resource"].clone())
}

fn codes(event: &Value) -> [&str; 3] {
    let text = |value: &'_ Value| -> &'static str { value.as_str().unwrap().to_owned().leak() };
    let dicom = "http://dicom.nema.org/resources/ontology/DCM";
    assert_eq!(event["type"]["system"], dicom);
    assert_eq!(event["subtype"][0]["system"], dicom);
    [
        text(&event["type"]["code"]),
        text(&event["subtype"][0]["code"]),
        text(&event["outcome"]),
    ]
}

async fn whoever_gets_tokens_is_recorded(server: Server) {
    let backend = Backend::register(&server, "system/*.rs").await;
    let mut seen = 0;
    recorded(&server, &mut seen).await;
    let token = backend.token(&server, "system/*.rs").await;
    let (row, event) = one(&server, &mut seen).await;
    assert_eq!(row["do"], "token-issue");
    assert_eq!(row["who"]["client"], json!(backend.id));
    assert_eq!(codes(&event), ["110114", "110122", "0"]);
    let about = &event["entity"][0];
    assert_eq!(about["what"]["identifier"]["value"], row["id"]);
    assert!(row["id"].is_string());

    let bad = format!("{}x", backend.assertion(&server));
    server.token_request(&bad, "system/*.rs").expect(401).await;
    let (row, event) = one(&server, &mut seen).await;
    assert_eq!(row["who"].get("client"), None, "nothing was proven");
    assert_eq!(row["sent"], "POST /auth/token invalid_client");
    assert_eq!(codes(&event), ["110114", "110122", "4"]);
    assert_eq!(event["outcomeDesc"], "HTTP status 401");

    let assertion = backend.assertion(&server);
    let form = [("token", token.as_str())];
    let call = server.form("/auth/introspect", &form, Some(&assertion));
    call.expect(200).await;
    let (row, event) = one(&server, &mut seen).await;
    assert_eq!(row["who"]["client"], json!(backend.id));
    assert_eq!(codes(&event), ["110113", "110132", "0"]);
    server
        .form("/auth/introspect", &form, None)
        .expect(401)
        .await;
    let (row, event) = one(&server, &mut seen).await;
    assert_eq!(row["who"].get("client"), None);
    assert_eq!(codes(&event), ["110113", "110132", "4"]);

    let assertion = backend.assertion(&server);
    let call = server.form("/auth/revoke", &form, Some(&assertion));
    call.expect(200).await;
    let (row, event) = one(&server, &mut seen).await;
    assert_eq!(row["who"]["client"], json!(backend.id));
    assert!(row["id"].is_string());
    assert_eq!(codes(&event), ["110114", "110123", "0"]);
    server.form("/auth/revoke", &form, None).expect(401).await;
    let (_, event) = one(&server, &mut seen).await;
    assert_eq!(codes(&event), ["110114", "110123", "4"]);
}

async fn whoever_administrates_is_recorded(server: Server) {
    let mut seen = 0;
    let limited = server.issue("system/*.rs").await;
    let changes = ["110113", "110137"];
    let looks = ["110113", "110132"];
    for (method, path, codes_of) in [
        ("GET", "/admin/clients", looks),
        ("POST", "/admin/clients", changes),
        ("DELETE", "/admin/clients/ehr", changes),
        ("GET", "/admin/grants", looks),
        ("POST", "/admin/grants", changes),
        ("DELETE", "/admin/grants/g", changes),
    ] {
        let method = Method::from_bytes(method.as_bytes()).unwrap();
        let url = server.beside(path);
        let call = reqwest::Client::new().request(method.clone(), &url);
        let refused = call.bearer_auth(&limited).send().await.unwrap();
        assert_eq!(refused.status(), 403);
        let (row, event) = one(&server, &mut seen).await;
        assert_eq!(row["who"]["subject"], "tester", "the token was good");
        let [kind, subtype, outcome] = codes(&event);
        assert_eq!(([kind, subtype], outcome), (codes_of, "4"), "{path}");

        let status = server.client.request(method, &url).send().await.unwrap();
        let (row, event) = one(&server, &mut seen).await;
        assert_eq!(row["status"], status.status().as_u16());
        assert_eq!(row["who"]["subject"], "tester");
        let [kind, subtype, _] = codes(&event);
        assert_eq!([kind, subtype], codes_of, "{path}");
    }
    let _backend = Backend::register(&server, "system/*.rs").await;
    let (row, event) = one(&server, &mut seen).await;
    assert_eq!(
        (&row["do"], &row["status"]),
        (&json!("client-add"), &json!(201))
    );
    assert_eq!(event["entity"][0]["what"]["identifier"]["value"], row["id"]);
}

async fn no_token_is_in_the_trail(server: Server) {
    let backend = Backend::register(&server, "system/*.rs").await;
    let token = backend.token(&server, "system/*.rs").await;
    let assertion = backend.assertion(&server);
    let form = [("token", token.as_str())];
    server
        .form("/auth/revoke", &form, Some(&assertion))
        .send()
        .await;
    let stranger = reqwest::Client::new();
    for address in [
        format!("/fhir/Patient?access_token={token}"),
        format!("/fhir/{token}"),
        format!("/auth/token?client_assertion={assertion}"),
        format!("/admin/clients?access_token={token}"),
        format!("/admin/clients/{token}"),
    ] {
        for client in [&stranger, &server.client] {
            let call = client.get(server.beside(&address));
            call.header("X-Request-Id", &token[..100])
                .send()
                .await
                .unwrap();
        }
    }
    server
        .call("POST", "/Patient/_search")
        .text(
            "application/x-www-form-urlencoded",
            &format!("access_token={token}"),
        )
        .send()
        .await;
    let get = json!({"request": {"method": "GET", "url": format!("Patient?access_token={token}")}});
    server.bundle("batch", &[get]).await;
    let rows = recorded(&server, &mut 0).await;
    assert!(rows.len() >= 15, "{rows:#?}");
    for secret in [&token, &assertion] {
        let parts: Vec<&str> = secret.split('.').collect();
        for row in &rows {
            let row = row.to_string();
            assert!(!row.contains(parts[2]), "{row}");
        }
    }
}

async fn without_the_trail_nobody_gets_a_token(server: Server) {
    let backend = Backend::register(&server, "system/*.rs").await;
    server
        .execute("ALTER TABLE audit RENAME TO elsewhere")
        .await;
    let assertion = backend.assertion(&server);
    let refused = server
        .token_request(&assertion, "system/*.rs")
        .expect(503)
        .await;
    assert!(!refused.text.contains("access_token"), "{}", refused.text);
    let call = server.client.get(server.beside("/admin/clients"));
    let refused = call.send().await.unwrap();
    assert_eq!(refused.status(), 503);
    assert!(!refused.text().await.unwrap().contains(&backend.id));
}
