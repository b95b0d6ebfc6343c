//! Issue 12, C1 and attack 18: what a caller gets is a function of what the caller may
//! see. Every operation and every CDS service is asked in two worlds, one with and one
//! without records that are hidden from the caller; answers are the same to the byte.
//! How long an answer takes is not compared: no test here measures time.

use std::sync::Arc;

use serde_json::{Value, json};
use unloop::access::outbound::Outbound;
use unloop::access::{Caller, Holder};
use unloop::cds::{self, FhirServers};
use unloop::fhir::operation::{Level, Target};
use unloop::fhir::record::ResourceKey;

use crate::operations::{MARK, ask, of_patient, session};
use crate::support::{Bench, Reply, StoreKind, granted, holder, patient};

/// A caller, what it sees in both worlds, and what only the second world has.
struct Case {
    name: &'static str,
    holder: Holder,
    seen: Vec<Value>,
    hidden: Vec<Value>,
}

fn others() -> Vec<Value> {
    session()
        .into_iter()
        .filter(|one| one["resourceType"] != "Appointment")
        .collect()
}

fn appointment() -> Vec<Value> {
    let mut all = session();
    all.retain(|one| one["resourceType"] == "Appointment");
    all
}

/// The same records once more, worse, with a label that hides them.
fn labelled(code: &str) -> Vec<Value> {
    let mut all = of_patient();
    for one in &mut all {
        let id = format!("secret-{}", one["id"].as_str().unwrap());
        one["id"] = id.into();
        one["meta"] = json!({"security": [{
            "system": "http://terminology.hl7.org/CodeSystem/v3-ActCode", "code": code}]});
        if one.get("valueInteger").is_some() {
            one["valueInteger"] = 3.into();
        }
    }
    all
}

fn of_types(wanted: &[&str]) -> (Vec<Value>, Vec<Value>) {
    let all = of_patient().into_iter();
    all.partition(|one| wanted.iter().any(|name| one["resourceType"] == *name))
}

fn cases() -> Vec<Case> {
    let mut own = vec![patient("a")];
    own.extend(others());
    own.extend(of_patient());
    own.extend(appointment());
    // Products are nobody's.
    let (products, records) = of_types(&["Medication"]);
    let mut around = vec![patient("b")];
    around.extend(others());
    around.extend(products);
    let mut foreign = vec![patient("a")];
    foreign.extend(records);
    foreign.extend(appointment());
    let (medicines, rest) = of_types(&["MedicationStatement", "Medication"]);
    let mut narrow = vec![patient("a")];
    narrow.extend(others());
    narrow.extend(appointment());
    narrow.extend(medicines);
    let (surveys, measured): (Vec<Value>, Vec<Value>) = of_patient()
        .into_iter()
        .filter(|one| one["resourceType"] == "Observation")
        .partition(|one| one["id"] == format!("{MARK}-44261-6"));
    let mut by_code = vec![patient("a")];
    by_code.extend(others());
    by_code.extend(appointment());
    by_code.extend(surveys);
    vec![
        Case {
            name: "another patient",
            holder: holder("patient/*.cruds", Some("b"), None),
            seen: around.clone(),
            hidden: foreign.clone(),
        },
        Case {
            name: "a user who is another patient",
            holder: holder("user/*.cruds", None, Some("Patient/b")),
            seen: around.clone(),
            hidden: foreign.clone(),
        },
        Case {
            name: "a therapist of another patient",
            holder: granted("patient/*.cruds user/*.cruds", &["b"], &[]),
            seen: around,
            hidden: foreign,
        },
        Case {
            name: "a therapist, with labels in the record",
            holder: granted("patient/*.cruds", &["a"], &[]),
            seen: own.clone(),
            hidden: labelled("PSY"),
        },
        Case {
            name: "a therapist of one label, with another in the record",
            holder: granted("patient/*.cruds", &["a"], &["PSY"]),
            seen: own,
            hidden: labelled("HIV"),
        },
        Case {
            name: "a token of few types",
            holder: holder(
                "patient/Patient.rs patient/Appointment.rs patient/MedicationStatement.rs patient/Medication.rs",
                Some("a"),
                None,
            ),
            seen: narrow,
            hidden: rest,
        },
        Case {
            name: "a token of one code",
            holder: holder(
                "system/Patient.rs system/Appointment.rs system/Observation.rs?code=44261-6",
                None,
                None,
            ),
            seen: by_code,
            hidden: measured,
        },
    ]
}

/// What the operation is called on, for each of its levels and types: records of the
/// patient, of another one, and what is not there.
fn urls(bench: &Bench) -> Vec<(usize, Level, String)> {
    let mut urls = Vec::new();
    for (place, operation) in bench.engine.operations.iter().enumerate() {
        let definition = operation.definition();
        for level in definition.levels {
            for name in definition.types {
                let types: &[&str] = match *name {
                    "Resource" => &["Patient", "Appointment", "Observation"],
                    _ => std::slice::from_ref(name),
                };
                for name in types {
                    let ids: &[&str] = match *name {
                        "Patient" => &["a", "b", "absent"],
                        "Observation" => &["hidden-44261-6", "secret-hidden-44261-6"],
                        _ => &[MARK, "absent"],
                    };
                    match level {
                        Level::System => {
                            urls.push((place, *level, format!("${}", definition.name)))
                        }
                        Level::Type => {
                            let url = format!("{name}/${}", definition.name);
                            assert!(definition.is_for(&Target::Type((*name).to_owned())));
                            urls.push((place, *level, url));
                        }
                        Level::Instance => urls.extend(ids.iter().map(|id| {
                            let key = ResourceKey::new(*name, *id);
                            assert!(definition.is_for(&Target::Instance(key)));
                            (place, *level, format!("{name}/{id}/${}", definition.name))
                        })),
                    }
                }
            }
        }
    }
    urls
}

/// Every answer of a world to this caller.
async fn answers(bench: Bench, caller: &Caller, case: &Case) -> Vec<(String, String)> {
    let mut all = Vec::new();
    for (place, level, url) in urls(&bench) {
        let definition = bench.engine.operations[place].definition();
        let reply = ask(&bench, caller, (definition, level), &url).await;
        all.push((url, text_of(&reply)));
    }
    for id in ["a", "b", "absent"] {
        let url = format!("Patient/{id}/$everything");
        all.push((url.clone(), text_of(&bench.get(caller, &url).await)));
    }
    let engine = Arc::new(bench.engine);
    let servers = FhirServers::new(Vec::new(), Arc::new(Outbound::new(false).unwrap()));
    for service in cds::discovery()["services"].as_array().unwrap() {
        let id = service["id"].as_str().unwrap();
        for about in ["a", "b", "absent"] {
            let content = call(service, about);
            let answer = cds::answer(&engine, caller, &servers, id, &content).await;
            let text = match answer {
                Ok(cards) => strip(cards).to_string(),
                Err(failure) => format!("{failure:?}"),
            };
            all.push((format!("{}: {id} of {about}", case.name), text));
        }
    }
    all
}

/// The whole answer without times and new ids, also those of the audit trail.
fn text_of(reply: &Reply) -> String {
    let text = reply.without(&[]);
    let is_event = |word: &&str| {
        word.chars()
            .take(32)
            .filter(char::is_ascii_hexdigit)
            .count()
            == 32
    };
    let words: Vec<&str> = text.split(' ').filter(|word| !is_event(word)).collect();
    words.join(" ")
}

/// Cards without the names that each of them gets anew.
fn strip(mut answer: Value) -> Value {
    match &mut answer {
        Value::Object(members) => {
            members.remove("uuid");
            for value in members.values_mut() {
                *value = strip(value.take());
            }
        }
        Value::Array(items) => {
            for value in items {
                *value = strip(value.take());
            }
        }
        _ => {}
    }
    answer
}

fn call(service: &Value, about: &str) -> serde_json::Map<String, Value> {
    let order = |id: &str, code: &str| {
        json!({"resource": {"resourceType": "MedicationRequest", "id": id, "status": "draft",
            "intent": "order", "subject": {"reference": format!("Patient/{about}")},
            "medicationCodeableConcept": {"coding": [{
                "system": "http://www.nlm.nih.gov/research/umls/rxnorm", "code": code}]}}})
    };
    let drafts = json!({"resourceType": "Bundle", "type": "collection",
        "entry": [order("one", "6130"), order("two", "10734")]});
    let appointments = json!({"resourceType": "Bundle", "type": "collection",
        "entry": appointment().iter().map(|one| json!({"resource": one})).collect::<Vec<_>>()});
    let content = json!({
        "hook": service["hook"], "hookInstance": "d1577c69-dfbe-44ad-ba6d-3e05e953b2ea",
        "context": {"userId": "Practitioner/d", "patientId": about, "draftOrders": drafts,
            "selections": ["MedicationRequest/one", "MedicationRequest/two"],
            "appointments": appointments},
    });
    content.as_object().cloned().unwrap()
}

/// What is hidden here matters: a caller who sees all gets other answers.
async fn matters(kind: StoreKind, case: &Case) {
    let (Some(without), Some(with)) = (Bench::open(kind).await, Bench::open(kind).await) else {
        return;
    };
    without.put_all(&case.seen).await;
    with.put_all(&case.seen).await;
    with.put_all(&case.hidden).await;
    let all = without.caller(&holder("system/*.cruds", None, None));
    let without = answers(without, &all, case).await;
    let with = answers(with, &all, case).await;
    let both = without.iter().zip(&with);
    let different = both.filter(|(one, other)| one != other).count();
    assert!(different > 8, "{}: only {different}", case.name);
}

async fn compare(kind: StoreKind) {
    for case in cases() {
        matters(kind, &case).await;
        let Some(without) = Bench::open(kind).await else {
            return;
        };
        let with = Bench::open(kind).await.unwrap();
        without.put_all(&case.seen).await;
        with.put_all(&case.seen).await;
        with.put_all(&case.hidden).await;
        let caller = without.caller(&case.holder);
        let without = answers(without, &caller, &case).await;
        let with = answers(with, &caller, &case).await;
        assert!(without.len() > 40, "{}", without.len());
        let both = without.iter().zip(&with);
        let told: Vec<String> = both
            .filter(|((_, absent), (_, hidden))| absent != hidden)
            .map(|((url, absent), (_, hidden))| format!("{url}\n- {absent}\n+ {hidden}"))
            .collect();
        let told = told.join("\n");
        assert!(
            told.is_empty(),
            "{} learns of what is hidden:\n{told}",
            case.name
        );
    }
}

#[tokio::test]
async fn c1_every_answer_is_the_same_with_and_without_hidden_records_on_sqlite() {
    compare(StoreKind::Sqlite).await;
}

#[tokio::test]
async fn c1_every_answer_is_the_same_with_and_without_hidden_records_on_postgres() {
    compare(StoreKind::Postgres).await;
}
