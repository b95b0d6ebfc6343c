//! <https://hl7.org/fhir/R4/http.html#history>

use serde_json::Value;

use crate::support::{Reply, Server, example};

crate::on_both_stores!(
    the_history_of_an_instance_has_every_version,
    the_history_of_a_type_and_of_the_system,
    since_and_at_choose_versions,
    pages_lead_to_the_end,
    the_history_of_nothing_is_not_found,
    wrong_parameters_are_named,
);

/// One resource through its life: POST, PUT, PATCH, DELETE, PUT.
async fn life(server: &Server) -> String {
    let made = server.create(&example::patient("One")).await;
    let path = made.path();
    server
        .call("PUT", &path)
        .resource(&made.json())
        .expect(200)
        .await;
    let patch = serde_json::json!([{"op": "replace", "path": "/gender", "value": "other"}]);
    server.call("PATCH", &path).patch(&patch).expect(200).await;
    server.call("DELETE", &path).expect(204).await;
    server
        .call("PUT", &path)
        .resource(&made.json())
        .expect(201)
        .await;
    path
}

fn list(reply: &Reply) -> Vec<Value> {
    let entries = reply.json()["entry"].as_array().cloned();
    entries.unwrap_or_default()
}

fn etags(reply: &Reply) -> Vec<String> {
    let tag = |entry: &Value| entry["response"]["etag"].as_str().unwrap().to_owned();
    list(reply).iter().map(tag).collect()
}

async fn the_history_of_an_instance_has_every_version(server: Server) {
    let path = life(&server).await;
    let reply = server.get(&format!("{path}/_history")).expect(200).await;
    assert_eq!(reply.json()["type"], "history");
    assert_eq!(
        etags(&reply),
        ["W/\"5\"", "W/\"4\"", "W/\"3\"", "W/\"2\"", "W/\"1\""]
    );
    let methods: Vec<Value> = list(&reply)
        .iter()
        .map(|e| e["request"]["method"].clone())
        .collect();
    assert_eq!(methods, ["PUT", "DELETE", "PATCH", "PUT", "POST"]);
    let entries = list(&reply);
    for entry in &entries {
        assert_eq!(entry["fullUrl"], format!("{}{path}", server.base));
        assert!(entry["response"]["lastModified"].is_string());
        let is_deletion = entry["request"]["method"] == "DELETE";
        assert_eq!(entry["resource"].is_null(), is_deletion);
    }
    assert_eq!(entries[2]["resource"]["gender"], "other");
    assert_eq!(entries[2]["resource"]["meta"]["versionId"], "3");
    assert_eq!(entries[4]["request"]["url"], "Patient");
    assert_eq!(entries[4]["response"]["status"], "201 Created");
    assert_eq!(entries[3]["request"]["url"], path[1..]);
    crate::snapshot("history", &reply);
}

async fn the_history_of_a_type_and_of_the_system(server: Server) {
    life(&server).await;
    let observation = example::observation("Patient/x", "2026-11-21");
    let observation = server.create(&observation).await.path();
    let of_type = server.get("/Patient/_history").expect(200).await;
    assert_eq!(list(&of_type).len(), 5);
    let of_system = server.get("/_history").expect(200).await;
    assert_eq!(list(&of_system).len(), 6);
    let newest = &list(&of_system)[0];
    assert_eq!(newest["fullUrl"], format!("{}{observation}", server.base));
    let none = server.get("/Group/_history").expect(200).await;
    assert!(none.json()["entry"].is_null());
    // By POST there is none.
    server.call("POST", "/_history").expect(405).await;
}

async fn since_and_at_choose_versions(server: Server) {
    let path = life(&server).await;
    let all = server.get(&format!("{path}/_history")).expect(200).await;
    let time = |version: usize| {
        let entry = &list(&all)[5 - version];
        entry["response"]["lastModified"]
            .as_str()
            .unwrap()
            .to_owned()
    };
    let get = async |query: String| {
        let reply = server.get(&format!("{path}/_history?{query}"));
        etags(&reply.expect(200).await)
    };
    assert_eq!(
        get(format!("_since={}", time(4))).await,
        ["W/\"5\"", "W/\"4\""]
    );
    assert_eq!(get("_since=2000".to_owned()).await.len(), 5);
    assert_eq!(get("_since=2999-01-01".to_owned()).await.len(), 0);
    assert_eq!(get(format!("_at={}", time(2))).await, ["W/\"2\""]);
    assert_eq!(get("_at=2000".to_owned()).await.len(), 0);
    assert_eq!(get("_at=2999-01-01".to_owned()).await, ["W/\"5\""]);
    let reply = server
        .get("/Patient/_history?_since=2999-01-01")
        .expect(200)
        .await;
    assert!(list(&reply).is_empty());
}

async fn pages_lead_to_the_end(server: Server) {
    let mut expected = Vec::new();
    for name in ["A", "B", "C"] {
        let path = server.create(&example::patient(name)).await.path();
        server.call("DELETE", &path).expect(204).await;
        expected.push((format!("{}{path}", server.base), "W/\"1\"".to_owned()));
        expected.push((format!("{}{path}", server.base), "W/\"2\"".to_owned()));
    }
    expected.reverse();
    for (path, count) in [("/Patient/_history", 1), ("/_history", 4), ("/_history", 6)] {
        let pages = server.pages(&format!("{path}?_count={count}")).await;
        assert_eq!(pages.len(), 6_usize.div_ceil(count));
        let mut found = Vec::new();
        for entry in pages.iter().flat_map(list) {
            let text = |value: &Value| value.as_str().unwrap().to_owned();
            found.push((text(&entry["fullUrl"]), text(&entry["response"]["etag"])));
        }
        assert_eq!(found, expected);
        assert!(
            pages[0]
                .link("self")
                .unwrap()
                .contains(&format!("_count={count}"))
        );
    }
    let none = server.get("/_history?_count=0").expect(200).await;
    assert!(list(&none).is_empty());
}

async fn the_history_of_nothing_is_not_found(server: Server) {
    server.get("/Patient/nobody/_history").expect(404).await;
    server.get("/Patinet/_history").expect(404).await;
}

async fn wrong_parameters_are_named(server: Server) {
    let path = server.create(&example::patient("A")).await.path();
    for (query, place) in [
        ("_since=yesterday", "_since"),
        ("_at=2026-13-01", "_at"),
        ("_count=-1", "_count"),
        ("_count=many", "_count"),
        ("_cursor=abc", "_cursor"),
        ("name=x", "\"name\""),
    ] {
        let reply = server.get(&format!("{path}/_history?{query}"));
        let reply = reply.expect(400).await;
        assert!(reply.diagnostics().contains(place), "{}", reply.text);
    }
}
