//! Links between the entries of a transaction.
//! <https://hl7.org/fhir/R4/http.html#trules>, <https://hl7.org/fhir/R4/bundle.html#references>

use serde_json::{Value, json};

use crate::support::{Reply, Server, example};
use example::{bundle, entry, posted};

crate::on_both_stores!(
    links_are_rewritten_everywhere,
    what_only_looks_like_a_link_is_kept,
    a_link_may_lead_to_what_a_condition_found,
    restful_full_urls_are_meant_by_relative_references,
    conditional_references_are_resolved,
    conditional_references_need_one_match,
    entries_may_refer_to_each_other_in_a_circle,
);

const PATIENT: &str = "urn:uuid:0b5c1c3e-6a0f-4a53-8c39-0d3c1b3f5a01";
const OTHER: &str = "urn:uuid:0b5c1c3e-6a0f-4a53-8c39-0d3c1b3f5a02";

/// `Type/id` of each entry written.
fn written(reply: &Reply) -> Vec<String> {
    let json = reply.json();
    let entries = json["entry"].as_array().unwrap();
    let key = |entry: &Value| {
        let location = entry["response"]["location"].as_str().unwrap();
        let mut parts = location.rsplit('/').skip(2);
        let (id, name) = (parts.next().unwrap(), parts.next().unwrap());
        format!("{name}/{id}")
    };
    entries.iter().map(key).collect()
}

async fn read(server: &Server, key: &str) -> Value {
    server.get(&format!("/{key}")).expect(200).await.json()
}

async fn links_are_rewritten_everywhere(server: Server) {
    let narrative = format!(
        "<div xmlns=\"http://www.w3.org/1999/xhtml\"><a href=\"{PATIENT}\">he</a><img src='{PATIENT}' alt=\"x\"/><a href=\"{PATIENT}#name\">n</a> {PATIENT}</div>"
    );
    let composition = json!({
        "resourceType": "Basic",
        "text": {"status": "generated", "div": narrative},
        "contained": [{"resourceType": "Basic", "id": "c", "code": {"text": "x"}, "subject": {"reference": PATIENT}}],
        "extension": [
            {"url": "http://example.org/r", "valueReference": {"reference": PATIENT}},
            {"url": "http://example.org/u", "valueUri": PATIENT},
            {"url": "http://example.org/c", "valueCanonical": PATIENT},
            {"url": "http://example.org/n", "extension": [{"url": "i", "valueReference": {"reference": PATIENT}}]},
            {"url": "http://example.org/k", "valueReference": {"reference": "#c"}},
        ],
        "code": {"text": "x", "_text": {"extension": [{"url": "http://example.org/p", "valueReference": {"reference": PATIENT}}]}},
        "subject": {"reference": PATIENT, "display": "him"},
    });
    let entries = [
        posted(OTHER, composition),
        posted(PATIENT, example::patient("A")),
    ];
    let keys = written(&server.bundle("transaction", &entries).await);
    let (basic, patient) = (read(&server, &keys[0]).await, &keys[1]);
    for pointer in [
        "/subject/reference",
        "/contained/0/subject/reference",
        "/extension/0/valueReference/reference",
        "/extension/1/valueUri",
        "/extension/3/extension/0/valueReference/reference",
        "/code/_text/extension/0/valueReference/reference",
    ] {
        assert_eq!(basic.pointer(pointer), Some(&json!(patient)), "{pointer}");
    }
    // "Elements of type canonical are not replaced."
    assert_eq!(basic["extension"][2]["valueCanonical"], PATIENT);
    assert_eq!(basic["subject"]["display"], "him");
    let narrative = basic["text"]["div"].as_str().unwrap();
    assert!(
        narrative.contains(&format!("href=\"{patient}\"")),
        "{narrative}"
    );
    assert!(
        narrative.contains(&format!("src='{patient}'")),
        "{narrative}"
    );
    assert!(
        narrative.contains(&format!("href=\"{patient}#name\"")),
        "{narrative}"
    );
    assert!(
        narrative.ends_with(&format!(" {PATIENT}</div>")),
        "text is no link"
    );
    assert_eq!(server.count(&format!("/Basic?subject={patient}")).await, 1);
}

async fn what_only_looks_like_a_link_is_kept(server: Server) {
    let basic = json!({
        "resourceType": "Basic",
        "identifier": [{"system": "urn:ietf:rfc:3986", "value": PATIENT}],
        "code": {"text": PATIENT},
        "subject": {"reference": "Patient/elsewhere", "display": PATIENT},
        "extension": [{"url": "http://example.org/s", "valueString": PATIENT}],
    });
    let entries = [posted(OTHER, basic), posted(PATIENT, example::patient("A"))];
    let keys = written(&server.bundle("transaction", &entries).await);
    let basic = read(&server, &keys[0]).await;
    assert_eq!(basic["identifier"][0]["value"], PATIENT);
    assert_eq!(basic["code"]["text"], PATIENT);
    assert_eq!(basic["subject"]["display"], PATIENT);
    assert_eq!(basic["subject"]["reference"], "Patient/elsewhere");
    assert_eq!(basic["extension"][0]["valueString"], PATIENT);
}

async fn a_link_may_lead_to_what_a_condition_found(server: Server) {
    let there = server.create(&example::identified("1")).await.path();
    let mut create = posted(PATIENT, example::identified("1"));
    create["request"]["ifNoneExist"] = "identifier=1".into();
    let mut update = entry(
        "PUT",
        "Patient?identifier=2",
        Some(example::identified("2")),
    );
    update["fullUrl"] = OTHER.into();
    let entries = [
        create,
        update,
        entry(
            "POST",
            "Observation",
            Some(example::observation(PATIENT, "2026")),
        ),
        entry(
            "POST",
            "Observation",
            Some(example::observation(OTHER, "2026")),
        ),
    ];
    let keys = written(&server.bundle("transaction", &entries).await);
    assert_eq!(format!("/{}", keys[0]), there);
    let first = read(&server, &keys[2]).await;
    assert_eq!(first["subject"]["reference"], keys[0]);
    let second = read(&server, &keys[3]).await;
    assert_eq!(second["subject"]["reference"], keys[1]);
}

async fn restful_full_urls_are_meant_by_relative_references(server: Server) {
    let subject = |reference: &str| {
        let content = example::observation(reference, "2026");
        entry("POST", "Observation", Some(content))
    };
    let mut put = example::patient("P");
    put["id"] = "put".into();
    let mut put = entry("PUT", "Patient/put", Some(put));
    put["fullUrl"] = "http://else.example/fhir/Patient/old".into();
    let entries = [
        posted("http://else.example/fhir/Patient/9", example::patient("A")),
        subject("Patient/9"),
        subject("http://else.example/fhir/Patient/9"),
        put,
        subject("Patient/old"),
        subject("Patient/unknown"),
    ];
    let keys = written(&server.bundle("transaction", &entries).await);
    let mut subjects = Vec::new();
    for key in [1, 2, 4, 5] {
        let observation = read(&server, &keys[key]).await;
        subjects.push(
            observation["subject"]["reference"]
                .as_str()
                .unwrap()
                .to_owned(),
        );
    }
    assert_eq!(
        subjects,
        [&keys[0], &keys[0], "Patient/put", "Patient/unknown"]
    );
}

async fn conditional_references_are_resolved(server: Server) {
    let there = server.create(&example::identified("1")).await.path();
    let reference = "Patient?identifier=http://example.org/mrn|1";
    let observation = || example::observation(reference, "2026");
    let entries = [
        entry("POST", "Observation", Some(observation())),
        entry("POST", "Observation", Some(observation())),
    ];
    for key in written(&server.bundle("transaction", &entries).await) {
        let found = read(&server, &key).await["subject"]["reference"].clone();
        assert_eq!(format!("/{}", found.as_str().unwrap()), there);
    }
}

async fn conditional_references_need_one_match(server: Server) {
    server.create(&example::identified("2")).await;
    server.create(&example::identified("2")).await;
    for (reference, status, says) in [
        ("Patient?identifier=none", 412, "matches no Patient"),
        ("Patient?identifier=2", 412, "more than one"),
        ("Patient?nmae=2", 400, "`nmae`"),
    ] {
        let entries = [
            entry("POST", "Patient", Some(example::patient("A"))),
            entry(
                "POST",
                "Observation",
                Some(example::observation(reference, "2026")),
            ),
        ];
        let call = server
            .call("POST", "")
            .resource(&bundle("transaction", &entries));
        let reply = call.expect(status).await;
        assert!(reply.diagnostics().contains(says), "{}", reply.text);
        let place = reply.json()["issue"][0]["expression"][0].to_string();
        assert!(place.contains("Bundle.entry[1]"), "{place}");
    }
    assert_eq!(server.count("/Patient").await, 2);
    assert_eq!(server.count("/Observation").await, 0);
}

async fn entries_may_refer_to_each_other_in_a_circle(server: Server) {
    let linked = |to: &str| {
        let mut patient = example::patient("A");
        patient["link"] = json!([{"other": {"reference": to}, "type": "seealso"}]);
        patient
    };
    let entries = [
        posted(PATIENT, linked(OTHER)),
        posted(OTHER, linked(PATIENT)),
    ];
    let keys = written(&server.bundle("transaction", &entries).await);
    let first = read(&server, &keys[0]).await;
    assert_eq!(first["link"][0]["other"]["reference"], keys[1]);
    let second = read(&server, &keys[1]).await;
    assert_eq!(second["link"][0]["other"]["reference"], keys[0]);
}
