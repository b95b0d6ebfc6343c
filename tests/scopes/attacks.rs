//! Ways to another patient's records that were found in servers before.

use serde_json::{Value, json};
use unloop::fhir::request::Verb;

use crate::on_both_stores;
use crate::support::{BASE, Bench, observation, patient};

on_both_stores!(
    questions_about_another_patient_find_nothing,
    links_tell_nothing_of_what_is_hidden,
    a_chain_through_another_type_is_refused,
    order_and_totals_tell_nothing,
    includes_stay_inside,
    bundles_are_judged_entry_by_entry,
);

/// Patient a's and b's records point at each other where they can.
async fn two(bench: &Bench) {
    let mut a = patient("a");
    a["generalPractitioner"] = json!([{"reference": "Practitioner/p"}]);
    let mut b = patient("b");
    b["birthDate"] = json!("1970-01-01");
    let condition = |id: &str, patient: &str| {
        json!({
            "resourceType": "Condition", "id": id, "subject": {"reference": format!("Patient/{patient}")},
            "code": {"coding": [{"system": "http://x", "code": format!("of-{patient}")}]},
        })
    };
    let mut ours = observation("ours", "a");
    ours["focus"] = json!([{"reference": "Patient/b"}, {"reference": "Condition/cb"}]);
    ours["hasMember"] = json!([{"reference": "Observation/theirs"}]);
    ours["valueQuantity"] = json!({"value": 1});
    let mut theirs = observation("theirs", "b");
    theirs["focus"] = json!([{"reference": "Patient/a"}]);
    theirs["hasMember"] = json!([{"reference": "Observation/ours"}]);
    theirs["subject"]["identifier"] = json!({"system": "http://example.org/mrn", "value": "b"});
    let practitioner =
        json!({"resourceType": "Practitioner", "id": "p", "name": [{"family": "Physician"}]});
    bench
        .put_all(&[
            practitioner,
            a,
            b,
            ours,
            theirs,
            condition("ca", "a"),
            condition("cb", "b"),
        ])
        .await;
}

async fn questions_about_another_patient_find_nothing(bench: Bench) {
    two(&bench).await;
    let caller = bench.patient("a", "patient/*.cruds");
    for url in [
        "Patient/b/Observation".to_owned(),
        "Patient/b/*".to_owned(),
        "Patient/b/Condition?code=of-b".to_owned(),
        "Observation?patient=b".to_owned(),
        "Observation?patient=Patient/b".to_owned(),
        "Observation?subject=Patient/b".to_owned(),
        "Observation?subject:Patient=b".to_owned(),
        format!("Observation?subject={BASE}/Patient/b"),
        format!("Observation?patient={BASE}/Patient/b"),
        "Observation?subject=Patient/b/_history/1".to_owned(),
        "Observation?subject:identifier=http://example.org/mrn|b".to_owned(),
        "Observation?patient:identifier=b".to_owned(),
        "Observation?_id=theirs".to_owned(),
        "?_id=theirs,cb,b".to_owned(),
        "?_type=Observation,Condition&_id=theirs,cb".to_owned(),
        "Condition?code=of-b".to_owned(),
        "Condition?code:not=of-a".to_owned(),
        "Patient?birthdate=1970-01-01".to_owned(),
        "Patient?identifier=http://example.org/mrn|b".to_owned(),
        "Patient?family=Familyb".to_owned(),
        "Observation?value-quantity:missing=true".to_owned(),
        "Patient?birthdate:missing=false".to_owned(),
        "Patient?_lastUpdated=ge2000&_id=b".to_owned(),
    ] {
        let reply = bench.get(&caller, &url).await;
        assert_eq!(
            (reply.status(), reply.names()),
            (200, Vec::new()),
            "{url}: {}",
            reply.text()
        );
        assert_eq!(reply.json()["total"], 0, "{url}");
        let form = url.split_once('?');
        if let Some((path, query)) = form {
            let post = bench
                .write(
                    &caller,
                    Verb::Post,
                    &format!("{path}/_search?{query}"),
                    Value::Null,
                )
                .await;
            assert!(post.names().is_empty(), "POST {url}");
        }
    }
    for url in [
        "Patient/b/$everything",
        "Patient/b",
        "Patient/b/_history",
        "Observation/theirs",
        "Observation/theirs/_history/1",
    ] {
        let reply = bench.get(&caller, url).await;
        assert_eq!(reply.status(), 404, "{url}");
    }
}

async fn links_tell_nothing_of_what_is_hidden(bench: Bench) {
    two(&bench).await;
    let caller = bench.patient("a", "patient/*.rs");
    for url in [
        "Patient?_has:Condition:patient:code=of-b",
        "Patient?_has:Observation:focus:code=44261-6&_id=a",
        "Patient?_has:Observation:focus:subject=Patient/b",
        "Patient?_has:Observation:patient:_has:Observation:has-member:subject=Patient/b",
        "Observation?_has:Observation:has-member:subject=Patient/b",
        "Observation?_has:Observation:has-member:_id=theirs",
        "Observation?focus:Patient.birthdate=1970-01-01",
        "Observation?focus:Patient._id=b",
        "Observation?focus:Condition.code=of-b",
        "Observation?focus:Condition.code:not=x",
        "Observation?focus:Patient.name:missing=false",
        "Observation?has-member:Observation.subject=Patient/b",
        "Observation?has-member.subject:Patient._id=b",
        "Observation?has-member.focus:Patient._id=a",
        "Observation?subject:Patient._has:Observation:focus:_id=theirs",
    ] {
        let reply = bench.get(&caller, url).await;
        assert_eq!(
            (reply.status(), reply.names()),
            (200, Vec::new()),
            "{url}: {}",
            reply.text()
        );
    }
}

async fn a_chain_through_another_type_is_refused(bench: Bench) {
    two(&bench).await;
    let caller = bench.patient("a", "patient/Observation.rs patient/Condition.r");
    for url in [
        "Observation?subject:Patient.name=Familya",
        "Observation?subject:Patient._id=a",
        "Observation?patient.birthdate=1970-01-01",
        "Observation?focus:Condition.code=of-a",
        "Observation?has-member:Observation.subject:Patient.name=x",
        "Observation?_has:Condition:evidence-detail:code=of-a",
        "Observation?_has:Provenance:target:agent=x",
        "Observation?_has:Observation:has-member:subject:Patient.name=x",
    ] {
        let reply = bench.get(&caller, url).await;
        assert_eq!(
            (reply.status(), reply.names()),
            (403, Vec::new()),
            "{url}: {}",
            reply.text()
        );
    }
    let found = bench
        .get(&caller, "Observation?_include=*&_revinclude=*")
        .await;
    assert_eq!(found.names(), ["Observation/ours"]);
    for url in [
        "Condition?code=of-a",
        "Condition/_history",
        "Patient/a/Condition",
    ] {
        assert_eq!(bench.get(&caller, url).await.status(), 403, "{url}");
    }
    assert_eq!(bench.get(&caller, "Condition/ca").await.status(), 200);
}

async fn order_and_totals_tell_nothing(bench: Bench) {
    two(&bench).await;
    let caller = bench.patient("a", "patient/*.rs");
    let alone = bench.get(&caller, "Observation").await.names();
    for sort in [
        "date",
        "-date",
        "code",
        "subject",
        "-_lastUpdated",
        "_id",
        "-_id",
        "focus",
        "has-member",
        "identifier",
    ] {
        let reply = bench
            .get(
                &caller,
                &format!("Observation?_sort={sort}&_count=1&_total=accurate"),
            )
            .await;
        assert_eq!(reply.names(), alone, "{sort}");
        assert_eq!(reply.json()["total"], 1, "{sort}");
        assert_eq!(
            (reply.link("next"), reply.link("previous")),
            (None, None),
            "{sort}"
        );
    }
    for (url, total) in [
        ("Observation?_summary=count", 1),
        ("Observation?_count=0", 1),
        ("Observation?_total=estimate&_count=0", 1),
        ("Condition?_summary=count&code=of-b", 0),
        ("Patient?_summary=count", 1),
        ("Patient/b/Observation?_summary=count", 0),
        ("?_type=Observation,Condition,Patient&_summary=count", 3),
        (
            "Observation?_has:Observation:has-member:_id=theirs&_summary=count",
            0,
        ),
    ] {
        assert_eq!(
            bench.get(&caller, url).await.json()["total"],
            total,
            "{url}"
        );
    }
    for url in [
        "Observation?_elements=subject",
        "Observation?_summary=text",
        "Observation?_summary=data",
    ] {
        assert_eq!(bench.get(&caller, url).await.names(), alone, "{url}");
    }
    for url in [
        "_history?_since=2000",
        "Observation/_history?_since=2000",
        "_history?_at=2026",
        "_history?_summary=count",
    ] {
        let reply = bench.get(&caller, url).await;
        let beyond = ["Observation/theirs", "Patient/b", "Condition/cb"];
        assert!(
            !reply
                .names()
                .iter()
                .any(|name| beyond.contains(&name.as_str())),
            "{url}"
        );
    }
}

async fn includes_stay_inside(bench: Bench) {
    two(&bench).await;
    let caller = bench.patient("a", "patient/*.rs");
    for (url, expected) in [
        ("Observation?_include=Observation:focus", vec![]),
        (
            "Observation?_include=Observation:subject",
            vec!["Patient/a"],
        ),
        ("Observation?_include=Observation:has-member", vec![]),
        ("Observation?_include=*", vec!["Patient/a"]),
        (
            "Observation?_include=*&_include:iterate=*",
            vec!["Patient/a", "Practitioner/p"],
        ),
        ("Observation?_revinclude=*", vec![]),
        ("Observation?_revinclude=Observation:has-member", vec![]),
        ("Patient?_revinclude=Observation:focus", vec![]),
        (
            "Patient?_revinclude=*",
            vec!["Condition/ca", "Observation/ours"],
        ),
        (
            "Patient?_include=*&_revinclude=*&_include:iterate=*&_revinclude:iterate=*",
            vec!["Condition/ca", "Observation/ours", "Practitioner/p"],
        ),
        (
            "Practitioner?_revinclude=Patient:general-practitioner&_revinclude:iterate=*",
            vec!["Patient/a", "Condition/ca", "Observation/ours"],
        ),
    ] {
        let reply = bench.get(&caller, url).await;
        let own = ["Observation/ours", "Patient/a", "Practitioner/p"];
        let first = own
            .iter()
            .find(|name| url.starts_with(name.split('/').next().unwrap()))
            .unwrap();
        let mut found = reply.names();
        found.retain(|name| name != first);
        found.sort();
        let mut expected = expected.clone();
        expected.sort();
        assert_eq!(found, expected, "{url}: {}", reply.text());
    }
}

async fn bundles_are_judged_entry_by_entry(bench: Bench) {
    two(&bench).await;
    let caller = bench.patient("a", "patient/*.cruds");
    let gets = [
        "Observation/ours",
        "Observation/theirs",
        "Patient/b/Observation",
        "Patient/b/$everything",
        "Observation?patient=b",
        "Observation/theirs/_history/1",
        "Task/x",
    ];
    let bundle = |kind: &str, urls: &[&str]| {
        let entry = |url: &&str| json!({"request": {"method": "GET", "url": url}});
        let entries: Vec<Value> = urls.iter().map(entry).collect();
        json!({"resourceType": "Bundle", "type": kind, "entry": entries})
    };
    // A transaction with one read that fails fails as a whole.
    for url in gets {
        let sent = bundle("transaction", &["Observation/ours", url]);
        let reply = bench.write(&caller, Verb::Post, "", sent).await;
        let granted = matches!(
            url,
            "Observation/ours" | "Patient/b/Observation" | "Observation?patient=b"
        );
        assert_eq!(reply.status() == 200, granted, "{url}: {}", reply.text());
        assert!(
            granted || matches!(reply.status(), 403 | 404),
            "{url}: {}",
            reply.text()
        );
        assert!(!reply.text().contains("\"id\":\"theirs\""), "{url}");
    }
    for kind in ["batch"] {
        let reply = bench
            .write(&caller, Verb::Post, "", bundle(kind, &gets))
            .await;
        let json = reply.json();
        let statuses: Vec<&str> = json["entry"]
            .as_array()
            .unwrap()
            .iter()
            .map(|e| &e["response"]["status"].as_str().unwrap()[..3])
            .collect();
        assert_eq!(
            statuses,
            ["200", "404", "200", "404", "200", "404", "403"],
            "{kind}"
        );
        assert!(!reply.text().contains("\"id\":\"theirs\""), "{kind}");
    }
}
