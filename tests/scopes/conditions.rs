//! Which letters a write needs, what its conditions see, and what its answer
//! shows.

use serde_json::{Value, json};
use unloop::access::{Caller, Internal};
use unloop::fhir::request::{Return, Verb};

use crate::on_both_stores;
use crate::support::{Bench, Reply, asking, observation, patient};
use crate::writes::{now, replace, two};

on_both_stores!(
    letters_are_kept_apart,
    conditions_see_what_the_caller_sees,
    a_transaction_is_done_whole_or_not_at_all,
    what_may_not_be_read_is_not_shown,
);

/// 403 where no scope has the letter for the type, whatever is there.
async fn letters_are_kept_apart(bench: Bench) {
    two(&bench).await;
    let content = || observation("ours", "a");
    let requests = |id: &str| {
        let url = format!("Observation/{id}");
        let condition = format!("Observation?_id={id}");
        let mut conditional = asking(Verb::Post, "Observation", content());
        conditional.preconditions.if_none_exist = Some(format!("_id={id}"));
        let mut named = content();
        named["id"] = json!(id);
        vec![
            ("r", asking(Verb::Get, &url, Value::Null)),
            (
                "r",
                asking(Verb::Get, &format!("{url}/_history"), Value::Null),
            ),
            (
                "r",
                asking(Verb::Get, &format!("{url}/_history/1"), Value::Null),
            ),
            ("s", asking(Verb::Get, "Observation", Value::Null)),
            ("s", asking(Verb::Get, "Observation/_history", Value::Null)),
            ("s", asking(Verb::Get, "Patient/a/Observation", Value::Null)),
            ("c", asking(Verb::Post, "Observation", content())),
            ("cs", conditional),
            ("u", asking(Verb::Put, &url, named.clone())),
            ("us", asking(Verb::Put, &condition, named)),
            (
                "ru",
                asking(Verb::Patch, &url, replace("/status", json!("final"))),
            ),
            (
                "rus",
                asking(Verb::Patch, &condition, replace("/status", json!("final"))),
            ),
            ("ds", asking(Verb::Delete, &condition, Value::Null)),
            ("d", asking(Verb::Delete, &url, Value::Null)),
        ]
    };
    for letters in [
        "c", "r", "u", "d", "s", "cr", "cs", "rs", "us", "ru", "ds", "cud", "crud", "rus", "cruds",
    ] {
        for context in ["patient", "system"] {
            let scope = format!("{context}/Observation.{letters} {context}/Patient.cruds");
            let caller = bench.patient("a", &scope);
            for id in ["ours", "theirs", "absent"] {
                for (needed, request) in requests(id) {
                    let what = format!(
                        "{scope}: {:?} {:?} {:?}",
                        request.verb, request.path, request.query
                    );
                    let reply = Reply(bench.send(&caller, request).await);
                    let covered = needed.chars().all(|letter| letters.contains(letter));
                    if !covered {
                        assert_eq!(reply.status(), 403, "{what}: {}", reply.text());
                    }
                    if covered && id == "ours" && !needed.contains('d') {
                        assert!(reply.status() < 300, "{what}: {}", reply.text());
                    }
                }
            }
            two(&bench).await;
        }
    }
}

async fn conditions_see_what_the_caller_sees(bench: Bench) {
    two(&bench).await;
    let caller = bench.patient("a", "patient/*.cruds");
    let local = Caller::internal(Internal::Demo);
    // The identifier is taken, by what the caller does not see: as if it were free.
    let mut request = asking(Verb::Post, "Observation", observation("x", "a"));
    request.preconditions.if_none_exist = Some("identifier=theirs".to_owned());
    assert_eq!(Reply(bench.send(&caller, request).await).status(), 201);
    let mut own = observation("x", "a");
    own.as_object_mut().unwrap().remove("id");
    let reply = bench
        .write(&caller, Verb::Put, "Observation?identifier=theirs", own)
        .await;
    assert_eq!(reply.status(), 201);
    for verb in [Verb::Delete, Verb::Patch] {
        let content = if verb == Verb::Patch {
            replace("/status", json!("amended"))
        } else {
            Value::Null
        };
        let reply = bench
            .write(
                &caller,
                verb,
                "Observation?identifier=http://example.org/obs|theirs",
                content,
            )
            .await;
        assert!(
            matches!(reply.status(), 204 | 404),
            "{verb:?} {}",
            reply.text()
        );
    }
    for criteria in [
        "subject=Patient/b",
        "subject:Patient.family=Familyb",
        "_has:Observation:focus:_id=theirs",
        "_id=theirs",
    ] {
        let reply = bench
            .write(
                &caller,
                Verb::Delete,
                &format!("Observation?{criteria}"),
                Value::Null,
            )
            .await;
        assert_eq!(reply.status(), 204, "{criteria}: {}", reply.text());
    }
    assert_eq!(
        bench.get(&local, "Observation/theirs").await.json()["meta"]["versionId"],
        "1"
    );
    // Two match, of which the caller sees one.
    let mut twin = observation("twin", "b");
    twin["identifier"] = observation("ours", "a")["identifier"].clone();
    bench.put(twin).await;
    let reply = bench
        .write(
            &caller,
            Verb::Put,
            "Observation?identifier=ours",
            observation("ours", "a"),
        )
        .await;
    assert_eq!(reply.status(), 200, "{}", reply.text());
    // Of a conditional reference nothing is told.
    for criteria in ["Patient?identifier=b", "Patient?identifier=nobody"] {
        let mut content = observation("x", "a");
        content["focus"] = json!([{"reference": criteria}]);
        let entry =
            json!({"request": {"method": "POST", "url": "Observation"}, "resource": content});
        let bundle = json!({"resourceType": "Bundle", "type": "transaction", "entry": [entry]});
        let reply = bench.write(&caller, Verb::Post, "", bundle).await;
        assert_eq!(reply.status(), 412, "{}", reply.text());
    }
}

async fn a_transaction_is_done_whole_or_not_at_all(bench: Bench) {
    two(&bench).await;
    let caller = bench.patient("a", "patient/*.cruds");
    let entry = |method: &str, url: &str, resource: Value| {
        let mut entry = json!({"request": {"method": method, "url": url}});
        if !resource.is_null() {
            entry["resource"] = resource;
        }
        entry
    };
    let fine = || entry("POST", "Observation", observation("x", "a"));
    let kept = || entry("PUT", "Observation/ours", observation("ours", "a"));
    let task = json!({"resourceType": "Task", "status": "requested", "intent": "order", "for": {"reference": "Patient/a"}});
    let place = json!({"resourceType": "Location", "name": "Here"});
    for outside in [
        entry("POST", "Observation", observation("x", "b")),
        entry("PUT", "Observation/theirs", observation("theirs", "b")),
        entry("PUT", "Observation/theirs", observation("theirs", "a")),
        entry("DELETE", "Observation/theirs", Value::Null),
        entry("POST", "Task", task),
        entry("POST", "Location", place),
        entry("PUT", "Patient/b", patient("b")),
        entry("DELETE", "Patient/b", Value::Null),
    ] {
        for entries in [
            [fine(), kept(), outside.clone()],
            [outside.clone(), fine(), kept()],
        ] {
            let bundle = json!({"resourceType": "Bundle", "type": "transaction", "entry": entries});
            let reply = bench.write(&caller, Verb::Post, "", bundle).await;
            assert!(
                matches!(reply.status(), 403 | 404),
                "{outside}: {}",
                reply.text()
            );
            assert!(!reply.text().contains("Familyb") && !reply.text().contains("\"resource\""));
        }
    }
    assert_eq!(now(&bench, "Observation?_summary=count").await["total"], 2);
    assert_eq!(
        now(&bench, "Observation/ours").await["meta"]["versionId"],
        "1"
    );
    // In a batch the others are done.
    let bundle = json!({"resourceType": "Bundle", "type": "batch", "entry": [fine(), entry("DELETE", "Patient/b", Value::Null), kept()]});
    let reply = bench.write(&caller, Verb::Post, "", bundle).await;
    let json = reply.json();
    let statuses: Vec<&str> = json["entry"]
        .as_array()
        .unwrap()
        .iter()
        .map(|e| e["response"]["status"].as_str().unwrap())
        .collect();
    assert_eq!(statuses, ["201 Created", "404 Not Found", "200 OK"]);
    // A reference by fullUrl is judged by what it becomes.
    let full = |content: Value, url: &str, full_url: &str| json!({"fullUrl": full_url, "request": {"method": "PUT", "url": url}, "resource": content});
    let mut disguised = observation("ours", "b");
    disguised["subject"] = json!({"reference": "urn:uuid:0190a3c5-0000-7000-8000-000000000001"});
    let bundle = json!({"resourceType": "Bundle", "type": "transaction", "entry": [
        full(disguised, "Observation/ours", "urn:uuid:0190a3c5-0000-7000-8000-000000000002"),
        full(patient("b"), "Patient/b", "urn:uuid:0190a3c5-0000-7000-8000-000000000001")]});
    let reply = bench.write(&caller, Verb::Post, "", bundle).await;
    assert!(matches!(reply.status(), 403 | 404), "{}", reply.text());
}

async fn what_may_not_be_read_is_not_shown(bench: Bench) {
    two(&bench).await;
    let caller = bench.patient(
        "a",
        "patient/Observation.cuds patient/Observation.r?category=laboratory",
    );
    let mut secret = observation("ours", "a");
    secret["valueString"] = json!("secret");
    bench.put(secret).await;
    // Whether a patch applies would tell.
    for value in ["secret", "guess"] {
        let operations = json!([{"op": "test", "path": "/valueString", "value": value}]);
        for url in ["Observation/ours", "Observation?_id=ours"] {
            let reply = bench
                .write(&caller, Verb::Patch, url, operations.clone())
                .await;
            assert_eq!(reply.status(), 403, "{}", reply.text());
            assert!(!reply.text().contains("path"), "{}", reply.text());
        }
    }
    for prefer in [
        Return::Representation,
        Return::OperationOutcome,
        Return::Minimal,
    ] {
        for verb in [Verb::Put, Verb::Post] {
            let url = if verb == Verb::Put {
                "Observation/ours"
            } else {
                "Observation"
            };
            let mut request = asking(verb, url, observation("ours", "a"));
            request.prefer = prefer;
            let reply = Reply(bench.send(&caller, request).await);
            assert!(reply.status() < 300);
            assert!(
                !reply.text().contains("\"Observation\""),
                "{prefer:?} {verb:?}"
            );
        }
    }
}
