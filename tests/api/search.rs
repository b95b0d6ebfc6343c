//! <https://hl7.org/fhir/R4/search.html>: parameters, sorting, includes.

use serde_json::{Value, json};

use crate::support::{Server, example};

crate::on_both_stores!(
    strings_match_from_their_start,
    tokens_match_with_and_without_their_system,
    dates_match_with_every_prefix,
    references_match_in_every_form,
    uris_match_as_a_whole,
    values_are_alternatives_and_repeats_are_conditions,
    id_and_last_updated_belong_to_every_type,
    includes_go_both_ways,
    an_unknown_parameter_is_named_with_a_suggestion,
    lenient_handling_says_what_it_left_out,
    totals_are_what_was_asked_for,
);

/// The ids found, sorted.
pub async fn found(server: &Server, path: &str) -> Vec<String> {
    let reply = server.get(path).expect(200).await;
    let mut ids: Vec<String> = reply.entries();
    ids.sort();
    ids
}

async fn patient(server: &Server, id: &str, family: &str, birth: &str) {
    let content = json!({
        "resourceType": "Patient", "id": id, "gender": "female", "birthDate": birth,
        "active": id != "c",
        "identifier": [{"system": example::MRN, "value": id}],
        "name": [{"family": family, "given": ["Élise", "Mary"]}],
        "address": [{"city": "Nijmegen", "line": ["Main Street 3"]}],
        "telecom": [{"system": "email", "value": "a@example.org"}],
    });
    server.put(&content).await;
}

pub async fn three(server: &Server) {
    patient(server, "a", "Müller", "1980-05-01").await;
    patient(server, "b", "van der Berg", "1980-06").await;
    patient(server, "c", "Smith", "1991").await;
}

/// Every query with the ids of the three patients it finds.
async fn check(server: &Server, cases: &[(&str, &str)]) {
    for (query, expected) in cases {
        let expected: Vec<String> = expected.chars().map(|id| format!("Patient/{id}")).collect();
        let ids = found(server, &format!("/Patient?{query}")).await;
        assert_eq!(ids, expected, "{query}");
    }
}

async fn strings_match_from_their_start(server: Server) {
    three(&server).await;
    check(
        &server,
        &[
            ("family=smi", "c"),
            ("family=SMITH", "c"),
            ("family=mith", ""),
            ("family=muller", "a"),
            ("family=M%C3%BC", "a"),
            ("family=van%20der", "b"),
            ("given=elise", "abc"),
            ("name=mary", "abc"),
            ("name=smith", "c"),
            ("address-city=nij", "abc"),
            ("address=main", "abc"),
            ("family:exact=Smith", "c"),
            ("family:exact=smith", ""),
            ("family:contains=ERG", "b"),
            ("family=%25", ""),
            ("family=_mith", ""),
        ],
    )
    .await;
}

async fn tokens_match_with_and_without_their_system(server: Server) {
    three(&server).await;
    check(
        &server,
        &[
            ("identifier=a", "a"),
            ("identifier=http://example.org/mrn|a", "a"),
            ("identifier=http://example.org/mrn|", "abc"),
            ("identifier=http://else|a", ""),
            ("identifier=|a", ""),
            ("identifier=A", ""),
            ("gender=female", "abc"),
            ("gender=male", ""),
            ("active=true", "ab"),
            ("active=false", "c"),
            ("email=a@example.org", "abc"),
            ("telecom=a@example.org", "abc"),
            ("active:not=true", "c"),
            ("death-date:missing=true", "abc"),
        ],
    )
    .await;
}

async fn dates_match_with_every_prefix(server: Server) {
    three(&server).await;
    check(
        &server,
        &[
            ("birthdate=1980", "ab"),
            ("birthdate=1980-05", "a"),
            ("birthdate=1980-05-01", "a"),
            ("birthdate=eq1980-06", "b"),
            ("birthdate=1980-06-01", ""),
            ("birthdate=ne1980", "c"),
            ("birthdate=gt1980", "c"),
            ("birthdate=ge1980-06", "bc"),
            ("birthdate=lt1980-06", "a"),
            ("birthdate=le1980-06-30", "ab"),
            ("birthdate=sa1980-05-31", "bc"),
            ("birthdate=eb1991", "ab"),
            ("birthdate=ge1980-05-02&birthdate=lt1990", "b"),
            ("birthdate=1980-05-01,1991", "ac"),
        ],
    )
    .await;
    for query in [
        "birthdate=x",
        "birthdate=1980-13",
        "birthdate=xx1980",
        "birthdate=",
    ] {
        let reply = server.get(&format!("/Patient?{query}")).expect(400).await;
        assert!(reply.diagnostics().contains("birthdate"), "{}", reply.text);
    }
}

async fn references_match_in_every_form(server: Server) {
    three(&server).await;
    let mut observation = example::observation("Patient/a", "2026-11-21");
    observation["id"] = "o".into();
    server.put(&observation).await;
    let absolute = format!("subject={}/Patient/a", server.base);
    for (query, there) in [
        ("subject=Patient/a", true),
        ("subject=a", true),
        ("subject:Patient=a", true),
        ("patient=a", true),
        ("patient=Patient/a", true),
        (absolute.as_str(), true),
        ("subject=Patient/b", false),
        ("subject=Group/a", false),
        ("subject:Group=a", false),
        ("subject=http://else.example/Patient/a", false),
    ] {
        let ids = found(&server, &format!("/Observation?{query}")).await;
        assert_eq!(!ids.is_empty(), there, "{query}");
    }
}

async fn uris_match_as_a_whole(server: Server) {
    let url = "http://example.org/fhir/ValueSet/Moods";
    let content = json!({"resourceType": "ValueSet", "id": "v", "status": "active", "url": url});
    server.put(&content).await;
    for (value, count) in [
        (url, 1),
        ("http://example.org/fhir/ValueSet/moods", 0),
        ("http://example.org", 0),
    ] {
        assert_eq!(
            server.count(&format!("/ValueSet?url={value}")).await,
            count,
            "{value}"
        );
    }
}

async fn values_are_alternatives_and_repeats_are_conditions(server: Server) {
    three(&server).await;
    check(
        &server,
        &[
            ("family=smith,muller", "ac"),
            ("identifier=a,b,nobody", "ab"),
            ("family=smith&active=false", "c"),
            ("family=smith&active=true", ""),
            ("given=elise&given=mary", "abc"),
            ("given=elise&given=paul", ""),
            ("birthdate=1980,1991&active=true", "ab"),
            ("family=a%5C,b", ""),
            ("identifier=http://example.org/mrn%7Ca", "a"),
        ],
    )
    .await;
}

async fn id_and_last_updated_belong_to_every_type(server: Server) {
    three(&server).await;
    check(
        &server,
        &[
            ("_id=a", "a"),
            ("_id=a,c,nobody", "ac"),
            ("_id=a&_id=b", ""),
            ("_lastUpdated=gt2000", "abc"),
            ("_lastUpdated=lt2000-01-01", ""),
            (
                "_lastUpdated=ge2000-01-01T00:00:00Z&_lastUpdated=le2999",
                "abc",
            ),
        ],
    )
    .await;
    let reply = server.get("/Patient/b").expect(200).await.json();
    let time = reply["meta"]["lastUpdated"].as_str().unwrap();
    check(
        &server,
        &[
            (&format!("_lastUpdated={time}"), "b"),
            (&format!("_lastUpdated=gt{time}"), "c"),
        ],
    )
    .await;
}

async fn includes_go_both_ways(server: Server) {
    three(&server).await;
    for (id, subject) in [
        ("o1", "Patient/a"),
        ("o2", "Patient/a"),
        ("o3", "Patient/b"),
    ] {
        let mut observation = example::observation(subject, "2026-11-21");
        observation["id"] = id.into();
        server.put(&observation).await;
    }
    let path = "/Observation?_id=o1,o2&_include=Observation:subject";
    let reply = server.get(path).expect(200).await;
    assert_eq!(
        reply.entries(),
        ["Observation/o1", "Observation/o2", "Patient/a"],
        "once each"
    );
    let modes: Vec<Value> = reply.json()["entry"]
        .as_array()
        .unwrap()
        .iter()
        .map(|entry| entry["search"]["mode"].clone())
        .collect();
    assert_eq!(modes, ["match", "match", "include"]);
    assert_eq!(reply.json()["total"], 2, "matches only");
    crate::snapshot("search_include", &reply);

    let path = "/Patient?_id=a&_revinclude=Observation:subject";
    assert_eq!(
        found(&server, path).await,
        ["Observation/o1", "Observation/o2", "Patient/a"]
    );
    let path = "/Observation?_id=o1&_include=Observation:subject:Group";
    assert_eq!(found(&server, path).await, ["Observation/o1"]);
    let path = "/Observation?_id=o1&_include=Observation:subjekt";
    let reply = server.get(path).expect(400).await;
    assert!(reply.diagnostics().contains("subjekt"), "{}", reply.text);
}

async fn an_unknown_parameter_is_named_with_a_suggestion(server: Server) {
    let reply = server.get("/Patient?birthdte=1980").expect(400).await;
    assert!(reply.diagnostics().contains("`birthdte`"), "the place");
    assert!(reply.diagnostics().contains("`birthdate`"), "the remedy");
    crate::snapshot("unknown_parameter", &reply);
    for (query, place) in [
        ("family:fuzzy=x", "fuzzy"),
        ("_sort=nothing", "nothing"),
        ("_count=-1", "_count"),
        ("_total=some", "_total"),
        ("_include=x", "_include"),
        ("_has:Observation:code=x", "_has"),
        ("organization.nam=x", "`nam` is unknown for Organization"),
        ("family=", "family"),
    ] {
        let reply = server.get(&format!("/Patient?{query}")).expect(400).await;
        assert!(reply.diagnostics().contains(place), "{}", reply.text);
    }
    let many = "active=true&".repeat(65);
    let reply = server.get(&format!("/Patient?{many}")).expect(400).await;
    assert!(reply.diagnostics().contains("at most 64"), "{}", reply.text);
    let many = "active=true&".repeat(64);
    server.get(&format!("/Patient?{many}")).expect(200).await;
}

async fn lenient_handling_says_what_it_left_out(server: Server) {
    three(&server).await;
    let call = server.get("/Patient?birthdte=1980&family=smith");
    let reply = call.header("Prefer", "handling=lenient").expect(200).await;
    let last = reply.json()["entry"]
        .as_array()
        .unwrap()
        .last()
        .unwrap()
        .clone();
    assert_eq!(last["search"]["mode"], "outcome");
    let text = last["resource"]["issue"][0]["diagnostics"].to_string();
    assert!(text.contains("birthdte"), "{text}");
    assert_eq!(reply.entries()[0], "Patient/c");
    assert!(
        !reply.link("self").unwrap().contains("birthdte"),
        "self says what was done"
    );
    // What is understood and wrong is refused all the same.
    let call = server.get("/Patient?birthdate=x");
    call.header("Prefer", "handling=lenient").expect(400).await;
}

async fn totals_are_what_was_asked_for(server: Server) {
    three(&server).await;
    let get = async |query: &str| {
        let reply = server.get(&format!("/Patient?{query}"));
        reply.expect(200).await.json()
    };
    assert_eq!(get("_count=1&_total=accurate").await["total"], 3);
    assert_eq!(get("_total=none").await["total"], Value::Null);
    let none = get("_count=0").await;
    assert_eq!((&none["total"], &none["entry"]), (&json!(3), &Value::Null));
    let none = get("family=nobody").await;
    assert_eq!((&none["total"], &none["entry"]), (&json!(0), &Value::Null));
}
