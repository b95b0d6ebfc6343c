//! Issue 12, D2: no batch, page or trail of it grows beyond a bound.

use serde_json::{Value, json};

use crate::support::{Reply, Server};

crate::on_both_stores!(
    d2_a_batch_that_asks_for_more_than_fits_is_told_so_entry_by_entry,
    d2_pages_end_with_their_bytes_and_miss_nothing,
    d2_histories_end_with_their_bytes_and_miss_nothing,
    d2_everything_ends_with_its_bytes_and_misses_nothing,
    d2_a_condition_on_two_large_resources_still_matches_many,
    d2_a_batch_of_many_reads_is_a_few_rows_of_the_trail,
    d2_a_folded_batch_still_tells_each_patient_who_looked,
);

const MEGABYTE: usize = 1 << 20;

fn large(id: &str, patient: &str) -> Value {
    json!({"resourceType": "Basic", "id": id, "code": {"text": "x".repeat(MEGABYTE)},
        "identifier": [{"system": "urn:large", "value": "one"}],
        "subject": {"reference": format!("Patient/{patient}")}})
}

async fn patient_with_large_records(server: &Server, records: usize) -> String {
    let id = uuid::Uuid::now_v7().to_string();
    server
        .put(&json!({"resourceType": "Patient", "id": id}))
        .await;
    for number in 0..records {
        server.put(&large(&format!("{id}-{number:02}"), &id)).await;
    }
    id
}

fn get(url: &str) -> Value {
    json!({"request": {"method": "GET", "url": url}})
}

fn statuses(batch: &Reply) -> Vec<String> {
    let json = batch.json();
    let entries = json["entry"].as_array().unwrap();
    let status = |entry: &Value| entry["response"]["status"].as_str().unwrap().to_owned();
    entries.iter().map(status).collect()
}

async fn d2_a_batch_that_asks_for_more_than_fits_is_told_so_entry_by_entry(server: Server) {
    let id = patient_with_large_records(&server, 8).await;
    let asked = vec![get(&format!("Patient/{id}/$everything")); 40];
    let batch = server.bundle("batch", &asked).await;
    assert!(batch.text.len() < 80 * MEGABYTE, "{}", batch.text.len());
    let statuses = statuses(&batch);
    assert_eq!(statuses.len(), 40);
    let answered = statuses
        .iter()
        .take_while(|status| status.starts_with("200"));
    let answered = answered.count();
    assert!(answered >= 3, "{statuses:?}");
    let others = statuses.iter().skip(answered);
    assert!(
        others.clone().all(|status| status.starts_with("422")),
        "{statuses:?}"
    );
    assert!(statuses[39].starts_with("422"), "{}", statuses[39]);
    let json = batch.json();
    let told = &json["entry"][39]["response"]["outcome"]["issue"][0];
    assert_eq!(told["code"], "too-costly");
    let text = told["diagnostics"].as_str().unwrap();
    assert!(text.contains("smaller batches"), "{text}");
}

/// Pages of at most some megabytes, which have every record once.
async fn walk(server: &Server, path: &str, records: usize) {
    let pages = server.pages(path).await;
    assert!(pages.len() > 1, "one page of {} bytes", pages[0].text.len());
    let mut found: Vec<String> = Vec::new();
    for page in &pages {
        assert!(page.text.len() < 10 * MEGABYTE, "{}", page.text.len());
        let json = page.json();
        let entries = json["entry"].as_array().cloned().unwrap_or_default();
        let basics = entries
            .iter()
            .filter(|entry| entry["resource"]["resourceType"] == "Basic");
        found.extend(basics.map(|entry| entry["resource"]["id"].as_str().unwrap().to_owned()));
    }
    found.sort();
    found.dedup();
    assert_eq!(found.len(), records);
}

async fn d2_pages_end_with_their_bytes_and_miss_nothing(server: Server) {
    let id = patient_with_large_records(&server, 20).await;
    walk(
        &server,
        &format!("/Basic?subject=Patient/{id}&_count=1000"),
        20,
    )
    .await;
}

async fn d2_histories_end_with_their_bytes_and_miss_nothing(server: Server) {
    patient_with_large_records(&server, 20).await;
    walk(&server, "/Basic/_history?_count=1000", 20).await;
}

async fn d2_everything_ends_with_its_bytes_and_misses_nothing(server: Server) {
    let id = patient_with_large_records(&server, 20).await;
    walk(&server, &format!("/Patient/{id}/$everything"), 20).await;
}

/// Were the second one cut off, the condition would take the first for the only one.
async fn d2_a_condition_on_two_large_resources_still_matches_many(server: Server) {
    for id in ["one", "two"] {
        let mut content = large(id, "1");
        let text = "x".repeat(MEGABYTE);
        content["code"]["coding"] = json!(vec![json!({"display": text}); 2]);
        content.as_object_mut().unwrap().remove("subject");
        server.put(&content).await;
    }
    let path = "/Basic?identifier=urn:large|one";
    server.call("DELETE", path).expect(412).await;
}

async fn rows_of_the_trail(server: &Server) -> usize {
    let mut rows = 0;
    for chain in server.store.chains().await.unwrap() {
        let mut after = 0;
        loop {
            let page = server
                .store
                .chain(&chain.end.writer, after, 1_000)
                .await
                .unwrap();
            let Some(last) = page.last() else { break };
            after = last.position;
            rows += page.len();
        }
    }
    rows
}

async fn d2_a_batch_of_many_reads_is_a_few_rows_of_the_trail(server: Server) {
    let id = patient_with_large_records(&server, 0).await;
    let before = rows_of_the_trail(&server).await;
    let asked = vec![get(&format!("Patient/{id}")); 2_000];
    server.bundle("batch", &asked).await;
    let missing: Vec<Value> = (0..2_000)
        .map(|n| get(&format!("Patient/none-{n}")))
        .collect();
    server.bundle("batch", &missing).await;
    let rows = rows_of_the_trail(&server).await - before;
    assert!((2..20).contains(&rows), "{rows} rows");
}

async fn d2_a_folded_batch_still_tells_each_patient_who_looked(server: Server) {
    let mut asked = Vec::new();
    let mut ids = Vec::new();
    for _ in 0..60 {
        let id = patient_with_large_records(&server, 0).await;
        asked.push(get(&format!("Patient/{id}")));
        ids.push(id);
    }
    asked.push(get("Observation?patient=looked-for"));
    server.bundle("batch", &asked).await;
    for id in [ids[0].as_str(), &ids[59], "looked-for"] {
        let found = server
            .get(&format!("/AuditEvent?patient={id}&_count=100"))
            .expect(200)
            .await;
        let json = found.json();
        let entries = json["entry"].as_array().cloned().unwrap_or_default();
        let told = entries
            .iter()
            .any(|entry| entry.to_string().contains("\"batch\""));
        assert!(told, "{id}: {}", found.text);
    }
}
