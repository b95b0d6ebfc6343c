//! Every type of R4: the official examples as records of two patients. A
//! patient's token meets the own ones and never the other's; a type that was
//! forgotten somewhere shows.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};
use unloop::fhir::definitions::r4;
use unloop::fhir::resource::Resource;
use unloop::fhir::search::key::compartment_key;

use crate::on_both_stores;
use crate::support::{Bench, name_of, package, patient};

on_both_stores!(a_patient_meets_the_own_record_of_every_type);

/// A few of each type are enough.
const MOST: usize = 2;

async fn a_patient_meets_the_own_record_of_every_type(bench: Bench) {
    let Some(examples) = examples(&bench) else {
        return;
    };
    let mut all = vec![patient("a"), patient("b")];
    for (_, example) in &examples {
        all.push(given_to(example, "a"));
        all.push(given_to(example, "b"));
    }
    bench.put_all(&all).await;
    bench.put_all(&all).await;
    let types: BTreeSet<&str> = all
        .iter()
        .map(|r| r["resourceType"].as_str().unwrap())
        .collect();
    let all_types = r4().resource_types.iter().map(String::as_str);
    let without: Vec<&str> = all_types.filter(|name| !types.contains(name)).collect();
    assert_eq!(
        without,
        ["AuditEvent", "Subscription"],
        "nobody writes these"
    );
    for scope in ["patient/*.cruds", "patient/*.read"] {
        let (a, b) = (bench.patient("a", scope), bench.patient("b", scope));
        let mut counts = BTreeMap::new();
        for content in &all {
            let name = name_of(content);
            let expected = belongs(&bench, content);
            for (who, caller) in [("a", &a), ("b", &b)] {
                let own = expected == "everybody" || expected == who || expected == "both";
                let found = bench.get(caller, &name).await.status();
                assert_eq!(found == 200, own, "{who} reads {name} of {expected}");
                for url in [
                    format!("{name}/_history/1"),
                    format!("{name}/_history/2"),
                    format!("{name}/_history"),
                ] {
                    let status = bench.get(caller, &url).await.status();
                    assert_eq!(status, found, "{who}: {url}");
                }
            }
            *counts.entry(expected).or_insert(0) += 1;
        }
        assert!(counts["a"] > 90 && counts["b"] == counts["a"], "{counts:?}");
    }
    lists(&bench, &all, &types).await;
    let members = &r4().compartment("Patient").unwrap().members;
    let owned = all.iter().filter(|content| belongs(&bench, content) == "a");
    let owned: BTreeSet<&str> = owned.map(|r| r["resourceType"].as_str().unwrap()).collect();
    let mut missing: Vec<_> = members.keys().collect();
    missing.retain(|name| *name != "AuditEvent" && !owned.contains(name.as_str()));
    // A Group names its other members, so no member reads it (C4).
    assert_eq!(
        missing,
        ["Group"],
        "types of the compartment with no record of a patient"
    );
}

/// What is listed, by type and in all.
async fn lists(bench: &Bench, all: &[Value], types: &BTreeSet<&str>) {
    for who in ["a", "b"] {
        let caller = bench.patient(who, "patient/*.rs");
        let mut whole = BTreeSet::new();
        for name in types {
            let of_type = all
                .iter()
                .filter(|content| content["resourceType"] == *name);
            let seen = of_type
                .filter(|content| ["everybody", "both", who].contains(&belongs(bench, content)));
            let expected: BTreeSet<String> = seen.map(name_of).collect();
            for url in [
                format!("{name}?_count=1000"),
                format!("{name}/_history?_count=1000"),
            ] {
                let reply = bench.get(&caller, &url).await;
                let found: BTreeSet<String> = reply.names().into_iter().collect();
                assert_eq!(found, expected, "{who}: {url}");
            }
            let count = bench.get(&caller, &format!("{name}?_summary=count")).await;
            assert_eq!(
                count.json()["total"].as_u64().unwrap_or(0),
                expected.len() as u64,
                "{who}: {name}"
            );
            whole.extend(expected);
        }
        for url in [
            "?_count=1000",
            "_history?_count=1000",
            "Patient/a/$everything",
            "Patient/b/$everything",
            "?_type=Patient&_revinclude=*&_count=1000",
            "Patient?_revinclude=*&_include=*&_revinclude:iterate=*",
        ] {
            let reply = bench.get(&caller, url).await;
            let found: BTreeSet<String> = reply.names().into_iter().collect();
            let beyond: Vec<_> = found.difference(&whole).collect();
            assert_eq!(beyond, [""; 0], "{who}: {url}");
        }
    }
}

/// Whose it is by the definitions: `a`, `b`, `both`, `everybody` or `nobody`.
/// What its type is to patients is written down here a second time.
fn belongs(bench: &Bench, content: &Value) -> &'static str {
    let name = content["resourceType"].as_str().unwrap();
    let members = &r4().compartment("Patient").unwrap().members;
    if ["AuditEvent", "Group"].contains(&name) {
        return "nobody";
    }
    if name == "Patient" || members.contains_key(name) {
        let keys = bench
            .engine
            .catalogue
            .compartments(name, content.as_object().unwrap());
        let of = |id| keys.contains(&compartment_key("Patient", id));
        return match (of("a"), of("b")) {
            (true, true) => "both",
            (true, false) => "a",
            (false, true) => "b",
            (false, false) => "nobody",
        };
    }
    // Outside the compartment: whatever has an element that may point at a
    // patient, or that holds anything at all, is for nobody.
    match points_at_a_patient(name) || HOLDS_ANYTHING.contains(&name) {
        true => "nobody",
        false => "everybody",
    }
}

/// About anything or anybody, without naming patients among the targets.
const HOLDS_ANYTHING: [&str; 14] = [
    "Binary",
    "Bundle",
    "Contract",
    "DeviceMetric",
    "EnrollmentResponse",
    "Linkage",
    "MessageHeader",
    "OperationOutcome",
    "Parameters",
    "PaymentNotice",
    "PaymentReconciliation",
    "Subscription",
    "Task",
    "VerificationResult",
];

/// By an element that names patients among its targets.
fn points_at_a_patient(name: &str) -> bool {
    let definition = r4().type_definition(name).unwrap();
    definition.elements.iter().any(|element| {
        let inner = |of_type: &String| {
            of_type.starts_with(&format!("{name}.")) && points_at_a_patient(of_type)
        };
        element.targets.iter().any(|target| target == "Patient") || element.types.iter().any(inner)
    })
}

/// The valid official examples, by type.
fn examples(bench: &Bench) -> Option<Vec<(String, Value)>> {
    let skipped = [
        "ig-r4",
        "StructureDefinition-",
        "ValueSet-",
        "CodeSystem-",
        "SearchParameter-",
        "ConceptMap-",
        "OperationDefinition-",
    ];
    let wanted = |name: &str| !name.contains("extensions");
    let mut count: BTreeMap<String, usize> = BTreeMap::new();
    let mut found = Vec::new();
    for (name, content) in package(wanted)? {
        let Some(of_type) = content["resourceType"].as_str().map(str::to_owned) else {
            continue;
        };
        let definitions = skipped.iter().any(|skipped| name.contains(skipped));
        let taken = count.entry(of_type.clone()).or_default();
        if *taken >= if definitions { 1 } else { MOST }
            || content["id"].is_null()
            // Those that nobody writes: the trail, and what is not supported yet.
            || matches!(of_type.as_str(), "AuditEvent" | "Subscription")
        {
            continue;
        }
        let resource = Resource::from_object(given_to(&content, "a").as_object().unwrap().clone());
        if resource.is_ok_and(|resource| bench.engine.check(&resource).is_ok()) {
            *taken += 1;
            found.push((of_type, content));
        }
    }
    let more = made_up().into_iter().map(|content| {
        (
            content["resourceType"].as_str().unwrap().to_owned(),
            content,
        )
    });
    found.extend(more);
    Some(found)
}

/// For the types whose official examples are not valid, not a patient's, or none.
fn made_up() -> Vec<Value> {
    let code = json!({"text": "x"});
    let who = json!({"reference": "Patient/x"});
    let mut all = vec![
        json!({"resourceType": "Basic", "code": code, "subject": who}),
        json!({"resourceType": "DetectedIssue", "status": "final", "patient": who}),
        json!({"resourceType": "Observation", "status": "final", "code": code, "subject": who}),
        json!({"resourceType": "Provenance", "target": [who], "recorded": "2026-01-01T00:00:00Z", "agent": [{"who": who}]}),
        json!({"resourceType": "Schedule", "actor": [who]}),
        json!({"resourceType": "SupplyDelivery", "patient": who}),
        json!({"resourceType": "SupplyRequest", "itemCodeableConcept": code, "quantity": {"value": 1}, "requester": who, "deliverTo": who}),
        json!({"resourceType": "DeviceMetric", "type": code, "category": "setting"}),
        json!({"resourceType": "DeviceUseStatement", "status": "active", "subject": {"reference": "Patient/x"}, "device": {"reference": "Device/x"}}),
        json!({"resourceType": "EventDefinition", "status": "active", "trigger": [{"type": "named-event", "name": "x"}]}),
        json!({"resourceType": "Parameters"}),
        json!({"resourceType": "SubstanceNucleicAcid", "numberOfSubunits": 1}),
        json!({"resourceType": "SubstancePolymer", "class": code}),
        json!({"resourceType": "SubstanceProtein", "numberOfSubunits": 1}),
        json!({"resourceType": "SubstanceReferenceInformation", "comment": "x"}),
        json!({"resourceType": "SubstanceSourceMaterial", "sourceMaterialClass": code}),
    ];
    for content in &mut all {
        content["id"] = json!("made-up");
    }
    all
}

/// The example with an own id, and every patient in it replaced.
fn given_to(example: &Value, patient: &str) -> Value {
    let mut content = example.clone();
    rewrite(&mut content, patient);
    let id = content["id"].as_str().unwrap();
    let short: String = id
        .chars()
        .rev()
        .take(50)
        .collect::<Vec<_>>()
        .into_iter()
        .rev()
        .collect();
    content["id"] = json!(format!("{patient}-{short}"));
    if let Some(meta) = content.get_mut("meta").and_then(Value::as_object_mut) {
        meta.remove("security");
    }
    content
}

fn rewrite(value: &mut Value, patient: &str) {
    match value {
        Value::Object(members) => {
            for (name, inner) in members.iter_mut() {
                let of_patient = inner.as_str().is_some_and(|text| text.contains("Patient/"));
                if name == "reference" && of_patient {
                    *inner = json!(format!("Patient/{patient}"));
                } else {
                    rewrite(inner, patient);
                }
            }
        }
        Value::Array(items) => items.iter_mut().for_each(|item| rewrite(item, patient)),
        _ => {}
    }
}
