//! B1: a modifier that is not understood never widens a condition: what a conditional
//! interaction changes is exactly what the plain search finds.
//! <https://hl7.org/fhir/R4/search.html#modifiers>, <https://hl7.org/fhir/R4/http.html#cond-update>

use serde_json::{Value, json};

use crate::support::{Server, example};

crate::on_both_stores!(
    an_id_that_is_excluded_is_not_deleted,
    conditional_interactions_change_what_the_search_finds,
    chains_and_reverse_chains_exclude_ids_too,
);

/// A patient that takes part in no other test.
fn patient(number: &str, family: &str) -> Value {
    let mut patient = example::identified(number);
    patient["name"] = json!([{"family": family}]);
    patient
}

async fn an_id_that_is_excluded_is_not_deleted(server: Server) {
    let a = server.create(&patient("X", "A")).await.id();
    let criteria = format!("/Patient?identifier=X&_id:not={a}");
    server.call("DELETE", &criteria).expect(204).await;
    server.get(&format!("/Patient/{a}")).expect(200).await;
    let patch = json!([{"op": "replace", "path": "/gender", "value": "other"}]);
    server
        .call("PATCH", &criteria)
        .patch(&patch)
        .expect(404)
        .await;
    // Nobody else has the identifier, so a conditional create makes one.
    let call = server.call("POST", "/Patient");
    let call = call.header("If-None-Exist", &format!("identifier=X&_id:not={a}"));
    let b = call.resource(&patient("X", "B")).expect(201).await.id();
    let put = server.call("PUT", &criteria);
    let changed = put.resource(&patient("X", "C")).expect(200).await;
    assert_eq!(changed.id(), b);
    server.call("DELETE", &criteria).expect(204).await;
    server.get(&format!("/Patient/{b}")).expect(410).await;
    let first = server.get(&format!("/Patient/{a}")).expect(200).await;
    assert_eq!(first.json()["name"][0]["family"], "A");
}

const CODES: [&str; 12] = [
    "_id",
    "_lastUpdated",
    "_tag",
    "_profile",
    "_security",
    "_list",
    "family",
    "identifier",
    "gender",
    "birthdate",
    "organization",
    "phonetic",
];

const MODIFIERS: [&str; 13] = [
    "missing",
    "exact",
    "contains",
    "text",
    "not",
    "in",
    "not-in",
    "above",
    "below",
    "of-type",
    "identifier",
    "Organization",
    "wrong",
];

fn value_of(code: &str, modifier: &str, id: &str) -> String {
    match (code, modifier) {
        (_, "missing") => "false".to_owned(),
        (_, "of-type") => "http://t|T|1".to_owned(),
        ("_id", _) => id.to_owned(),
        ("_lastUpdated", _) => "gt2000".to_owned(),
        ("birthdate", _) => "1974-12-25".to_owned(),
        ("gender", _) => "female".to_owned(),
        ("family" | "phonetic", _) => "Adler".to_owned(),
        ("_profile", _) => "http://p.example/a".to_owned(),
        _ => "1".to_owned(),
    }
}

/// Of two patients, which the search finds: the conditional interactions touch the same.
async fn conditional_interactions_change_what_the_search_finds(server: Server) {
    let mut one = patient("1", "Adler");
    one["gender"] = "female".into();
    one["meta"] = json!({"tag": [{"code": "1"}], "security": [{"code": "1"}],
        "profile": ["http://p.example/a"]});
    one["managingOrganization"] = json!({"reference": "Organization/1",
        "identifier": {"value": "1"}});
    let mut two = patient("2", "Brown");
    two["birthDate"] = "1980-01-01".into();
    let ids = [
        server.create(&one).await.id(),
        server.create(&two).await.id(),
    ];
    let patch = json!([{"op": "add", "path": "/active", "value": false}]);
    let mut accepted = 0;
    for code in CODES {
        for modifier in MODIFIERS {
            let criteria = format!("{code}:{modifier}={}", value_of(code, modifier, &ids[0]));
            let found = server.get(&format!("/Patient?{criteria}")).send().await;
            let path = format!("/Patient?{criteria}");
            let patched = server.call("PATCH", &path).patch(&patch).send().await;
            if found.status == 400 {
                let name = format!("{code}:{modifier}");
                for (method, status) in [("PUT", 400), ("DELETE", 400)] {
                    let call = server.call(method, &path);
                    let call = if method == "PUT" {
                        call.resource(&one)
                    } else {
                        call
                    };
                    let reply = call.expect(status).await;
                    assert!(reply.diagnostics().contains(&name), "{}", reply.text);
                }
                let create = server
                    .call("POST", "/Patient")
                    .header("If-None-Exist", &criteria);
                let reply = create.resource(&one).expect(400).await;
                assert!(reply.diagnostics().contains(&name), "{}", reply.text);
                assert_eq!(patched.status, 400, "{criteria}");
                continue;
            }
            accepted += 1;
            let found: Vec<String> = found.entries();
            match found.as_slice() {
                [] => assert_eq!(patched.status, 404, "{criteria} {}", patched.text),
                [only] => {
                    assert_eq!(patched.status, 200, "{criteria} {}", patched.text);
                    assert_eq!(&format!("Patient/{}", patched.id()), only, "{criteria}");
                }
                _ => assert_eq!(patched.status, 412, "{criteria} {}", patched.text),
            }
            let call = server
                .call("POST", "/Patient")
                .header("If-None-Exist", &criteria);
            if !found.is_empty() {
                let status = if found.len() == 1 { 200 } else { 412 };
                call.resource(&one).expect(status).await;
            }
        }
    }
    assert!(accepted >= 20, "{accepted}");
    assert_eq!(server.count("/Patient").await, 2);
}

async fn chains_and_reverse_chains_exclude_ids_too(server: Server) {
    let a = server.create(&patient("1", "A")).await.id();
    let mut observation = example::observation(&format!("Patient/{a}"), "2026-01-02");
    observation["identifier"] = json!([{"value": "chained"}]);
    let seen = server.create(&observation).await.id();
    for criteria in [
        format!("/Observation?identifier=chained&patient._id:not={a}"),
        format!("/Observation?identifier=chained&subject:Patient._id:not={a}"),
        format!("/Patient?identifier=1&_has:Observation:patient:_id:not={seen}"),
        format!("/Patient?identifier=1&_id:not={a},b&_has:Observation:patient:_id={seen}"),
    ] {
        server.call("DELETE", &criteria).expect(204).await;
        assert_eq!(server.count(&criteria).await, 0, "{criteria}");
    }
    for criteria in [
        "/Observation?patient._lastUpdated:not=2000",
        "/Patient?_has:Observation:patient:_id:exact=x",
        "/Observation?patient._id:missing=true",
    ] {
        server.call("DELETE", criteria).expect(400).await;
    }
    server.get(&format!("/Patient/{a}")).expect(200).await;
    server
        .get(&format!("/Observation/{seen}"))
        .expect(200)
        .await;
    let other = format!("/Patient?identifier=1&_has:Observation:patient:_id:not={seen}x");
    server.call("DELETE", &other).expect(204).await;
    server.get(&format!("/Patient/{a}")).expect(410).await;
}
