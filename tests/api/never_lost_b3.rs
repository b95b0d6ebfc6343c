//! B3: what is marked SUBSETTED never takes the place of the whole resource.
//! <https://hl7.org/fhir/R4/search.html#summary>

use serde_json::{Value, json};

use crate::support::{Call, Server, example};
use example::{bundle, entry};

crate::on_both_stores!(
    a_part_of_a_resource_is_refused_by_every_way_in,
    a_part_is_known_by_its_mark_in_any_spelling,
    what_was_read_with_elements_cannot_be_sent_back,
);

fn marked(mut resource: Value, tag: Value) -> Value {
    resource["meta"]["tag"] = json!([{"system": "http://x.example", "code": "other"}, tag]);
    resource
}

fn subsetted() -> Value {
    json!({"system": "http://terminology.hl7.org/CodeSystem/v3-ObservationValue", "code": "SUBSETTED"})
}

async fn refused(call: Call) {
    let reply = call.expect(422).await;
    assert!(reply.diagnostics().contains("SUBSETTED"), "{}", reply.text);
    let place = reply.json()["issue"][0]["expression"][0].to_string();
    assert!(place.contains("meta.tag"), "{place}");
}

async fn a_part_of_a_resource_is_refused_by_every_way_in(server: Server) {
    let whole = server.create(&example::identified("1")).await;
    let id = whole.id();
    let mut part = marked(
        json!({"resourceType": "Patient", "gender": "male"}),
        subsetted(),
    );
    let create = || server.call("POST", "/Patient");
    refused(create().resource(&part)).await;
    refused(
        create()
            .header("If-None-Exist", "identifier=none")
            .resource(&part),
    )
    .await;
    refused(server.call("PUT", "/Patient?identifier=1").resource(&part)).await;
    refused(
        server
            .call("PUT", "/Patient?identifier=none")
            .resource(&part),
    )
    .await;
    let post = entry("POST", "Patient", Some(part.clone()));
    let conditional = entry("PUT", "Patient?identifier=1", Some(part.clone()));
    part["id"] = id.clone().into();
    refused(
        server
            .call("PUT", &format!("/Patient/{id}"))
            .resource(&part),
    )
    .await;
    let put = entry("PUT", &format!("Patient/{id}"), Some(part.clone()));
    let add = json!([{"op": "add", "path": "/meta/tag", "value": [subsetted()]}]);
    refused(server.call("PATCH", &format!("/Patient/{id}")).patch(&add)).await;
    let add = json!({"resourceType": "Parameters", "parameter": [{"name": "operation", "part": [
        {"name": "type", "valueCode": "add"}, {"name": "path", "valueString": "Patient.meta"},
        {"name": "name", "valueString": "tag"}, {"name": "value", "valueCoding": subsetted()}]}]});
    refused(
        server
            .call("PATCH", &format!("/Patient/{id}"))
            .resource(&add),
    )
    .await;
    for one in [post, conditional, put] {
        let transaction = bundle("transaction", std::slice::from_ref(&one));
        refused(server.call("POST", "").resource(&transaction)).await;
        let reply = server.bundle("batch", &[one]).await.json();
        assert_eq!(
            reply["entry"][0]["response"]["status"],
            "422 Unprocessable Content"
        );
    }
    let now = server.get(&format!("/Patient/{id}")).expect(200).await;
    assert_eq!(now.text, whole.text);
    assert_eq!(server.count("/Patient").await, 1);
}

async fn a_part_is_known_by_its_mark_in_any_spelling(server: Server) {
    for tag in [
        json!({"system": "http://hl7.org/fhir/v3/ObservationValue", "code": "SUBSETTED"}),
        json!({"system": "urn:oid:2.16.840.1.113883.5.1063", "code": "SUBSETTED"}),
        json!({"code": "SUBSETTED"}),
        json!({"system": "http://terminology.hl7.org/CodeSystem/v3-ObservationValue", "code": "subsetted"}),
    ] {
        let part = marked(example::patient("A"), tag);
        refused(server.call("POST", "/Patient").resource(&part)).await;
    }
    let other = marked(
        example::patient("A"),
        json!({"code": "complete", "display": "not SUBSETTED"}),
    );
    server
        .call("POST", "/Patient")
        .resource(&other)
        .expect(201)
        .await;
}

async fn what_was_read_with_elements_cannot_be_sent_back(server: Server) {
    let path = server.create(&example::identified("1")).await.path();
    for shown in [
        "_elements=gender",
        "_summary=true",
        "_summary=text",
        "_summary=data",
    ] {
        let part = server
            .get(&format!("{path}?{shown}"))
            .expect(200)
            .await
            .json();
        refused(server.call("PUT", &path).resource(&part)).await;
    }
}
