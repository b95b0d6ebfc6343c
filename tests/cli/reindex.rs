//! An outdated search index: said wherever it could mislead, and rebuilt while
//! others read and write.

use reqwest::{Client, StatusCode};
use serde_json::{Value, json};

use crate::support::{Database, Running, SECRET, describe, succeed, unloop, until};

const MANY: usize = 700;

/// Patients p0 to p699, each with a family name of its own.
fn imported(database: &Database) {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("patients.ndjson");
    let lines: Vec<String> = (0..MANY)
        .map(|n| patient(&format!("p{n}"), &format!("Family{n}")).to_string())
        .collect();
    std::fs::write(&file, lines.join("\n")).unwrap();
    let file = file.display().to_string();
    succeed(unloop(&["import", &file]).env("DATABASE_URL", database.url()));
}

fn patient(id: &str, family: &str) -> Value {
    json!({
        "resourceType": "Patient",
        "id": id,
        "name": [{"family": family}],
        "identifier": [{"system": "urn:of", "value": id}],
    })
}

/// As another program would have left it: nothing is found by its index rows.
async fn outdate(database: &Database) {
    let keys = match database {
        Database::Sqlite(_) => "DELETE FROM resource_key",
        Database::Postgres { .. } => "UPDATE resource SET keys = '{}'",
    };
    let state = "UPDATE index_state SET form = 1, place = NULL";
    for sql in [keys, "DELETE FROM resource_text", state] {
        database.execute(sql).await;
    }
}

struct Asking {
    client: Client,
    base: String,
}

impl Asking {
    fn of(server: &Running) -> Self {
        Self {
            client: server.client(),
            base: server.base.clone(),
        }
    }

    async fn get(&self, path: &str) -> (StatusCode, Value) {
        let sent = self.client.get(format!("{}/{path}", self.base)).send();
        let reply = sent.await.unwrap();
        (reply.status(), reply.json().await.unwrap())
    }

    async fn put(&self, patient: &Value) -> StatusCode {
        let id = patient["id"].as_str().unwrap();
        let url = format!("{}/Patient/{id}", self.base);
        let request = self.client.put(url).json(patient);
        let request = request.header("Content-Type", "application/fhir+json");
        request.send().await.unwrap().status()
    }

    async fn create_if_none(&self, id: &str) -> StatusCode {
        let request = self.client.post(format!("{}/Patient", self.base));
        let request = request
            .json(&patient(id, "Twin"))
            .header("Content-Type", "application/fhir+json")
            .header("If-None-Exist", format!("identifier=urn:of|{id}"));
        request.send().await.unwrap().status()
    }

    /// Ids that are found, and whether the bundle warns.
    async fn search(&self, query: &str) -> (Vec<String>, bool) {
        let (status, bundle) = self.get(query).await;
        assert_eq!(status, 200, "{bundle}");
        let entries = bundle["entry"].as_array().cloned().unwrap_or_default();
        let (matches, others): (Vec<_>, Vec<_>) = entries
            .into_iter()
            .partition(|entry| entry["search"]["mode"] == "match");
        for other in &others {
            assert_eq!(other["search"]["mode"], "outcome");
            assert_eq!(other["resource"]["issue"][0]["severity"], "warning");
            assert!(bundle["total"].is_null());
        }
        let ids = matches.iter().map(|entry| &entry["resource"]["id"]);
        let ids = ids.map(|id| id.as_str().unwrap().to_owned()).collect();
        (ids, !others.is_empty())
    }

    async fn is_complete(&self) -> Option<()> {
        let (_, metadata) = self.get("metadata").await;
        metadata["rest"][0]["documentation"].is_null().then_some(())
    }
}

async fn said_until_it_is_rebuilt(database: Database) {
    imported(&database);
    outdate(&database).await;
    let server = Running::start(
        unloop(&["serve"])
            .env("UNLOOP_SECRET", SECRET)
            .env("DATABASE_URL", database.url())
            .env("UNLOOP_BIND", "127.0.0.1:0")
            .env("UNLOOP_REINDEX", "false"),
    );
    let asking = Asking::of(&server);
    what_is_said(&asking).await;
    what_is_refused(&asking, &database).await;
    // Writes go on, and stay what they are when the rebuild comes by.
    assert_eq!(asking.put(&patient("p7", "Changed")).await, 200);
    assert_eq!(asking.put(&patient("new", "New")).await, 201);
    let mut reindex = unloop(&["reindex"]);
    let mut reindex = reindex.env("DATABASE_URL", database.url()).spawn().unwrap();
    let mut written = 0;
    while reindex.try_wait().unwrap().is_none() {
        let n = written % MANY;
        if n != 7 {
            let id = format!("p{n}");
            assert_eq!(asking.put(&patient(&id, &format!("Later{n}"))).await, 200);
        }
        written += 13;
    }
    assert!(reindex.wait().unwrap().success());
    until("the end of the warnings", async || {
        asking.is_complete().await
    })
    .await;
    assert_eq!(
        asking.search("Patient?family=Changed").await,
        (vec!["p7".into()], false)
    );
    assert_eq!(
        asking.search("Patient?family=New").await,
        (vec!["new".into()], false)
    );
    assert_eq!(
        asking.search("Patient?family:exact=Family7").await,
        (vec![], false)
    );
    for n in (0..MANY).filter(|n| *n != 7) {
        let touched = (0..written).step_by(13).any(|w| w % MANY == n);
        let name = if touched { "Later" } else { "Family" };
        let found = asking
            .search(&format!("Patient?family:exact={name}{n}"))
            .await;
        assert_eq!(found, (vec![format!("p{n}")], false));
    }
    assert_eq!(asking.create_if_none("p7").await, 200);
    let (_, patient) = asking.get("Patient/p300/_history").await;
    let versions = patient["entry"].as_array().unwrap().len();
    let (_, patient) = asking.get("Patient/p300").await;
    assert_eq!(patient["meta"]["versionId"], versions.to_string());
    server.stop();
}

async fn what_is_said(asking: &Asking) {
    let (_, metadata) = asking.get("metadata").await;
    let documentation = metadata["rest"][0]["documentation"].as_str().unwrap();
    assert!(documentation.contains("rebuilt; 0 %"), "{documentation}");
    assert_eq!(
        asking.search("Patient?family=Family7").await,
        (vec![], true)
    );
    for plain in ["Patient?_id=p7", "Patient?_id=p7&_lastUpdated=gt2020"] {
        assert_eq!(asking.search(plain).await, (vec!["p7".into()], false));
    }
    assert!(asking.search("Patient?_sort=family&_count=1").await.1);
    assert!(
        asking
            .search("Patient?_id=p7&_revinclude=Observation:subject")
            .await
            .1
    );
    assert!(asking.search("Patient/p7/$everything").await.1);
}

async fn what_is_refused(asking: &Asking, database: &Database) {
    for counted in ["_summary=count", "_count=0", "_total=accurate"] {
        let (status, outcome) = asking.get(&format!("Patient?family=F&{counted}")).await;
        assert_eq!(
            (status.as_u16(), &outcome["resourceType"]),
            (503, &json!("OperationOutcome"))
        );
    }
    assert_eq!(asking.get("Patient/p7").await.0, 200);
    assert_eq!(asking.create_if_none("p7").await, 503);
    let folder = tempfile::tempdir().unwrap();
    let empty = folder.path().join("empty.ndjson");
    std::fs::write(&empty, "").unwrap();
    let empty = empty.display().to_string();
    let import = unloop(&["import", &empty])
        .env("DATABASE_URL", database.url())
        .output();
    let import = import.unwrap();
    assert!(
        describe(&import).contains("unloop reindex"),
        "{}",
        describe(&import)
    );
}

async fn killed_it_goes_on_and_serve_does_it_too(database: Database) {
    imported(&database);
    outdate(&database).await;
    let mut first = unloop(&["reindex"]);
    let mut first = first.env("DATABASE_URL", database.url()).spawn().unwrap();
    let begun = "SELECT place FROM index_state WHERE form <> 1 AND place > 0";
    until("a first piece", async || database.number(begun).await).await;
    first.kill().unwrap();
    first.wait().unwrap();
    let place = database.number(begun).await;
    let again = succeed(unloop(&["reindex"]).env("DATABASE_URL", database.url()));
    if place.is_some() {
        assert!(!again.contains(&format!(" {MANY} resources")), "{again}");
    }
    let all = succeed(unloop(&["reindex", "--all"]).env("DATABASE_URL", database.url()));
    assert!(all.contains(&format!(" {MANY} resources")), "{all}");

    outdate(&database).await;
    let server = Running::serve_with_secret(&database.url());
    let asking = Asking::of(&server);
    until("the rebuild", async || asking.is_complete().await).await;
    for n in [0, 350, MANY - 1] {
        let found = asking
            .search(&format!("Patient?family:exact=Family{n}"))
            .await;
        assert_eq!(found, (vec![format!("p{n}")], false));
    }
    server.stop();
    // Nothing is left to do.
    let nothing = succeed(unloop(&["reindex"]).env("DATABASE_URL", database.url()));
    assert!(nothing.contains(" 0 resources"), "{nothing}");
}

#[tokio::test]
async fn it_is_said_until_it_is_rebuilt_on_sqlite() {
    said_until_it_is_rebuilt(Database::sqlite()).await;
}

#[tokio::test]
async fn it_is_said_until_it_is_rebuilt_on_postgres() {
    if let Some(database) = Database::postgres().await {
        said_until_it_is_rebuilt(database).await;
    }
}

#[tokio::test]
async fn killed_it_goes_on_on_sqlite() {
    killed_it_goes_on_and_serve_does_it_too(Database::sqlite()).await;
}

#[tokio::test]
async fn killed_it_goes_on_on_postgres() {
    if let Some(database) = Database::postgres().await {
        killed_it_goes_on_and_serve_does_it_too(database).await;
    }
}
