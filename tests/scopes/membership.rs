//! Whose a record is: by what each version says, and by references to this
//! service alone.

use serde_json::json;
use unloop::access::Caller;
use unloop::fhir::request::Verb;

use crate::on_both_stores;
use crate::support::{BASE, Bench, granted, holder, observation, patient};

on_both_stores!(
    a_past_version_is_judged_by_what_it_said,
    the_audit_trail_is_for_systems,
    a_reference_from_elsewhere_is_no_membership,
);

/// Versions of when the resource was another patient's stay hidden, and all of
/// them once it is another patient's.
async fn a_past_version_is_judged_by_what_it_said(bench: Bench) {
    bench
        .put_all(&[
            patient("a"),
            patient("b"),
            observation("came", "b"),
            observation("left", "a"),
        ])
        .await;
    bench
        .put_all(&[observation("came", "a"), observation("left", "b")])
        .await;
    bench
        .put_all(&[observation("came", "a"), observation("left", "b")])
        .await;
    let caller = bench.patient("a", "patient/*.cruds");
    for (url, status) in [
        ("Observation/came", 200),
        ("Observation/came/_history/1", 404),
        ("Observation/came/_history/2", 200),
        ("Observation/came/_history/3", 200),
        ("Observation/left", 404),
        ("Observation/left/_history", 404),
        ("Observation/left/_history/1", 404),
        ("Observation/left/_history/3", 404),
    ] {
        assert_eq!(bench.get(&caller, url).await.status(), status, "{url}");
    }
    for url in [
        "Observation/came/_history",
        "Observation/_history",
        "_history",
        "Observation/_history?_since=2000",
        "_history?_at=2026",
    ] {
        let reply = bench.get(&caller, url).await;
        let came = reply
            .names()
            .iter()
            .filter(|name| *name == "Observation/came")
            .count();
        assert_eq!(came, 2, "{url}: {}", reply.text());
        assert!(!reply.text().contains("Observation/left"), "{url}");
    }
    walk(&bench, &caller).await;
}

/// What a page leaves out is not told by its link either.
async fn walk(bench: &Bench, caller: &Caller) {
    use base64::Engine as _;
    let mut next = Some("Observation/_history?_count=1".to_owned());
    let mut found = Vec::new();
    while let Some(url) = next {
        let reply = bench.get(caller, &url).await;
        found.extend(reply.names());
        next = reply.link("next");
        let cursor = next.as_deref().and_then(|url| url.split("_cursor=").nth(1));
        let bytes = cursor.map(|cursor| {
            base64::engine::general_purpose::URL_SAFE_NO_PAD
                .decode(cursor)
                .unwrap()
        });
        let text = String::from_utf8_lossy(bytes.as_deref().unwrap_or_default()).into_owned();
        assert!(!text.contains("left"), "{text}");
    }
    assert_eq!(found, ["Observation/came", "Observation/came"]);
}

async fn the_audit_trail_is_for_systems(bench: Bench) {
    bench.put(patient("a")).await;
    let event = json!({
        "resourceType": "AuditEvent", "id": "e", "type": {"code": "rest"}, "recorded": "2026-01-01T00:00:00Z",
        "agent": [{"requestor": true, "who": {"reference": "Patient/a"}}], "source": {"observer": {"display": "x"}},
        "entity": [{"what": {"reference": "Patient/a"}}],
    });
    let mut grant = granted(
        "patient/*.* patient/AuditEvent.rs user/AuditEvent.cruds",
        &["a"],
        &[],
    );
    grant.scope = "patient/*.* system/*.* user/AuditEvent.*".to_owned();
    let user = holder(
        "user/*.* user/AuditEvent.*",
        Some("a"),
        Some("Practitioner/p"),
    );
    for caller in [
        bench.patient("a", "patient/*.* patient/AuditEvent.*"),
        bench.caller(&grant),
        bench.caller(&user),
    ] {
        for url in [
            "AuditEvent",
            "AuditEvent/e",
            "AuditEvent/e/_history",
            "AuditEvent/_history",
            "Patient/a/AuditEvent",
        ] {
            assert_eq!(bench.get(&caller, url).await.status(), 403, "{url}");
        }
        for (verb, url) in [
            (Verb::Post, "AuditEvent"),
            (Verb::Put, "AuditEvent/e"),
            (Verb::Delete, "AuditEvent/e"),
        ] {
            let status = bench
                .write(&caller, verb, url, event.clone())
                .await
                .status();
            assert!(matches!(status, 403 | 405 | 422), "{url}");
        }
    }
}

/// Only references to this service count.
async fn a_reference_from_elsewhere_is_no_membership(bench: Bench) {
    bench.put(patient("a")).await;
    let caller = bench.patient("a", "patient/*.cruds");
    for (reference, own) in [
        ("Patient/a".to_owned(), true),
        (format!("{BASE}/Patient/a"), true),
        ("Patient/a/_history/1".to_owned(), true),
        (
            "http://elsewhere.example.org/fhir/Patient/a".to_owned(),
            false,
        ),
        (format!("{BASE}x/Patient/a"), false),
        ("http://records.example.org/Patient/a".to_owned(), false),
        (
            "urn:uuid:0190a3c5-0000-7000-8000-000000000000".to_owned(),
            false,
        ),
        ("Patient/A".to_owned(), false),
        ("Group/a".to_owned(), false),
    ] {
        let mut content = observation("o", "a");
        content["subject"] =
            json!({"reference": reference, "identifier": {"value": "a"}, "display": "a"});
        let made = bench
            .write(&caller, Verb::Post, "Observation", content.clone())
            .await;
        assert_eq!(
            made.status() == 201,
            own,
            "create {reference}: {}",
            made.text()
        );
        bench.put(content).await;
        let read = bench.get(&caller, "Observation/o").await;
        assert_eq!(read.status() == 200, own, "read {reference}");
        let found = bench.get(&caller, "Observation?_id=o").await;
        assert_eq!(found.names().len() == 1, own, "search {reference}");
    }
}
