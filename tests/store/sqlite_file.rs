//! What only a store in a file can get wrong.

use std::sync::Arc;

use diesel::connection::SimpleConnection;
use diesel::{Connection, QueryDsl, RunQueryDsl, SqliteConnection};

use unloop::store::sqlite::{SqliteSettings, SqliteStore};
use unloop::store::{Commit, OutboxRow, Store, StoreError};

use crate::fixture::{commit, commit_of, done, put, read};

fn settings() -> SqliteSettings {
    SqliteSettings::default()
}

#[tokio::test]
async fn what_is_not_a_database_is_refused_in_one_line() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("notes.txt");
    std::fs::write(&path, "my notes\n".repeat(1000)).unwrap();
    let url = path.to_str().unwrap();
    let migrated = SqliteStore::migrate(url, &settings()).unwrap_err();
    let opened = SqliteStore::open(url, settings()).err().unwrap();
    for error in [migrated, opened] {
        assert!(matches!(error, StoreError::Corrupt(_)));
        let text = error.to_string();
        assert!(text.contains("not a database") && text.lines().count() == 1);
    }
    let nowhere = folder.path().join("no/such/folder/test.db");
    let error = SqliteStore::open(nowhere.to_str().unwrap(), settings());
    assert!(matches!(error.err(), Some(StoreError::Unavailable(_))));
}

#[tokio::test(flavor = "multi_thread")]
async fn programs_that_start_together_migrate_once() {
    let folder = tempfile::tempdir().unwrap();
    let url = format!("sqlite://{}", folder.path().join("new.db").display());
    let starts = (0..8).map(|_| {
        let url = url.clone();
        tokio::task::spawn_blocking(move || SqliteStore::migrate(&url, &settings()))
    });
    let mut applied = 0;
    for start in futures_util::future::join_all(starts).await {
        applied += usize::from(!start.unwrap().unwrap().is_empty());
    }
    assert_eq!(applied, 1);
    let store = SqliteStore::open(&url, settings()).unwrap();
    assert_eq!(store.ready().await, Ok(()));
}

#[tokio::test]
async fn a_file_without_its_schema_is_not_ready() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("empty.db");
    let url = path.to_str().unwrap();
    let store: Arc<dyn Store> = Arc::new(SqliteStore::open(url, settings()).unwrap());
    assert!(matches!(
        store.ready().await,
        Err(StoreError::Unavailable(_))
    ));
    let refused = commit(&store, vec![put("Patient", "a", "x")]).await;
    assert!(matches!(refused, Err(StoreError::Unavailable(_))));
    SqliteStore::migrate(url, &settings()).unwrap();
    assert_eq!(store.ready().await, Ok(()));
    assert_eq!(done(&store, put("Patient", "a", "x")).await.version, 1);
}

#[tokio::test]
async fn two_programs_write_one_file() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("shared.db");
    let url = path.to_str().unwrap();
    SqliteStore::migrate(url, &settings()).unwrap();
    let open = || -> Arc<dyn Store> { Arc::new(SqliteStore::open(url, settings()).unwrap()) };
    let (one, two) = (open(), open());
    for n in 0..20 {
        let both = futures_util::future::join(
            done(&one, put("Patient", "a", &n.to_string())),
            done(&two, put("Patient", "a", &n.to_string())),
        );
        both.await;
    }
    assert_eq!(read(&one, "Patient", "a").await.unwrap().version, 40);
}

#[tokio::test]
async fn dropping_the_store_writes_what_was_queued() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("test.db");
    let url = path.to_str().unwrap();
    SqliteStore::migrate(url, &settings()).unwrap();
    let store = SqliteStore::open(url, settings()).unwrap();
    for n in 0..50 {
        let change = put("Patient", &format!("p{n}"), "x");
        let mut waiting = store.commit(commit_of(vec![change]));
        assert!(futures_util::poll!(&mut waiting).is_pending());
    }
    drop(store);
    let store: Arc<dyn Store> = Arc::new(SqliteStore::open(url, settings()).unwrap());
    for n in 0..50 {
        assert!(read(&store, "Patient", &format!("p{n}")).await.is_some());
    }
}

#[tokio::test]
async fn a_locked_file_makes_the_store_unavailable_and_then_goes_on() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("test.db");
    let url = path.to_str().unwrap();
    let impatient = SqliteSettings {
        busy_timeout: std::time::Duration::from_millis(20),
        ..settings()
    };
    SqliteStore::migrate(url, &impatient).unwrap();
    let store: Arc<dyn Store> = Arc::new(SqliteStore::open(url, impatient).unwrap());
    let mut other = SqliteConnection::establish(url).unwrap();
    other.batch_execute("BEGIN IMMEDIATE").unwrap();
    let refused = commit(&store, vec![put("Patient", "a", "x")]).await;
    assert!(matches!(refused, Err(StoreError::Unavailable(_))));
    assert_eq!(read(&store, "Patient", "a").await, None);
    other.batch_execute("ROLLBACK").unwrap();
    assert_eq!(done(&store, put("Patient", "a", "x")).await.version, 1);
}

#[tokio::test]
async fn a_failure_half_way_undoes_its_own_commit_only() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("test.db");
    let url = path.to_str().unwrap();
    SqliteStore::migrate(url, &settings()).unwrap();
    SqliteConnection::establish(url)
        .unwrap()
        .batch_execute(
            "CREATE TRIGGER broken BEFORE INSERT ON outbox WHEN NEW.topic = 'broken' \
             BEGIN SELECT RAISE(ABORT, 'broken'); END",
        )
        .unwrap();
    let store: Arc<dyn Store> = Arc::new(SqliteStore::open(url, settings()).unwrap());
    let commits = (0..30).map(|n| {
        let topic = if n % 3 == 0 { "broken" } else { "fine" };
        store.commit(Commit {
            changes: vec![put("Patient", &format!("p{n}"), "x")],
            outbox: vec![OutboxRow {
                topic: topic.into(),
                payload: String::new(),
            }],
            ..Commit::default()
        })
    });
    let results = futures_util::future::join_all(commits).await;
    for (n, result) in results.iter().enumerate() {
        assert_eq!(result.is_ok(), n % 3 != 0);
        let stored = read(&store, "Patient", &format!("p{n}")).await;
        assert_eq!(stored.is_some(), n % 3 != 0);
    }
}

diesel::table! {
    pragma_compile_options (compile_options) {
        compile_options -> Text,
    }
}

/// `.cargo/config.toml` says how, and why.
#[test]
fn sqlite_is_built_without_what_holds_it_back() {
    let mut connection = SqliteConnection::establish(":memory:").unwrap();
    let query = pragma_compile_options::table.select(pragma_compile_options::compile_options);
    let options: Vec<String> = query.load(&mut connection).unwrap();
    let has = |option: &str| options.iter().any(|one| one == option);
    for wanted in ["THREADSAFE=2", "ENABLE_QPSG", "DEFAULT_MEMSTATUS=0"] {
        assert!(has(wanted), "{options:?}");
    }
    for unwanted in ["ENABLE_MEMORY_MANAGEMENT", "ENABLE_STAT4", "ENABLE_FTS5"] {
        assert!(!has(unwanted), "{options:?}");
    }
}
