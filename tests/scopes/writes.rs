//! Writes stay inside what the token opens, before and after.

use serde_json::{Value, json};
use unloop::access::{Caller, Internal};
use unloop::fhir::request::Verb;

use crate::on_both_stores;
use crate::support::{BASE, Bench, granted, holder, observation, patient};

on_both_stores!(
    nothing_moves_to_another_patient,
    nobody_is_drawn_in,
    labels_stay,
    restrictions_hold_before_and_after,
    ids_are_not_for_restricted_callers,
);

pub async fn two(bench: &Bench) {
    bench
        .put_all(&[
            patient("a"),
            patient("b"),
            observation("ours", "a"),
            observation("theirs", "b"),
        ])
        .await;
}

pub async fn now(bench: &Bench, name: &str) -> Value {
    bench
        .get(&Caller::internal(Internal::Demo), name)
        .await
        .json()
}

pub fn replace(path: &str, value: Value) -> Value {
    json!([{"op": "replace", "path": path, "value": value}])
}

async fn nothing_moves_to_another_patient(bench: Bench) {
    two(&bench).await;
    let caller = bench.patient("a", "patient/*.cruds");
    let before = now(&bench, "Observation/ours").await;
    let moved = observation("ours", "b");
    let mut absolute = moved.clone();
    absolute["subject"] = json!({"reference": format!("{BASE}/Patient/b")});
    let mut nobodys = moved.clone();
    nobodys.as_object_mut().unwrap().remove("subject");
    for (verb, url, content) in [
        (Verb::Put, "Observation/ours", moved.clone()),
        (Verb::Put, "Observation/ours", absolute),
        (Verb::Put, "Observation/ours", nobodys),
        (Verb::Put, "Observation?_id=ours", moved.clone()),
        (
            Verb::Patch,
            "Observation/ours",
            replace("/subject/reference", json!("Patient/b")),
        ),
        (
            Verb::Patch,
            "Observation/ours",
            json!([{"op": "remove", "path": "/subject"}]),
        ),
        (
            Verb::Patch,
            "Observation?_id=ours",
            replace("/subject/reference", json!("Patient/b")),
        ),
        (Verb::Post, "Observation", moved),
    ] {
        let reply = bench.write(&caller, verb, url, content).await;
        assert_eq!(reply.status(), 403, "{verb:?} {url}: {}", reply.text());
    }
    for (verb, content) in [
        (Verb::Put, observation("theirs", "a")),
        (Verb::Put, observation("theirs", "b")),
        (Verb::Delete, Value::Null),
        (
            Verb::Patch,
            replace("/subject/reference", json!("Patient/a")),
        ),
    ] {
        let status = bench
            .write(&caller, verb, "Observation/theirs", content)
            .await
            .status();
        assert!(matches!(status, 403 | 404), "{verb:?} {status}");
    }
    assert_eq!(now(&bench, "Observation/ours").await, before);
    assert_eq!(
        now(&bench, "Observation/theirs").await["meta"]["versionId"],
        "1"
    );
    assert_eq!(now(&bench, "Observation?_summary=count").await["total"], 2);
}

/// A record is of every patient it names as such: naming an own one beside
/// another does not open the other's record.
async fn nobody_is_drawn_in(bench: Bench) {
    two(&bench).await;
    let mut shared = observation("shared", "b");
    shared["performer"] = json!([{"reference": "Patient/a"}]);
    bench.put(shared.clone()).await;
    let caller = bench.patient("a", "patient/*.cruds");
    let mut planted = observation("x", "b");
    planted["performer"] = json!([{"reference": "Patient/a"}]);
    let mut moved = planted.clone();
    moved["id"] = json!("ours");
    let both = replace("", moved.clone());
    let appointment = json!({"resourceType": "Appointment", "status": "proposed", "participant": [
        {"actor": {"reference": "Patient/a"}, "status": "accepted"}, {"actor": {"reference": "Patient/b"}, "status": "accepted"}]});
    let linked = json!({"resourceType": "Patient", "link": [{"other": {"reference": "Patient/a"}, "type": "seealso"}]});
    let mut drawn = patient("a");
    drawn["link"] = json!([{"other": {"reference": "Patient/b"}, "type": "replaces"}]);
    for (verb, url, content) in [
        (Verb::Post, "Observation", planted),
        (Verb::Put, "Observation/ours", moved),
        (Verb::Patch, "Observation/ours", both),
        (Verb::Post, "Appointment", appointment),
        (Verb::Post, "Patient", linked),
        (Verb::Post, "Patient", json!({"resourceType": "Patient"})),
        (Verb::Put, "Patient/a", drawn),
    ] {
        let reply = bench.write(&caller, verb, url, content.clone()).await;
        assert_eq!(reply.status(), 403, "{verb:?} {url}: {}", reply.text());
        let entry = json!({"request": {"method": verb.code(), "url": url}, "resource": content});
        if verb != Verb::Patch {
            let bundle = json!({"resourceType": "Bundle", "type": "transaction", "entry": [entry]});
            let reply = bench.write(&caller, Verb::Post, "", bundle).await;
            assert_eq!(reply.status(), 403, "{verb:?} {url}: {}", reply.text());
        }
    }
    shared["note"] = json!([{"text": "What was both patients' stays so."}]);
    let reply = bench
        .write(&caller, Verb::Put, "Observation/shared", shared)
        .await;
    assert_eq!(reply.status(), 200, "{}", reply.text());
    // A grant for both may write for both.
    let mut family = granted("patient/*.cruds", &["a", "b"], &[]);
    family.scope = "patient/*.cruds".to_owned();
    let mut together = observation("x", "b");
    together["performer"] = json!([{"reference": "Patient/a"}]);
    let reply = bench
        .write(&bench.caller(&family), Verb::Post, "Observation", together)
        .await;
    assert_eq!(reply.status(), 201, "{}", reply.text());
}

async fn labels_stay(bench: Bench) {
    two(&bench).await;
    let security = json!([{"system": "http://x", "code": "ETH"}, {"code": "N"}]);
    let mut labelled = observation("labelled", "a");
    labelled["meta"] = json!({"security": security});
    bench.put(labelled.clone()).await;
    let caller = bench.patient("a", "patient/*.cruds");
    let with = |security: Value| {
        let mut changed = labelled.clone();
        changed["meta"]["security"] = security;
        changed
    };
    let mut without = labelled.clone();
    without.as_object_mut().unwrap().remove("meta");
    for content in [
        without,
        with(json!([{"code": "N"}])),
        with(json!([{"code": "ETH"}, {"code": "N"}])),
        with(json!([{"system": "http://y", "code": "ETH"}, {"code": "N"}])),
    ] {
        let reply = bench
            .write(&caller, Verb::Put, "Observation/labelled", content.clone())
            .await;
        assert_eq!(reply.status(), 403, "{content}");
        let reply = bench
            .write(
                &caller,
                Verb::Patch,
                "Observation/labelled",
                replace("", content),
            )
            .await;
        assert_eq!(reply.status(), 403);
    }
    for operations in [
        json!([{"op": "remove", "path": "/meta"}]),
        json!([{"op": "remove", "path": "/meta/security/0"}]),
        replace("/meta/security/0/code", json!("N")),
    ] {
        let reply = bench
            .write(&caller, Verb::Patch, "Observation/labelled", operations)
            .await;
        assert_eq!(reply.status(), 403);
    }
    for content in [
        labelled.clone(),
        with(json!([{"code": "R"}, {"code": "N"}, {"system": "http://x", "code": "ETH"}])),
    ] {
        let reply = bench
            .write(&caller, Verb::Put, "Observation/labelled", content)
            .await;
        assert_eq!(reply.status(), 200, "{}", reply.text());
    }
    // Behind a grant that does not name the label it is not there at all.
    let mut grant = granted("patient/*.cruds", &["a"], &[]);
    grant.scope = "patient/*.cruds".to_owned();
    let outside = bench.caller(&grant);
    for (verb, content) in [
        (Verb::Get, Value::Null),
        (Verb::Delete, Value::Null),
        (Verb::Put, observation("labelled", "a")),
        (Verb::Patch, json!([{"op": "remove", "path": "/meta"}])),
    ] {
        let reply = bench
            .write(&outside, verb, "Observation/labelled", content)
            .await;
        assert_eq!(reply.status(), 404, "{verb:?}: {}", reply.text());
    }
}

async fn restrictions_hold_before_and_after(bench: Bench) {
    two(&bench).await;
    let mut laboratory = observation("lab", "a");
    laboratory["category"][0]["coding"][0]["code"] = json!("laboratory");
    bench.put(laboratory.clone()).await;
    let caller = bench.patient("a", "patient/Observation.cruds?category=survey");
    let survey = |id: &str| observation(id, "a");
    let mut ours = laboratory.clone();
    ours["id"] = json!("ours");
    for (verb, url, content, status) in [
        (Verb::Put, "Observation/ours", ours, 403),
        (
            Verb::Patch,
            "Observation/ours",
            json!([{"op": "remove", "path": "/category"}]),
            403,
        ),
        (Verb::Post, "Observation", laboratory.clone(), 403),
        (Verb::Put, "Observation/lab", survey("lab"), 404),
        (Verb::Put, "Observation/lab", laboratory, 403),
        (
            Verb::Patch,
            "Observation/lab",
            replace("/category/0/coding/0/code", json!("survey")),
            404,
        ),
        (Verb::Delete, "Observation/lab", Value::Null, 404),
        (Verb::Put, "Observation/ours", survey("ours"), 200),
        (Verb::Post, "Observation", survey("x"), 201),
    ] {
        let reply = bench.write(&caller, verb, url, content).await;
        assert_eq!(reply.status(), status, "{verb:?} {url}: {}", reply.text());
    }
}

async fn ids_are_not_for_restricted_callers(bench: Bench) {
    two(&bench).await;
    let restricted = [
        bench.patient("a", "patient/*.cruds"),
        bench.caller(&holder("user/*.cruds", None, Some("Patient/a"))),
        bench.caller(&holder(
            "user/Observation.cruds?category=survey",
            None,
            Some("Practitioner/p"),
        )),
        bench.caller(&holder("system/Observation.rus", None, None)),
        bench.caller(&holder("system/Observation.u", None, None)),
        bench.caller(&holder(
            "system/Observation.u system/Observation.c?category=survey",
            None,
            None,
        )),
    ];
    for (number, caller) in restricted.iter().enumerate() {
        let id = format!("new{number}");
        for url in [format!("Observation/{id}"), format!("Observation?_id={id}")] {
            let reply = bench
                .write(caller, Verb::Put, &url, observation(&id, "a"))
                .await;
            assert!(
                matches!(reply.status(), 403 | 404),
                "{number} {url}: {}",
                reply.text()
            );
            let entry = json!({"request": {"method": "PUT", "url": url}, "resource": observation(&id, "a")});
            let bundle = json!({"resourceType": "Bundle", "type": "transaction", "entry": [entry]});
            let reply = bench.write(caller, Verb::Post, "", bundle).await;
            assert!(
                matches!(reply.status(), 403 | 404),
                "{number} {url}: {}",
                reply.text()
            );
        }
        let local = Caller::internal(Internal::Demo);
        assert_eq!(
            bench
                .get(&local, &format!("Observation/{id}"))
                .await
                .status(),
            404
        );
    }
    let system = bench.caller(&holder("system/Observation.cu", None, None));
    let reply = bench
        .write(
            &system,
            Verb::Put,
            "Observation/chosen",
            observation("chosen", "a"),
        )
        .await;
    assert_eq!(reply.status(), 201);
    // An id that the client sends with POST is not used.
    let reply = bench
        .write(
            &restricted[0],
            Verb::Post,
            "Observation",
            observation("theirs", "a"),
        )
        .await;
    assert_eq!(reply.status(), 201);
    assert_ne!(reply.json()["id"], "theirs");
}
