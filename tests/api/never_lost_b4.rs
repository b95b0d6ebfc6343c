//! B4: after a write, what is stored as a reference to a record of this service is found
//! by it; what would be found by nobody is refused.
//! <https://hl7.org/fhir/R4/references.html#literal>

use serde_json::{Value, json};

use crate::support::{Server, example};
use example::{bundle, entry};

crate::on_both_stores!(
    every_way_to_write_a_local_reference_is_found,
    what_means_nothing_is_refused_with_its_place,
    what_is_elsewhere_stays_as_it_is,
    every_way_in_and_every_place_becomes_canonical,
    what_is_in_a_bundle_stays_whole,
    searches_understand_the_same_spellings,
);

/// Ways to write `Patient/ID` that a client may think of.
fn spellings(base: &str, id: &str) -> Vec<String> {
    let (scheme, rest) = base.split_once("://").unwrap();
    let (host, path) = rest.split_once('/').unwrap();
    let (name, port) = host.split_once(':').unwrap();
    let loud = format!(
        "{}://{}:{port}/{path}",
        scheme.to_uppercase(),
        name.to_uppercase()
    );
    let roots = [
        String::new(),
        "/".to_owned(),
        "./".to_owned(),
        "//".to_owned(),
        format!("{base}/"),
        format!("{base}//"),
        format!("{loud}/"),
        format!("https://{host}/{path}/"),
        format!("{scheme}://{host}//{path}/./"),
        format!("/{path}/"),
        format!(" {base}/"),
    ];
    let tails = [
        format!("Patient/{id}"),
        format!("Patient/{id}/"),
        format!("Patient//{id}"),
        format!("Patient/./{id}"),
        format!("Patient/{id}?"),
        format!("Patient/{id}#"),
        format!("Patient/{id}/_history/1"),
        format!("Patient/{id}/_history/1/"),
        format!("%50atient/{id}"),
        format!("Patient/{id} "),
    ];
    let all = roots
        .iter()
        .flat_map(|root| tails.iter().map(move |tail| format!("{root}{tail}")));
    all.collect()
}

async fn every_way_to_write_a_local_reference_is_found(server: Server) {
    let mut patient = example::identified("1");
    patient["id"] = "near-right".into();
    server.put(&patient).await;
    let all = spellings(&server.base, "near-right");
    let entries: Vec<Value> = all
        .iter()
        .enumerate()
        .map(|(number, text)| {
            let mut observation = example::observation(text, "2026-01-02");
            observation["id"] = format!("o{number}").into();
            observation["focus"] = json!([{"reference": text}]);
            entry("PUT", &format!("Observation/o{number}"), Some(observation))
        })
        .collect();
    server.bundle("transaction", &entries).await;
    let written = entries.len() as u64;
    assert!(written >= 100, "{written}");
    for search in [
        "/Observation?patient=near-right",
        "/Observation?subject=Patient/near-right",
        "/Observation?focus=Patient/near-right",
        "/Observation?patient.identifier=1",
        "/Observation?focus:Patient.identifier=1",
        "/Patient/near-right/Observation",
    ] {
        let separator = if search.contains('?') { '&' } else { '?' };
        let found = server
            .count(&format!("{search}{separator}code=8867-4"))
            .await;
        assert_eq!(found, written, "{search}");
    }
    assert_eq!(
        server
            .count("/Patient?_has:Observation:focus:code=8867-4")
            .await,
        1
    );
    let reverse = server.get("/Patient?_id=near-right&_revinclude=Observation:subject");
    assert_eq!(
        reverse.expect(200).await.entries().len() as u64,
        written + 1
    );
    let include = server.get("/Observation?_include=Observation:focus&_count=1000");
    assert_eq!(
        include.expect(200).await.entries().len() as u64,
        written + 1
    );
    for (number, sent) in all.iter().enumerate() {
        let read = server
            .get(&format!("/Observation/o{number}"))
            .expect(200)
            .await
            .json();
        let text = read["subject"]["reference"].as_str().unwrap();
        let canonical = ["Patient/near-right", "Patient/near-right/_history/1"];
        assert!(canonical.contains(&text), "{sent} became {text}");
    }
}

async fn what_means_nothing_is_refused_with_its_place(server: Server) {
    let base = &server.base;
    let id = server.create(&example::identified("1")).await.id();
    for text in [
        format!("Patient/{id}?x=1"),
        format!("{base}/Patient/{id}?_format=json"),
        format!("Patient/{id}#name"),
        format!("{base}/Patient/{id}#name"),
        format!("../Patient/{id}"),
        format!("{base}/Observation/../Patient/{id}"),
        format!("fhir/Patient/{id}/name"),
        format!("elsewhere/Patient/{id}"),
        format!("{base}/Patient/{id}/name"),
        format!("{base}/Patient"),
        format!("{base}/"),
        format!("{base}/patient/{id}"),
        format!("patient/{id}"),
        format!("Patient/{id}/_history"),
        format!("Patient/{id}/_history/"),
        format!("Patient / {id}"),
        "Patient/a_b".to_owned(),
        format!("{base}/Patient/a_b"),
        "Patient".to_owned(),
        "/".to_owned(),
        format!("http:/Patient/{id}"),
        format!("http:///Patient/{id}"),
        format!("//elsewhere.example/fhir/Patient/{id}"),
    ] {
        let content = example::observation(&text, "2026-01-02");
        let reply = server
            .call("POST", "/Observation")
            .resource(&content)
            .send()
            .await;
        assert_eq!(reply.status, 400, "{text}: {}", reply.text);
        assert!(
            reply.text.contains("Observation.subject.reference"),
            "{text}: {}",
            reply.text
        );
        let one = entry("POST", "Observation", Some(content));
        let call = server
            .call("POST", "")
            .resource(&bundle("transaction", &[one]));
        let reply = call.expect(400).await;
        let place = "Bundle.entry[0].resource.subject.reference";
        assert!(reply.text.contains(place), "{text}: {}", reply.text);
    }
    assert_eq!(server.count("/Observation").await, 0);
}

async fn what_is_elsewhere_stays_as_it_is(server: Server) {
    let (_, rest) = server.base.split_once("://").unwrap();
    let (host, _) = rest.split_once('/').unwrap();
    for text in [
        "http://elsewhere.example/fhir/Patient/1".to_owned(),
        "http://elsewhere.example//fhir/Patient/1/".to_owned(),
        "HTTP://Elsewhere.example/fhir/Patient/1?x=1".to_owned(),
        format!("http://{host}/other/Patient/1"),
        format!("http://{host}.example/fhir/Patient/1"),
        format!("http://{}/fhir/Patient/1", host.replace(':', ":1")),
        "urn:oid:1.2.3".to_owned(),
        "urn:uuid:0b5c1c3e-6a0f-4a53-8c39-0d3c1b3f5a01".to_owned(),
    ] {
        let made = server
            .create(&example::observation(&text, "2026-01-02"))
            .await;
        assert_eq!(made.json()["subject"]["reference"], text);
    }
}

/// The kinds of places where references stand, each near-right.
fn referring(text: &str) -> Value {
    let reference = json!({"reference": text});
    json!({
        "resourceType": "Observation", "status": "final", "code": {
            "text": "x", "_text": {"extension": [{"url": "http://x.example/p", "valueReference": reference}]}},
        "subject": reference, "focus": [reference],
        "contained": [{"resourceType": "Observation", "id": "c", "status": "final",
            "code": {"text": "x"}, "subject": reference}],
        "hasMember": [{"reference": "#c"}],
        "extension": [{"url": "http://x.example/r", "valueReference": reference},
            {"url": "http://x.example/n", "extension": [{"url": "i", "valueReference": reference}]},
            {"url": "http://x.example/s", "valueString": text},
            {"url": "http://x.example/u", "valueUri": text}],
    })
}

async fn every_way_in_and_every_place_becomes_canonical(server: Server) {
    let id = server.create(&example::identified("1")).await.id();
    let (near, right) = (format!("./Patient/{id}/"), format!("Patient/{id}"));
    let content = referring(&near);
    let mut named = content.clone();
    named["id"] = "put".into();
    let mut written = vec![
        server.create(&content).await.json(),
        server.put(&named).await.json(),
        server
            .call("PUT", "/Observation?identifier=none")
            .resource(&content)
            .expect(201)
            .await
            .json(),
    ];
    let patch = json!([{"op": "add", "path": "/focus", "value": [{"reference": near}]}]);
    let plain = server
        .create(&example::observation(&right, "2026-01-02"))
        .await
        .path();
    let patched = server
        .call("PATCH", &plain)
        .patch(&patch)
        .expect(200)
        .await
        .json();
    assert_eq!(patched["focus"][0]["reference"], right);
    for kind in ["transaction", "batch"] {
        let reply = server
            .bundle(kind, &[entry("POST", "Observation", Some(content.clone()))])
            .await;
        let location = reply.json()["entry"][0]["response"]["location"]
            .as_str()
            .unwrap()
            .to_owned();
        let path = location.split("/_history/").next().unwrap();
        let path = path.strip_prefix(&server.base).unwrap();
        written.push(server.get(path).expect(200).await.json());
    }
    for one in written {
        for pointer in [
            "/subject/reference",
            "/focus/0/reference",
            "/contained/0/subject/reference",
            "/extension/0/valueReference/reference",
            "/extension/1/extension/0/valueReference/reference",
            "/code/_text/extension/0/valueReference/reference",
        ] {
            assert_eq!(one.pointer(pointer), Some(&json!(right)), "{pointer}");
        }
        assert_eq!(one["hasMember"][0]["reference"], "#c");
        assert_eq!(one["extension"][2]["valueString"], near);
        assert_eq!(one["extension"][3]["valueUri"], near);
    }
}

/// B8: a document refers to its own entries, and it may be signed.
async fn what_is_in_a_bundle_stays_whole(server: Server) {
    let inner = "urn:uuid:0b5c1c3e-6a0f-4a53-8c39-0d3c1b3f5a01";
    let document = json!({
        "resourceType": "Bundle", "type": "document",
        "identifier": {"system": "urn:ietf:rfc:3986", "value": "urn:uuid:0b5c1c3e-6a0f-4a53-8c39-0d3c1b3f5a00"},
        "timestamp": "2026-01-02T03:04:05Z",
        "entry": [
            {"fullUrl": "urn:uuid:0b5c1c3e-6a0f-4a53-8c39-0d3c1b3f5a02", "resource": {
                "resourceType": "Composition", "status": "final", "type": {"text": "x"}, "title": "x",
                "date": "2026-01-02", "author": [{"reference": "./Practitioner/1/"}],
                "subject": {"reference": inner}}},
            {"fullUrl": inner, "resource": {"resourceType": "Patient",
                "managingOrganization": {"reference": "Organization?identifier=9"}}},
        ],
    });
    let same = |mut read: Value| {
        read.as_object_mut().unwrap().remove("meta");
        read.as_object_mut().unwrap().remove("id");
        assert_eq!(read, document);
    };
    let mut named = document.clone();
    named["id"] = "doc".into();
    same(server.create(&document).await.json());
    same(server.put(&named).await.json());
    let mut outer = example::posted(inner, example::identified("1"));
    outer["fullUrl"] = inner.into();
    for kind in ["transaction", "batch"] {
        let entries = [
            outer.clone(),
            entry("POST", "Bundle", Some(document.clone())),
            entry("PUT", "Bundle/doc", Some(named.clone())),
        ];
        let reply = server.bundle(kind, &entries).await.json();
        for number in [1, 2] {
            let response = &reply["entry"][number]["response"];
            let location = response["location"]
                .as_str()
                .unwrap_or_else(|| panic!("{response}"));
            let path = location.split("/_history/").next().unwrap();
            let path = path.strip_prefix(&server.base).unwrap();
            same(server.get(path).expect(200).await.json());
        }
    }
}

async fn searches_understand_the_same_spellings(server: Server) {
    let mut patient = example::identified("1");
    patient["id"] = "asked".into();
    server.put(&patient).await;
    server
        .create(&example::observation("Patient/asked", "2026-01-02"))
        .await;
    for text in spellings(&server.base, "asked") {
        let value: String = form_urlencoded::byte_serialize(text.as_bytes()).collect();
        let found = server.count(&format!("/Observation?subject={value}")).await;
        assert_eq!(found, 1, "{text}");
    }
}
