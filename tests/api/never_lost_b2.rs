//! B2: what comes with a write and has no meaning there is refused, and B11: what would be
//! accepted and never done is refused.
//! <https://hl7.org/fhir/R4/http.html#ccreate>, <https://hl7.org/fhir/R4/http.html#general>

use serde_json::{Value, json};

use crate::support::{Call, Server, example};
use example::{bundle, entry};

crate::on_both_stores!(
    b2_a_create_with_criteria_in_its_address_names_if_none_exist,
    b2_writes_of_one_resource_take_no_criteria,
    b2_general_parameters_shape_the_answer,
    b2_conditions_that_are_not_heard_are_refused,
    b11_a_subscription_is_refused_by_every_way_in,
);

async fn b2_a_create_with_criteria_in_its_address_names_if_none_exist(server: Server) {
    server.create(&example::identified("1")).await;
    let refused = |call: Call| async {
        let reply = call.expect(400).await;
        assert!(
            reply.diagnostics().contains("If-None-Exist"),
            "{}",
            reply.text
        );
        assert!(reply.diagnostics().contains("identifier"), "{}", reply.text);
    };
    let create = server.call("POST", "/Patient?identifier=1");
    refused(create.resource(&example::identified("1"))).await;
    for kind in ["transaction", "batch"] {
        let post = entry(
            "POST",
            "Patient?identifier=1",
            Some(example::identified("1")),
        );
        let call = server.call("POST", "").resource(&bundle(kind, &[post]));
        let reply = call.send().await;
        assert!(reply.text.contains("ifNoneExist"), "{}", reply.text);
    }
    assert_eq!(server.count("/Patient").await, 1);
}

async fn b2_writes_of_one_resource_take_no_criteria(server: Server) {
    let id = server.create(&example::identified("1")).await.id();
    let mut content = example::identified("2");
    content["id"] = id.clone().into();
    let patch = json!([{"op": "replace", "path": "/gender", "value": "other"}]);
    for parameter in [
        "identifier=9",
        "_id:not=x",
        "foo",
        "_count=1",
        "_format=json&x=1",
    ] {
        let path = format!("/Patient/{id}?{parameter}");
        server
            .call("PUT", &path)
            .resource(&content)
            .expect(400)
            .await;
        server.call("PATCH", &path).patch(&patch).expect(400).await;
        let reply = server.call("DELETE", &path).expect(400).await;
        assert!(reply.diagnostics().contains("If-Match"), "{}", reply.text);
        let call = server.call("POST", &format!("?{parameter}"));
        call.resource(&bundle("batch", &[])).expect(400).await;
    }
    let read = server.get(&format!("/Patient/{id}")).expect(200).await;
    assert_eq!(read.json()["meta"]["versionId"], "1");
}

async fn b2_general_parameters_shape_the_answer(server: Server) {
    let create = |query: &str| {
        let call = server.call("POST", &format!("/Patient{query}"));
        call.resource(&example::identified("1"))
    };
    let pretty = create("?_format=json&_pretty=true").expect(201).await;
    assert!(
        pretty.text.contains("\n  \"resourceType\""),
        "{}",
        pretty.text
    );
    let part = create("?_elements=gender").expect(201).await.json();
    assert!(
        part.get("name").is_none() && part["gender"] == "male",
        "{part}"
    );
    let whole = server.get(&format!("/Patient/{}", part["id"].as_str().unwrap()));
    assert_eq!(
        whole.expect(200).await.json()["name"][0]["family"],
        "Identified"
    );
    create("?_summary=count").expect(400).await;
    create("?_summary=long").expect(400).await;
    assert_eq!(server.count("/Patient").await, 2);
}

async fn b2_conditions_that_are_not_heard_are_refused(server: Server) {
    let id = server.create(&example::identified("1")).await.id();
    let mut content = example::identified("2");
    content["id"] = id.clone().into();
    let put = server.call("PUT", &format!("/Patient/{id}"));
    let put = put.header("If-None-Exist", "identifier=2");
    put.resource(&content).expect(400).await;
    let create = server
        .call("POST", "/Patient")
        .header("If-Match", "W/\"1\"");
    let reply = create.resource(&example::identified("3")).expect(400).await;
    assert!(reply.diagnostics().contains("If-Match"), "{}", reply.text);
    let delete = server.call("DELETE", &format!("/Patient/{id}"));
    delete
        .header("If-None-Exist", "identifier=2")
        .expect(400)
        .await;
    assert_eq!(server.count("/Patient?identifier=1").await, 1);
    assert_eq!(server.count("/Patient").await, 1);
}

fn subscription() -> Value {
    json!({"resourceType": "Subscription", "id": "s", "status": "requested", "reason": "x",
        "criteria": "Observation?code=x", "channel": {"type": "rest-hook", "endpoint": "https://h.example"}})
}

async fn b11_a_subscription_is_refused_by_every_way_in(server: Server) {
    let content = subscription();
    let patch = json!([{"op": "replace", "path": "/status", "value": "active"}]);
    let calls = [
        server.call("POST", "/Subscription").resource(&content),
        server
            .call("POST", "/Subscription")
            .header("If-None-Exist", "status=active")
            .resource(&content),
        server.call("PUT", "/Subscription/s").resource(&content),
        server
            .call("PUT", "/Subscription?status=active")
            .resource(&content),
        server.call("PATCH", "/Subscription/s").patch(&patch),
    ];
    for call in calls {
        let reply = call.expect(405).await;
        assert!(
            reply
                .diagnostics()
                .contains("Subscription is not supported"),
            "{}",
            reply.text
        );
        assert_eq!(reply.header("Allow"), "GET, HEAD, DELETE");
    }
    for kind in ["transaction", "batch"] {
        let entries = [
            entry("POST", "Subscription", Some(content.clone())),
            entry("PUT", "Subscription/s", Some(content.clone())),
        ];
        for one in entries {
            let call = server.call("POST", "").resource(&bundle(kind, &[one]));
            let reply = call.send().await;
            assert!(
                reply.text.contains("Subscription is not supported"),
                "{}",
                reply.text
            );
        }
    }
    assert_eq!(server.count("/Subscription").await, 0);
    let metadata = server.get("/metadata").expect(200).await.json();
    let resources = metadata["rest"][0]["resource"].as_array().unwrap();
    let of_type = resources
        .iter()
        .find(|one| one["type"] == "Subscription")
        .unwrap();
    assert!(
        !of_type["interaction"].to_string().contains("create"),
        "{of_type}"
    );
}
