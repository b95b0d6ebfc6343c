//! C5: the trail names who ran a command and when the clock was set; an older database
//! that is put under a running service revives no right.

use crate::support::{Database, Running, succeed, unloop, until};

async fn trail(server: &Running) -> String {
    let url = format!("{}/AuditEvent?_count=500", server.base);
    let found = server.client().get(url).send().await.unwrap();
    found.text().await.unwrap()
}

async fn commands_name_who_ran_them(database: Database) {
    let server = Running::serve_with_secret(&database.url());
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("one.json");
    std::fs::write(&file, r#"{"resourceType": "Patient", "id": "one"}"#).unwrap();
    for command in [
        &["export"][..],
        &["token", "list"],
        &["import", file.to_str().unwrap()],
    ] {
        let mut command = unloop(command);
        command
            .env("DATABASE_URL", database.url())
            .env("UNLOOP_SECRET", crate::support::SECRET);
        // What the environment says of the user does not count.
        succeed(command.env("USER", "mallory").env("LOGNAME", "mallory"));
    }
    let events: serde_json::Value = serde_json::from_str(&trail(&server).await).unwrap();
    let uid = std::fs::metadata("/proc/self").map(|it| std::os::unix::fs::MetadataExt::uid(&it));
    let expected = format!("uid {}", uid.unwrap());
    for work in ["unloop export", "unloop operator", "unloop import"] {
        let of_work =
            |event: &&serde_json::Value| event.to_string().contains(&format!("\"{work}\""));
        let events = events["entry"]
            .as_array()
            .unwrap()
            .iter()
            .map(|entry| &entry["resource"]);
        let events: Vec<_> = events.filter(of_work).collect();
        assert!(!events.is_empty(), "{work}");
        for event in events {
            let agents = event["agent"].as_array().unwrap();
            let requestors: Vec<_> = agents.iter().filter(|it| it["requestor"] == true).collect();
            assert_eq!(requestors.len(), 1, "{event}");
            let who = requestors[0]["who"]["display"].as_str().unwrap();
            assert!(
                who.contains(&expected) && who.contains("operating system"),
                "{who}"
            );
            assert!(!who.contains("mallory"));
        }
    }
    server.stop();
}

#[tokio::test]
async fn commands_name_the_user_of_the_operating_system_on_sqlite() {
    commands_name_who_ran_them(Database::sqlite()).await;
}

#[tokio::test]
async fn commands_name_the_user_of_the_operating_system_on_postgres() {
    if let Some(database) = Database::postgres().await {
        commands_name_who_ran_them(database).await;
    }
}

/// The last run wrote while the clock was a day ahead.
async fn a_clock_that_went_back(database: Database) {
    Running::serve_with_secret(&database.url()).stop();
    database
        .execute("UPDATE resource SET updated = updated + 86400000000")
        .await;
    let server = Running::serve_with_secret(&database.url());
    until("the trail", async || {
        let told = trail(&server).await.contains("the clock went back by 86");
        told.then_some(())
    })
    .await;
    server.stop();
}

#[tokio::test]
async fn the_trail_tells_of_a_clock_that_went_back_on_sqlite() {
    a_clock_that_went_back(Database::sqlite()).await;
}

#[tokio::test]
async fn the_trail_tells_of_a_clock_that_went_back_on_postgres() {
    if let Some(database) = Database::postgres().await {
        a_clock_that_went_back(database).await;
    }
}

#[tokio::test]
async fn an_older_file_under_a_running_service_revives_no_token() {
    let database = Database::sqlite();
    let server = Running::serve(&database.url());
    let token = server.token();
    let ask = async || {
        let url = format!("{}/Patient", server.base);
        let asked = reqwest::Client::new().get(url).bearer_auth(&token);
        asked.send().await.unwrap().status().as_u16()
    };
    assert_eq!(ask().await, 200);
    let path = database.url().strip_prefix("sqlite:").unwrap().to_owned();
    let copy = format!("{path}.backup");
    let command = |arguments: &[&str]| {
        let mut command = unloop(arguments);
        command.env("DATABASE_URL", database.url());
        succeed(command.env("UNLOOP_BIND", server.address()))
    };
    command(&["backup", &copy]);
    let listed = command(&["token", "list"]);
    command(&["token", "revoke", listed.split_whitespace().next().unwrap()]);
    assert_eq!(ask().await, 401);
    std::fs::rename(&copy, &path).unwrap();
    for _ in 0..5 {
        let status = ask().await;
        assert!([401, 503].contains(&status), "{status}");
    }
}
