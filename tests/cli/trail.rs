//! The audit trail as an operator has it: whole after a crash, and never changed
//! without notice.

use std::collections::BTreeSet;
use std::process::Output;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::{Value, json};

use crate::support::{Database, Running, SECRET, describe, succeed, text, unloop, until};

fn verify(database: &Database) -> Output {
    let mut command = unloop(&["audit", "verify"]);
    command
        .env("DATABASE_URL", database.url())
        .env("UNLOOP_SECRET", SECRET);
    command.output().unwrap()
}

fn is_whole(database: &Database) {
    let output = verify(database);
    assert!(output.status.success(), "{}", describe(&output));
    assert!(text(&output.stdout).contains("The trail is whole"));
}

#[tokio::test]
async fn after_a_crash_every_answer_has_its_record_on_sqlite() {
    crash(Database::sqlite()).await;
}

#[tokio::test]
async fn after_a_crash_every_answer_has_its_record_on_postgres() {
    if let Some(database) = Database::postgres().await {
        crash(database).await;
    }
}

/// What was answered, by the name that the request was given.
type Answered = Arc<Mutex<BTreeSet<String>>>;

async fn crash(database: Database) {
    let answered = Answered::default();
    for round in 0..3 {
        let server = Running::serve_with_secret(&database.url());
        let client = server.client();
        let load = (0..16).map(|n| {
            let (client, base) = (client.clone(), server.base.clone());
            tokio::spawn(load(client, base, format!("{round}-{n}"), answered.clone()))
        });
        let load: Vec<_> = load.collect();
        let enough = (round + 1) * 150;
        until("enough answers", async || {
            (answered.lock().unwrap().len() >= enough).then_some(())
        })
        .await;
        server.signal("KILL");
        for task in load {
            task.await.unwrap();
        }
        drop(server);
        is_whole(&database);
    }
    let server = Running::serve_with_secret(&database.url());
    let recorded = recorded(&server).await;
    let answered = answered.lock().unwrap();
    let lost: Vec<&String> = answered.difference(&recorded).collect();
    assert!(lost.is_empty(), "answered and not recorded: {lost:?}");
    server.stop();
    is_whole(&database);
}

/// Writes, reads and searches until the server is gone.
async fn load(client: reqwest::Client, base: String, name: String, answered: Answered) {
    for n in 0.. {
        let id = format!("{name}-{n}");
        let patient = json!({"resourceType": "Patient", "id": id});
        let url = format!("{base}/Patient");
        let calls = [
            client.put(format!("{url}/{id}")).json(&patient),
            client.get(format!("{url}/{id}")),
            client.get(format!("{url}?_id={id}")),
        ];
        for (kind, call) in calls.into_iter().enumerate() {
            let request = format!("{id}-{kind}");
            let Ok(reply) = call.header("X-Request-Id", &request).send().await else {
                return;
            };
            assert!(reply.status().is_success(), "{}", reply.status());
            answered.lock().unwrap().insert(request);
        }
    }
}

/// The names of the requests that AuditEvents tell of.
async fn recorded(server: &Running) -> BTreeSet<String> {
    let client = server.client();
    let mut names = BTreeSet::new();
    let mut next = Some(format!("{}/AuditEvent?_count=1000", server.base));
    while let Some(url) = next {
        let reply = client.get(&url).send().await.unwrap();
        if reply.status() == 503 {
            // Not all are made yet.
            assert_eq!(reply.headers()["Retry-After"], "1");
            tokio::time::sleep(Duration::from_secs(1)).await;
            next = Some(url);
            continue;
        }
        let page: Value = reply.json().await.unwrap();
        let entries = page["entry"].as_array().cloned().unwrap_or_default();
        for entry in &entries {
            let entities = entry["resource"]["entity"].as_array();
            for entity in entities.into_iter().flatten() {
                if entity["type"]["code"] == "XrequestId" {
                    let name = entity["what"]["identifier"]["value"].as_str();
                    names.insert(name.unwrap().to_owned());
                }
            }
        }
        let links = page["link"].as_array().cloned().unwrap_or_default();
        let link = links.into_iter().find(|link| link["relation"] == "next");
        next = link.map(|link| link["url"].as_str().unwrap().to_owned());
    }
    names
}

#[tokio::test]
async fn what_is_done_to_the_trail_is_found_on_sqlite() {
    change(Database::sqlite()).await;
}

#[tokio::test]
async fn what_is_done_to_the_trail_is_found_on_postgres() {
    if let Some(database) = Database::postgres().await {
        change(database).await;
    }
}

async fn change(database: Database) {
    let server = Running::serve_with_secret(&database.url());
    let client = server.client();
    for n in 0..6 {
        let url = format!("{}/Patient/nobody{n}", server.base);
        let reply = client.get(url).send().await.unwrap();
        assert_eq!(reply.status(), 404);
    }
    let events = format!("{}/AuditEvent?_summary=count", server.base);
    client.get(events).send().await.unwrap();
    server.stop();
    is_whole(&database);
    // The server's own chain: commands have chains too.
    let served =
        "writer = (SELECT writer FROM audit GROUP BY writer ORDER BY count(*) DESC LIMIT 1)";
    let renamed = |from: i32, to: i32| {
        format!("UPDATE audit SET position = {to} WHERE position = {from} AND {served}")
    };
    let copy = "CREATE TABLE kept AS SELECT * FROM audit";
    database.execute(copy).await;
    let row = "SELECT position FROM audit WHERE record LIKE '%nobody1\"%'";
    let row = database.number(row).await.unwrap();
    let told = format!("row {row} of chain");
    let removed = format!("DELETE FROM audit WHERE position = 3 AND {served}");
    let changed =
        format!("UPDATE audit SET record = replace(record, 'nobody1', 'nobody9') WHERE {served}");
    let moved = [renamed(2, 1000), renamed(3, 2), renamed(1000, 3)].join("; ");
    for (crime, place, what) in [
        (removed, "row 3 of chain", "is missing"),
        (changed, told.as_str(), "was changed or moved"),
        (moved, "row 2 of chain", "was changed or moved"),
    ] {
        database.execute(&crime).await;
        let output = verify(&database);
        assert_eq!(
            output.status.code(),
            Some(1),
            "{crime}: {}",
            describe(&output)
        );
        let told = text(&output.stderr);
        let found = told
            .lines()
            .any(|line| line.contains(place) && line.contains(what));
        assert!(found, "{crime}: {told}");
        assert!(text(&output.stdout).is_empty(), "{}", describe(&output));
        database
            .execute("DELETE FROM audit; INSERT INTO audit SELECT * FROM kept")
            .await;
        is_whole(&database);
    }
}

/// A service that answered, and ended: before it answers it may not hear that it
/// should end.
fn served(database: &Database) {
    let server = Running::serve_with_secret(&database.url());
    succeed(unloop(&["health"]).env("UNLOOP_BIND", server.address()));
    server.stop();
}

#[test]
fn the_secret_and_a_head_that_was_kept_hold_the_trail() {
    let database = Database::sqlite();
    let audit = |secret: &str, arguments: &[&str]| {
        let mut command = unloop(&[&["audit", "verify"], arguments].concat());
        command
            .env("DATABASE_URL", database.url())
            .env("UNLOOP_SECRET", secret);
        command
    };
    served(&database);
    let head = succeed(&mut audit(SECRET, &["--head"]));
    assert!(head.contains("-k") && head.lines().count() == 1, "{head}");
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str, text: &str| {
        let path = folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        path.to_str().unwrap().to_owned()
    };
    let kept = file("head", &head);
    // Each command that is recorded has a chain of its own.
    succeed(
        unloop(&["token", "list"])
            .env("DATABASE_URL", database.url())
            .env("UNLOOP_SECRET", SECRET),
    );
    let told = audit(SECRET, &["--kept", &kept]).output().unwrap();
    assert!(told.status.success(), "{}", describe(&told));
    assert_eq!(text(&told.stderr).matches("under the key").count(), 2);
    let (writer, rest) = head.split_once(' ').unwrap();
    let strange = [
        (head.replace(writer, &"0".repeat(32)), "missing as a whole"),
        (head.replace(rest, "9999 00"), "was cut"),
        ("one two".to_owned(), "line 1"),
        ("\n".to_owned(), "nothing is in it"),
    ];
    for (strange, expected) in strange {
        let strange = file("strange", &strange);
        let told = audit(SECRET, &["--kept", &strange]).output().unwrap();
        assert_eq!(told.status.code(), Some(1), "{}", describe(&told));
        assert!(text(&told.stderr).contains(expected), "{}", describe(&told));
    }

    let changed = "another secret: 0123456789 0123456789";
    let told = audit(changed, &[]).output().unwrap();
    assert_eq!(told.status.code(), Some(1), "{}", describe(&told));
    let problem = text(&told.stderr);
    assert!(problem.contains("UNLOOP_EARLIER_SECRETS"), "{problem}");
    assert!(!problem.contains(changed), "{problem}");
    succeed(audit(changed, &[]).env("UNLOOP_EARLIER_SECRETS", SECRET));
    let short = audit(SECRET, &[])
        .env("UNLOOP_EARLIER_SECRETS", "short")
        .output();
    assert_eq!(short.unwrap().status.code(), Some(2));
}

#[tokio::test]
async fn without_its_secret_nothing_is_served_or_written() {
    let Some(database) = Database::postgres().await else {
        return;
    };
    served(&database);
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("one.json");
    std::fs::write(&file, r#"{"resourceType": "Patient", "id": "one"}"#).unwrap();
    let file = file.to_str().unwrap();
    for (command, status) in [
        (&["serve"][..], 2),
        (&["audit", "verify"], 1),
        (&["import", file], 1),
    ] {
        let told = unloop(command)
            .env("DATABASE_URL", database.url())
            .env("UNLOOP_BIND", "127.0.0.1:0")
            .output()
            .unwrap();
        assert_eq!(told.status.code(), Some(status), "{}", describe(&told));
        assert!(
            text(&told.stderr).contains("UNLOOP_SECRET"),
            "{}",
            describe(&told)
        );
    }
    is_whole(&database);
}
