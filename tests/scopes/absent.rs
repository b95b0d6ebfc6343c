//! What is hidden and what was never there are answered alike: status,
//! headers and text, but for the id asked for.

use serde_json::{Value, json};
use unloop::access::Caller;
use unloop::fhir::request::{Preconditions, Request, Return, Verb};

use crate::on_both_stores;
use crate::support::{Bench, Reply, asking, granted, observation, patient};

on_both_stores!(hidden_and_absent_are_answered_alike);

fn get(url: String) -> Request {
    asking(Verb::Get, &url, Value::Null)
}

fn with(mut request: Request, change: impl FnOnce(&mut Preconditions)) -> Request {
    change(&mut request.preconditions);
    request
}

fn if_match(request: Request, tag: &str) -> Request {
    with(request, |conditions| {
        conditions.if_match = Some(tag.to_owned())
    })
}

fn if_none_match(request: Request, tag: &str) -> Request {
    with(request, |conditions| {
        conditions.if_none_match = Some(tag.to_owned())
    })
}

/// Questions for an observation by its id.
fn reads(id: &str) -> Vec<Request> {
    let url = format!("Observation/{id}");
    let mut all = vec![
        if_none_match(get(url.clone()), "W/\"1\""),
        if_none_match(get(url.clone()), "*"),
        with(get(url.clone()), |conditions| {
            conditions.if_modified_since = Some(i64::MAX)
        }),
    ];
    for more in [
        "",
        "/_history",
        "/_history?_count=0",
        "/_history?_since=2000",
        "/_history/1",
        "/_history/2",
        "/_history/99",
        "?_elements=id",
        "?_summary=true",
    ] {
        all.push(get(format!("{url}{more}")));
    }
    for search in [
        "Observation?_id=",
        "Observation?_summary=count&_id=",
        "Observation?_total=accurate&_include=*&_revinclude=*&_id=",
        "Observation?_sort=-date,code&_id=",
        "Observation?identifier=",
        "?_type=Observation&_id=",
        "Observation?has-member=Observation/",
        "Observation?has-member:Observation._id=",
        "Observation?has-member:Observation.code:not=x&_id=",
        "Patient?_has:Observation:patient:_id=",
        "Patient?_has:Observation:patient:identifier=",
        "Patient/b/Observation?_id=",
    ] {
        all.push(get(format!("{search}{id}")));
    }
    all
}

fn writes(id: &str, own: &Value) -> Vec<Request> {
    let url = format!("Observation/{id}");
    let condition = format!("Observation?_id={id}");
    let put = || asking(Verb::Put, &url, own.clone());
    let test = json!([{"op": "test", "path": "/status", "value": "final"}]);
    let patch = || asking(Verb::Patch, &url, test.clone());
    let delete = |url: &str| asking(Verb::Delete, url, Value::Null);
    let mut invalid = own.clone();
    invalid["status"] = json!("nonsense");
    let create = asking(Verb::Post, "Observation", invalid);
    let mut all = vec![
        put(),
        if_match(put(), "W/\"1\""),
        if_match(put(), "W/\"99\""),
        if_none_match(put(), "*"),
        patch(),
        if_match(patch(), "W/\"1\""),
        delete(&url),
        if_match(delete(&url), "W/\"1\""),
        if_match(delete(&url), "W/\"99\""),
        asking(
            Verb::Patch,
            &condition,
            json!([{"op": "remove", "path": "/status"}]),
        ),
        delete(&condition),
        delete(&format!("Observation?identifier={id}")),
        asking(Verb::Put, &condition, own.clone()),
        with(create, |conditions| {
            conditions.if_none_exist = Some(format!("_id={id}"))
        }),
    ];
    for prefer in [Return::Minimal, Return::OperationOutcome] {
        let mut request = put();
        request.prefer = prefer;
        all.push(request);
    }
    all
}

fn bundles(id: &str, own: &Value) -> Vec<Request> {
    let url = format!("Observation/{id}");
    let entry = |method: &str, url: &str| json!({"request": {"method": method, "url": url}});
    let mut put = entry("PUT", &url);
    put["resource"] = own.clone();
    let mut referring = entry("POST", "Observation");
    referring["resource"] = json!({
        "resourceType": "Observation", "status": "final", "code": {"text": "x"},
        "subject": {"reference": "Patient/a"},
        "hasMember": [{"reference": format!("Observation?_id={id}")}],
    });
    let condition = format!("Observation?_id={id}");
    let entries = [
        entry("GET", &url),
        entry("DELETE", &url),
        entry("DELETE", &condition),
        put,
    ];
    let bundle = |kind: &str, entry: &Value| {
        let bundle = json!({"resourceType": "Bundle", "type": kind, "entry": [entry]});
        asking(Verb::Post, "", bundle)
    };
    let mut all: Vec<Request> = entries
        .iter()
        .flat_map(|entry| [bundle("batch", entry), bundle("transaction", entry)])
        .collect();
    all.push(bundle("transaction", &referring));
    all
}

fn requests(id: &str, content: &Value) -> Vec<Request> {
    let mut own = content.clone();
    own["id"] = json!(id);
    [reads(id), writes(id, &own), bundles(id, &own)].concat()
}

/// The answer as a client has it.
async fn seen(bench: &Bench, caller: &Caller, request: Request, id: &str) -> String {
    let reply = Reply(bench.send(caller, request).await);
    reply.without(&[id])
}

async fn hidden_and_absent_are_answered_alike(bench: Bench) {
    let mut labelled = observation("labelled", "a");
    labelled["meta"] = json!({"security": [{"system": "http://terminology.hl7.org/CodeSystem/v3-ActCode", "code": "PSY"}]});
    let mut unlike = observation("unlike", "a");
    unlike["category"][0]["coding"][0]["code"] = json!("laboratory");
    let moved = observation("moved", "a");
    bench
        .put_all(&[
            patient("a"),
            patient("b"),
            observation("theirs", "b"),
            labelled,
            unlike,
            moved,
        ])
        .await;
    bench
        .put_all(&[observation("theirs", "b"), observation("moved", "b")])
        .await;
    bench.put(observation("gone", "a")).await;
    let local = Caller::internal(unloop::access::Internal::Demo);
    bench
        .write(&local, Verb::Delete, "Observation/gone", Value::Null)
        .await;

    let scope = "patient/Observation.cruds?category=survey patient/Patient.rs";
    let mut grant = granted(scope, &["a"], &["ETH"]);
    grant.scope = "user/*.cruds".to_owned();
    for (caller, hidden) in [
        (
            bench.patient("a", scope),
            vec!["theirs", "unlike", "moved", "gone"],
        ),
        (
            bench.caller(&grant),
            vec!["theirs", "unlike", "moved", "gone", "labelled"],
        ),
    ] {
        for id in hidden {
            for content in [observation("x", "a"), observation("x", "b")] {
                let (asked, none) = (requests(id, &content), requests("absent", &content));
                for (one, other) in asked.into_iter().zip(none) {
                    let what = format!("{:?} {:?} {:?} of {id}", one.verb, one.path, one.query);
                    let there = seen(&bench, &caller, one, id).await;
                    let absent = seen(&bench, &caller, other, "absent").await;
                    let unchanged = ["theirs", "unlike", "moved", "labelled"];
                    assert_eq!(there, absent, "{what}");
                    if unchanged.contains(&id) {
                        let now = bench.get(&local, &format!("Observation/{id}")).await;
                        assert_eq!(now.status(), 200, "{what}");
                    }
                }
            }
        }
    }
}
