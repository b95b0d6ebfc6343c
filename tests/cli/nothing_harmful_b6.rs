//! B6: what is copied is whole, what is restored is restored knowingly, and the files
//! belong to their owner alone.

use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Output;

use diesel::connection::SimpleConnection as _;
use diesel::sql_types::BigInt;
use diesel::{Connection as _, RunQueryDsl as _, SqliteConnection};
use unloop::store::sql::Sql;

use crate::support::{Database, Running, describe, succeed, text, unloop, until};

fn file_of(database: &Database) -> PathBuf {
    database.url().strip_prefix("sqlite:").unwrap().into()
}

fn beside(path: &Path, suffix: &str) -> PathBuf {
    format!("{}{suffix}", path.display()).into()
}

fn mode(path: &Path) -> u32 {
    std::fs::metadata(path).unwrap().permissions().mode() & 0o777
}

async fn create_patients(server: &Running, count: usize) {
    let client = server.client();
    for number in 0..count {
        let patient = serde_json::json!({"resourceType": "Patient", "id": format!("p{number}")});
        let url = format!("{}/Patient/p{number}", server.base);
        let made = client.put(url).json(&patient).send().await.unwrap();
        assert_eq!(made.status(), 201);
    }
}

fn patients_in(path: &Path) -> i64 {
    let mut connection = SqliteConnection::establish(path.to_str().unwrap()).unwrap();
    let sql = "SELECT count(*) FROM resource WHERE type = 'Patient'";
    let counted = Sql::new(sql).rows::<BigInt>().get_result(&mut connection);
    counted.unwrap()
}

/// Runs to its end, which must be a refusal before anything is served.
fn refused(database_url: &str, secret: Option<&str>) -> Output {
    let mut command = unloop(&["serve"]);
    command
        .env("DATABASE_URL", database_url)
        .env("UNLOOP_BIND", "127.0.0.1:0");
    if let Some(secret) = secret {
        command.env("UNLOOP_SECRET", secret);
    }
    let output = command.output().unwrap();
    assert!(!output.status.success(), "{}", describe(&output));
    output
}

#[tokio::test]
async fn a_file_that_is_copied_alone_while_nobody_writes_has_all_records() {
    let database = Database::sqlite();
    let server = Running::serve(&database.url());
    create_patients(&server, 30).await;
    let copy = tempfile::tempdir().unwrap();
    let copy = copy.path().join("copy.db");
    until("a whole file", async || {
        std::fs::copy(file_of(&database), &copy).unwrap();
        // As it is without the log, which opening it would look for.
        let mut connection = SqliteConnection::establish(copy.to_str().unwrap()).unwrap();
        let sound = connection
            .batch_execute("SELECT count(*) FROM resource")
            .is_ok();
        drop(connection);
        (sound && patients_in(&copy) == 30).then_some(())
    })
    .await;
    server.stop();
}

#[tokio::test]
async fn a_backup_of_a_running_service_restores_all_of_it() {
    let database = Database::sqlite();
    let server = Running::serve(&database.url());
    create_patients(&server, 20).await;
    let elsewhere = tempfile::tempdir().unwrap();
    let copy = elsewhere.path().join("restored.db");
    let backup = || {
        let mut command = unloop(&["backup", copy.to_str().unwrap()]);
        command.env("DATABASE_URL", database.url());
        command
    };
    succeed(&mut backup());
    assert_eq!(mode(&copy), 0o600);
    // What is there is not replaced, and nothing half done is left.
    let again = backup().output().unwrap();
    assert!(
        text(&again.stderr).contains("there is a file already"),
        "{}",
        describe(&again)
    );
    assert_eq!(std::fs::read_dir(elsewhere.path()).unwrap().count(), 1);
    create_patients(&server, 0).await;
    server.stop();

    let url = format!("sqlite:{}", copy.display());
    // Without its secret it is not served, and none is made in silence.
    let output = refused(&url, None);
    for told in [
        "restored.db.secret",
        "UNLOOP_SECRET",
        "key rotate --at-once",
    ] {
        assert!(text(&output.stderr).contains(told), "{}", describe(&output));
    }
    assert!(!beside(&copy, ".secret").exists());
    std::fs::copy(
        beside(&file_of(&database), ".secret"),
        beside(&copy, ".secret"),
    )
    .unwrap();
    let server = Running::serve(&url);
    let found = server
        .client()
        .get(format!("{}/Patient?_summary=count", server.base));
    let found: serde_json::Value = found.send().await.unwrap().json().await.unwrap();
    assert_eq!(found["total"], 20);
    server.stop();
    let verified = succeed(unloop(&["audit", "verify"]).env("DATABASE_URL", &url));
    assert!(verified.contains("whole"), "{verified}");
}

#[tokio::test]
async fn for_postgresql_backup_names_its_tools() {
    let Some(database) = Database::postgres().await else {
        return;
    };
    let output = unloop(&["backup", "/nowhere/x"])
        .env("DATABASE_URL", database.url())
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(
        text(&output.stderr).contains("pg_dump"),
        "{}",
        describe(&output)
    );
}

#[tokio::test]
async fn all_files_are_for_their_owner_alone() {
    let database = Database::sqlite();
    let path = file_of(&database);
    let suffixes = ["", "-wal", "-shm", ".secret"];
    for opened in 0..2 {
        let server = Running::serve(&database.url());
        create_patients(&server, if opened == 0 { 1 } else { 0 }).await;
        for suffix in suffixes {
            assert_eq!(mode(&beside(&path, suffix)), 0o600, "{suffix}");
        }
        server.stop();
        // Left open by an earlier version, or by a copy.
        for suffix in ["", ".secret"] {
            let open = std::fs::Permissions::from_mode(0o644);
            std::fs::set_permissions(beside(&path, suffix), open).unwrap();
        }
    }
}

async fn newer_is_refused(database: Database) {
    let secret = "known to the tests alone: 0123456789";
    Running::serve_with_secret(&database.url()).stop();
    let sql = "INSERT INTO __diesel_schema_migrations (version) VALUES ('9876')";
    database.execute(sql).await;
    let output = refused(&database.url(), Some(secret));
    let told = text(&output.stderr);
    assert!(
        told.contains("9876") && told.contains("newer version"),
        "{told}"
    );
    for command in [&["migrate"][..], &["export"], &["token", "list"]] {
        let output = unloop(command)
            .env("DATABASE_URL", database.url())
            .env("UNLOOP_SECRET", secret)
            .output()
            .unwrap();
        assert!(!output.status.success(), "{command:?}");
        assert!(
            text(&output.stderr).contains("9876"),
            "{}",
            describe(&output)
        );
    }
}

#[tokio::test]
async fn a_newer_database_is_refused_by_name_on_sqlite() {
    newer_is_refused(Database::sqlite()).await;
}

#[tokio::test]
async fn a_newer_database_is_refused_by_name_on_postgres() {
    if let Some(database) = Database::postgres().await {
        newer_is_refused(database).await;
    }
}
