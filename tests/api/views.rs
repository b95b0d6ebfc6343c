//! `_summary`, `_elements`, `_pretty`. <https://hl7.org/fhir/R4/search.html#summary>

use serde_json::{Value, json};

use crate::support::{Reply, Server};

crate::on_both_stores!(
    a_summary_has_the_summary_elements,
    a_summary_of_text_and_of_data_are_complements,
    named_elements_come_with_the_mandatory_ones,
    what_is_shown_in_part_says_so,
    a_view_counts_in_searches_too,
    pretty_is_for_people,
    a_view_that_does_not_exist_is_refused,
);

async fn observation(server: &Server) -> String {
    let content = json!({
        "resourceType": "Observation",
        "text": {"status": "generated", "div": "<div xmlns=\"http://www.w3.org/1999/xhtml\">72</div>"},
        "status": "final",
        "code": {"text": "heart rate"},
        "effectiveDateTime": "2026-11-20",
        "method": {"text": "by hand"},
        "note": [{"text": "calm"}],
        "referenceRange": [{"text": "50 to 90"}],
        "component": [{"code": {"text": "a"}, "valueString": "b", "interpretation": [{"text": "c"}]}],
    });
    server.create(&content).await.path()
}

async fn view(server: &Server, path: &str, query: &str) -> Reply {
    server.get(&format!("{path}?{query}")).expect(200).await
}

fn members(reply: &Reply) -> Vec<String> {
    let json = reply.json();
    json.as_object().unwrap().keys().cloned().collect()
}

fn subsetted(resource: &Value) -> bool {
    let tags = resource["meta"]["tag"].as_array().cloned();
    tags.is_some_and(|tags| tags.iter().any(|tag| tag["code"] == "SUBSETTED"))
}

async fn a_summary_has_the_summary_elements(server: Server) {
    let path = observation(&server).await;
    let reply = view(&server, &path, "_summary=true").await;
    assert_eq!(
        members(&reply),
        [
            "resourceType",
            "id",
            "meta",
            "status",
            "code",
            "effectiveDateTime",
            "component"
        ]
    );
    let component = &reply.json()["component"][0];
    assert_eq!(
        component,
        &json!({"code": {"text": "a"}, "valueString": "b"})
    );
    crate::snapshot("summary", &reply);
}

async fn a_summary_of_text_and_of_data_are_complements(server: Server) {
    let path = observation(&server).await;
    let text = view(&server, &path, "_summary=text").await;
    assert_eq!(
        members(&text),
        ["resourceType", "id", "meta", "text", "status", "code"]
    );
    let data = view(&server, &path, "_summary=data").await;
    assert!(!members(&data).contains(&"text".to_owned()));
    assert!(members(&data).contains(&"note".to_owned()));
    let whole = view(&server, &path, "_summary=false").await;
    assert_eq!(whole.text, server.get(&path).expect(200).await.text);
}

async fn named_elements_come_with_the_mandatory_ones(server: Server) {
    let path = observation(&server).await;
    let reply = view(&server, &path, "_elements=note,method").await;
    assert_eq!(
        members(&reply),
        [
            "resourceType",
            "id",
            "meta",
            "status",
            "code",
            "method",
            "note"
        ]
    );
}

async fn what_is_shown_in_part_says_so(server: Server) {
    let path = observation(&server).await;
    for query in [
        "_summary=true",
        "_summary=text",
        "_summary=data",
        "_elements=note",
    ] {
        assert!(
            subsetted(&view(&server, &path, query).await.json()),
            "{query}"
        );
    }
    assert!(!subsetted(
        &view(&server, &path, "_summary=false").await.json()
    ));
}

async fn a_view_counts_in_searches_too(server: Server) {
    observation(&server).await;
    let reply = view(&server, "/Observation", "_summary=text").await;
    let resource = reply.json()["entry"][0]["resource"].clone();
    assert!(resource["note"].is_null() && subsetted(&resource));
    let reply = view(&server, "/Observation", "_elements=note").await;
    let resource = reply.json()["entry"][0]["resource"].clone();
    assert!(resource["component"].is_null() && subsetted(&resource));
    let reply = view(&server, "/Observation", "_summary=count").await;
    assert_eq!(reply.json()["total"], 1);
    assert!(reply.json()["entry"].is_null());
}

async fn pretty_is_for_people(server: Server) {
    let path = observation(&server).await;
    let pretty = view(&server, &path, "_pretty=true").await;
    assert!(pretty.text.contains("\n  \"status\": \"final\""));
    let plain = view(&server, &path, "_pretty=false").await;
    assert!(!plain.text.contains('\n'));
    assert_eq!(pretty.json(), plain.json());
}

async fn a_view_that_does_not_exist_is_refused(server: Server) {
    let path = observation(&server).await;
    for (query, place) in [
        ("_summary=most", "_summary"),
        ("_summary=count", "_summary"),
        ("_pretty=maybe", "_pretty"),
        ("_summary=true&_elements=note", "_elements"),
    ] {
        let reply = server.get(&format!("{path}?{query}")).expect(400).await;
        assert!(reply.diagnostics().contains(place), "{}", reply.text);
    }
}
