//! Many clients at once. <https://hl7.org/fhir/R4/http.html#concurrency>, `#ccreate`

use futures_util::future::join_all;
use serde_json::json;

use crate::support::{Reply, Server, example};

crate::on_both_stores!(
    conditional_creates_at_once_make_one_resource,
    conditional_updates_at_once_make_one_resource,
    transactions_at_once_make_one_resource,
    updates_of_one_version_let_one_win,
    updates_without_a_version_all_count,
);

const CLIENTS: usize = 64;

fn number_of(replies: &[Reply], status: u16) -> usize {
    replies
        .iter()
        .filter(|reply| reply.status == status)
        .count()
}

async fn conditional_creates_at_once_make_one_resource(server: Server) {
    let create = || {
        let call = server.call("POST", "/Patient");
        let call = call.header("If-None-Exist", "identifier=http://example.org/mrn|1");
        call.resource(&example::identified("1")).send()
    };
    let replies = join_all((0..CLIENTS).map(|_| create())).await;
    assert_eq!(number_of(&replies, 201), 1);
    assert_eq!(number_of(&replies, 200), CLIENTS - 1);
    let mut ids: Vec<String> = replies.iter().map(Reply::id).collect();
    ids.dedup();
    assert_eq!(ids.len(), 1, "all know the same one");
    assert_eq!(server.count("/Patient").await, 1);
}

async fn conditional_updates_at_once_make_one_resource(server: Server) {
    let update = || {
        let call = server.call("PUT", "/Patient?identifier=http://example.org/mrn|1");
        call.resource(&example::identified("1")).send()
    };
    let replies = join_all((0..8).map(|_| update())).await;
    assert_eq!(number_of(&replies, 201), 1);
    assert_eq!(number_of(&replies, 200), 7);
    assert_eq!(server.count("/Patient").await, 1);
}

async fn transactions_at_once_make_one_resource(server: Server) {
    let mut create = example::posted(
        "urn:uuid:0b5c1c3e-6a0f-4a53-8c39-0d3c1b3f5a01",
        example::identified("1"),
    );
    create["request"]["ifNoneExist"] = "identifier=http://example.org/mrn|1".into();
    let subject = create["fullUrl"].as_str().unwrap().to_owned();
    let observation = example::observation(&subject, "2026");
    let observation = example::entry("POST", "Observation", Some(observation));
    let bundle = example::bundle("transaction", &[create, observation]);
    let send = || server.call("POST", "").resource(&bundle).send();
    let replies = join_all((0..16).map(|_| send())).await;
    assert_eq!(number_of(&replies, 200), 16);
    assert_eq!(server.count("/Patient").await, 1);
    let patient = server.get("/Patient").expect(200).await.entries().remove(0);
    assert_eq!(
        server
            .count(&format!("/Observation?subject={patient}"))
            .await,
        16
    );
}

async fn updates_of_one_version_let_one_win(server: Server) {
    let made = server.create(&example::patient("A")).await;
    let update = |number: usize| {
        let mut content = made.json();
        content["name"][0]["given"] = json!([format!("{number}")]);
        let call = server
            .call("PUT", &made.path())
            .header("If-Match", "W/\"1\"");
        call.resource(&content).send()
    };
    let replies = join_all((0..CLIENTS).map(update)).await;
    assert_eq!(number_of(&replies, 200), 1);
    assert_eq!(number_of(&replies, 412), CLIENTS - 1);
    let winner = replies.iter().find(|reply| reply.status == 200).unwrap();
    let read = server.get(&made.path()).expect(200).await;
    assert_eq!(read.text, winner.text);
    assert_eq!(read.header("ETag"), "W/\"2\"");
}

async fn updates_without_a_version_all_count(server: Server) {
    let made = server.create(&example::patient("A")).await;
    let update = || {
        server
            .call("PUT", &made.path())
            .resource(&made.json())
            .send()
    };
    let replies = join_all((0..CLIENTS).map(|_| update())).await;
    assert_eq!(number_of(&replies, 200), CLIENTS);
    let read = server.get(&made.path()).expect(200).await;
    assert_eq!(read.header("ETag"), format!("W/\"{}\"", CLIENTS + 1));
    let history = server.get(&format!("{}/_history?_count=100", made.path()));
    let history = history.expect(200).await.json();
    assert_eq!(history["entry"].as_array().unwrap().len(), CLIENTS + 1);
}
