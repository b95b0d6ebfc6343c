//! The project's definitions and rules are to be had over FHIR, and are nobody's
//! to change.

use serde_json::Value;
use unloop::access::{Caller, Internal};
use unloop::clinical::Clinical;
use unloop::clinical::canonical::resources;
use unloop::clinical::knowledge::Knowledge;

use crate::support::Server;

async fn publish(server: &Server) {
    let clinical = Clinical::new(Knowledge::embedded().unwrap());
    let caller = Caller::internal(Internal::Knowledge);
    let (one, other) = tokio::join!(
        clinical.publish(&server.engine, &caller),
        clinical.publish(&server.engine, &caller)
    );
    one.unwrap();
    other.unwrap();
}

fn own() -> Vec<Value> {
    resources(&Knowledge::embedded().unwrap())
}

fn path(resource: &Value) -> String {
    let part = |name: &str| resource[name].as_str().unwrap();
    format!("/{}/{}", part("resourceType"), part("id"))
}

async fn definitions_are_found_by_their_url(server: Server) {
    publish(&server).await;
    for resource in own() {
        let (kind, url) = (&resource["resourceType"], &resource["url"]);
        let search = format!("/{}?url={}", kind.as_str().unwrap(), url.as_str().unwrap());
        let found = server.get(&search).expect(200).await.entries();
        assert_eq!(found, [path(&resource)[1..].to_owned()], "{search}");
    }
    let library = server.get("/Library/medication-compatibility");
    let library = library.expect(200).await.json();
    let knowledge = Knowledge::embedded().unwrap();
    assert_eq!(library["version"], knowledge.version.as_str());
    let digest = library["identifier"][0]["value"].as_str().unwrap();
    assert_eq!(digest.len(), 64);
    let (_, short) = knowledge.version.split_once('+').unwrap();
    assert!(digest.starts_with(short), "{digest} {short}");
    let search = format!(
        "/Library?url={}&version={}",
        library["url"].as_str().unwrap(),
        knowledge.version.replace('+', "%2B")
    );
    assert_eq!(server.count(&search).await, 1);
    let codes = server.get("/CodeSystem?code=ybocs-total").expect(200).await;
    assert_eq!(codes.entries(), ["CodeSystem/measures"]);
}

async fn publishing_again_changes_nothing(server: Server) {
    publish(&server).await;
    publish(&server).await;
    for resource in own() {
        let stored = server.get(&path(&resource)).expect(200).await.json();
        assert_eq!(stored["meta"]["versionId"], "1", "{}", path(&resource));
    }
}

async fn nobody_else_writes_them(server: Server) {
    publish(&server).await;
    for resource in own() {
        let path = path(&resource);
        let mut changed = resource.clone();
        changed["title"] = "Mine".into();
        let reply = server
            .call("PUT", &path)
            .resource(&changed)
            .expect(422)
            .await;
        assert!(
            reply.diagnostics().contains("of your own"),
            "{}",
            reply.text
        );
        server.call("DELETE", &path).expect(422).await;
        changed["id"] = "mine".into();
        let kind = resource["resourceType"].as_str().unwrap();
        let call = server.call("POST", &format!("/{kind}")).resource(&changed);
        call.expect(422).await;
        changed["url"] = "https://clinic.example/own".into();
        let call = server.call("POST", &format!("/{kind}")).resource(&changed);
        call.expect(201).await;
        // What is the same already is valid, and harmless.
        server.put(&resource).await;
    }
}

/// No wording of a scale: only what the knowledge base calls its items.
#[test]
fn the_questionnaire_has_neutral_labels() {
    let questionnaire = own()
        .into_iter()
        .find(|one| one["resourceType"] == "Questionnaire");
    let questionnaire = questionnaire.unwrap();
    let knowledge = Knowledge::embedded().unwrap();
    let names: Vec<&str> = knowledge
        .scores
        .iter()
        .map(|score| score.fact.name.as_str())
        .collect();
    let mut leaves = 0;
    for group in questionnaire["item"].as_array().unwrap() {
        for item in group["item"].as_array().unwrap() {
            assert!(names.contains(&item["text"].as_str().unwrap()), "{item}");
            assert_eq!(item["type"], "integer");
            leaves += 1;
        }
    }
    assert_eq!(leaves, 10);
    assert!(
        questionnaire["copyright"]
            .as_str()
            .unwrap()
            .contains("trademark")
    );
}

crate::on_both_stores!(
    definitions_are_found_by_their_url,
    publishing_again_changes_nothing,
    nobody_else_writes_them,
);
