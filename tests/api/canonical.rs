//! The project's definitions and rules are to be had over FHIR, and are nobody's
//! to change.

use serde_json::Value;
use unloop::access::{Caller, Internal};
use unloop::clinical::Clinical;
use unloop::clinical::canonical::resources;
use unloop::clinical::knowledge::Knowledge;

use crate::candidacy::{SNOMED, active, with_everything};
use crate::medication::{coded, statement};
use crate::support::Server;
use crate::vitals::{measured, pressure};

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

/// Every code of the project in a resource is one of a published CodeSystem.
pub async fn every_own_code_is_published(server: &Server) {
    let published = own();
    let mut found = std::collections::BTreeSet::new();
    for name in server.engine.exposed_types() {
        if matches!(name, "CodeSystem" | "Questionnaire" | "AuditEvent") {
            continue;
        }
        let bundle = server.get(&format!("/{name}?_count=1000"));
        let bundle = bundle.expect(200).await.json();
        codes(&bundle["entry"], &mut found);
    }
    assert!(!found.is_empty());
    for (system, code) in found {
        let definition = published.iter().find(|one| one["url"] == system.as_str());
        let definition = definition.unwrap_or_else(|| panic!("{system} is not published"));
        let concepts = definition["concept"].as_array().unwrap();
        let known = concepts.iter().any(|one| one["code"] == code.as_str());
        assert!(known, "{system} has no {code}");
    }
}

fn codes(of: &Value, found: &mut std::collections::BTreeSet<(String, String)>) {
    match of {
        Value::Array(items) => items.iter().for_each(|item| codes(item, found)),
        Value::Object(members) => {
            let text = |name: &str| members.get(name).and_then(Value::as_str);
            if let (Some(system), Some(code)) = (text("system"), text("code"))
                && system.starts_with("https://unloop.dev/")
            {
                found.insert((system.to_owned(), code.to_owned()));
            }
            members.values().for_each(|member| codes(member, found));
        }
        _ => {}
    }
}

/// What the service adds to records by itself, of every kind that there is.
async fn codes_in_records_are_published(server: Server) {
    with_everything(&server).await;
    server.put(&active("x", SNOMED, "13746004")).await;
    let persist = "/Patient/p/$ketamine-candidacy?at=2026-11-21&persist=true";
    server.get(persist).expect(200).await;
    server.put(&statement("m", coded("10734"))).await;
    server.put(&pressure("high", "190", "100")).await;
    server
        .put(&measured("odd", &["8867-4"], "900", "/min"))
        .await;
    every_own_code_is_published(&server).await;
    for (kind, system) in [
        ("Observation", "vital-limit"),
        ("Observation", "data-quality"),
        ("Observation", "score-band"),
        ("Flag", "programme"),
        ("RiskAssessment", "candidacy"),
        ("DetectedIssue", "medication-compatibility"),
    ] {
        let bundle = server.get(&format!("/{kind}?_count=1000"));
        let mut found = std::collections::BTreeSet::new();
        codes(&bundle.expect(200).await.json(), &mut found);
        let system = format!("https://unloop.dev/fhir/CodeSystem/{system}");
        let there = found.iter().any(|one| one.0 == system);
        assert!(there, "no {system} in {found:?}");
    }
}

crate::on_both_stores!(
    definitions_are_found_by_their_url,
    publishing_again_changes_nothing,
    nobody_else_writes_them,
    codes_in_records_are_published,
);
