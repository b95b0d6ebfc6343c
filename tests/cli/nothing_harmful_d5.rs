//! D5: readiness is false while nothing could be served, and answers in any case.

use std::process::Command;
use std::time::{Duration, Instant};

use crate::support::{Database, Running, SECRET, unloop, until};

/// The statuses of live and ready. Both answer within seconds, also while the database hangs.
async fn health(server: &Running) -> (u16, u16) {
    let root = server.base.strip_suffix("/fhir").unwrap();
    let ask = async |what: &str| {
        let begun = Instant::now();
        let answer = reqwest::get(format!("{root}/health/{what}")).await.unwrap();
        // Two seconds, and what a busy machine adds.
        assert!(begun.elapsed() < Duration::from_secs(20));
        answer.status().as_u16()
    };
    (ask("live").await, ask("ready").await)
}

async fn becomes(server: &Running, expected: u16) {
    until("the state", async || {
        let (live, ready) = health(server).await;
        assert_eq!(live, 200);
        (ready == expected).then_some(())
    })
    .await;
}

async fn another_secret(database: Database) {
    let server = Running::serve_with_secret(&database.url());
    server.token();
    assert_eq!(health(&server).await, (200, 200));
    server.stop();
    let server = Running::start(
        unloop(&["serve"])
            .env("DATABASE_URL", database.url())
            .env("UNLOOP_BIND", "127.0.0.1:0")
            .env("UNLOOP_SECRET", format!("not {SECRET}")),
    );
    assert_eq!(health(&server).await, (200, 503));
    server.signal("TERM");
    let (_, log) = server.end();
    assert!(log.contains("tokens cannot be issued"), "{log}");
    assert!(
        log.contains("not ready") && log.contains("UNLOOP_SECRET"),
        "{log}"
    );
}

#[tokio::test]
async fn under_another_secret_it_is_not_ready_on_sqlite() {
    another_secret(Database::sqlite()).await;
}

#[tokio::test]
async fn under_another_secret_it_is_not_ready_on_postgres() {
    if let Some(database) = Database::postgres().await {
        another_secret(database).await;
    }
}

#[tokio::test]
async fn a_corrupt_file_is_noticed() {
    use std::io::{Seek as _, SeekFrom, Write as _};
    let database = Database::sqlite();
    let server = Running::serve(&database.url());
    server.token();
    becomes(&server, 200).await;
    let path = database.url().strip_prefix("sqlite:").unwrap().to_owned();
    // Once the log is written back, what is in the file counts.
    tokio::time::sleep(Duration::from_secs(3)).await;
    let mut file = std::fs::OpenOptions::new().write(true).open(&path).unwrap();
    let length = file.metadata().unwrap().len();
    file.seek(SeekFrom::Start(4096)).unwrap();
    file.write_all(&vec![0x5a; usize::try_from(length).unwrap() - 4096])
        .unwrap();
    file.sync_all().unwrap();
    becomes(&server, 503).await;
}

#[tokio::test]
async fn a_file_that_was_replaced_is_noticed() {
    let database = Database::sqlite();
    let server = Running::serve(&database.url());
    becomes(&server, 200).await;
    let path = database.url().strip_prefix("sqlite:").unwrap().to_owned();
    std::fs::copy(&path, format!("{path}.other")).unwrap();
    std::fs::rename(format!("{path}.other"), &path).unwrap();
    becomes(&server, 503).await;
}

/// Writes fail, and then succeed again.
#[tokio::test]
async fn while_writes_fail_it_is_not_ready() {
    let database = Database::sqlite();
    let server = Running::serve(&database.url());
    becomes(&server, 200).await;
    for table in ["audit", "registry"] {
        let sql = format!(
            "CREATE TRIGGER full_{table} BEFORE INSERT ON {table} \
             BEGIN SELECT RAISE(FAIL, 'database or disk is full'); END"
        );
        database.execute(&sql).await;
    }
    becomes(&server, 503).await;
    database
        .execute("DROP TRIGGER full_audit; DROP TRIGGER full_registry")
        .await;
    becomes(&server, 200).await;
}

#[tokio::test]
async fn without_a_table_postgres_is_not_ready() {
    let Some(database) = Database::postgres().await else {
        return;
    };
    let server = Running::serve_with_secret(&database.url());
    becomes(&server, 200).await;
    database.execute("ALTER TABLE history RENAME TO lost").await;
    becomes(&server, 503).await;
    database.execute("ALTER TABLE lost RENAME TO history").await;
    becomes(&server, 200).await;
}

/// A small file system of its own, where one may be mounted.
struct SmallDisk(tempfile::TempDir);

impl SmallDisk {
    fn mount() -> Option<Self> {
        let folder = tempfile::tempdir().unwrap();
        let mounted = Command::new("mount")
            .args(["-t", "tmpfs", "-o", "size=16m", "tmpfs"])
            .arg(folder.path())
            .output();
        mounted
            .is_ok_and(|it| it.status.success())
            .then_some(Self(folder))
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        Command::new("umount")
            .arg("-l")
            .arg(self.0.path())
            .status()
            .ok();
    }
}

#[tokio::test]
async fn with_a_full_disk_it_is_not_ready() {
    let Some(disk) = SmallDisk::mount() else {
        eprintln!("skipped: no file system can be mounted here");
        return;
    };
    let url = format!("sqlite:{}", disk.0.path().join("small.db").display());
    let server = Running::serve(&url);
    becomes(&server, 200).await;
    let filler = disk.0.path().join("filler");
    // As much as there is room for.
    std::fs::write(&filler, vec![0; 32 << 20]).unwrap_err();
    becomes(&server, 503).await;
    std::fs::remove_file(&filler).unwrap();
    becomes(&server, 200).await;
}

/// Stops the processes that serve a database, as long as it lives.
struct Frozen(Vec<String>);

impl Frozen {
    fn signal(&self, name: &str) -> bool {
        let sent = Command::new("kill")
            .args(["-s", name])
            .args(&self.0)
            .status();
        sent.is_ok_and(|status| status.success())
    }
}

impl Drop for Frozen {
    fn drop(&mut self) {
        self.signal("CONT");
    }
}

#[tokio::test]
async fn with_a_frozen_database_it_is_not_ready() {
    let Some(database) = Database::postgres().await else {
        return;
    };
    let server = Running::serve_with_secret(&database.url());
    becomes(&server, 200).await;
    let mut processes = Vec::new();
    let all = "SELECT CAST(pid AS BIGINT) FROM pg_stat_activity WHERE application_name = 'unloop' \
               AND datname = current_database() ORDER BY pid";
    for place in 0..32 {
        let one = format!("{all} LIMIT 1 OFFSET {place}");
        processes.extend(database.number(&one).await.map(|pid| pid.to_string()));
    }
    assert!(!processes.is_empty());
    let frozen = Frozen(processes);
    if !frozen.signal("STOP") {
        eprintln!("skipped: the processes of the database belong to somebody else");
        return;
    }
    becomes(&server, 503).await;
    drop(frozen);
    becomes(&server, 200).await;
}
