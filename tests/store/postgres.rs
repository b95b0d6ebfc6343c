//! A PostgreSQL store in a database of its own, on the server that
//! `UNLOOP_TEST_POSTGRES_URL` names (its user may make databases).

use std::sync::Arc;
use std::time::Duration;

use diesel::sql_types::Text;
use diesel_async::{AsyncConnection, AsyncPgConnection, RunQueryDsl, SimpleAsyncConnection};
use unloop::store::postgres::{PostgresSettings, PostgresStore};
use unloop::store::sql::Sql;
use unloop::store::{ChainKey, IndexForm, Store};

use crate::fixture::{Bench, STOPPED_CLOCK, chain_key, commit, put, read};

const SERVER: &str = "UNLOOP_TEST_POSTGRES_URL";

/// Ends all other connections to the database.
const CUT: &str = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity \
     WHERE datname = current_database() AND pid <> pg_backend_pid()";

pub struct PostgresBench {
    server: String,
    database: String,
    store: Option<Arc<dyn Store>>,
    chain_key: Option<ChainKey>,
}

pub async fn bench() -> Option<PostgresBench> {
    let Ok(server) = std::env::var(SERVER) else {
        assert_ne!(std::env::var("CI").as_deref(), Ok("true"), "set {SERVER}");
        eprintln!("skipped: {SERVER} is not set");
        return None;
    };
    let mut bench = empty(server).await;
    bench.reopen().await;
    Some(bench)
}

/// A database without a schema.
async fn empty(server: String) -> PostgresBench {
    let database = format!("unloop_test_{}", uuid::Uuid::now_v7().simple());
    command(&server, &format!("CREATE DATABASE {database}")).await;
    PostgresBench {
        server,
        database,
        store: None,
        chain_key: Some(chain_key(1)),
    }
}

async fn command(url: &str, sql: &str) {
    let mut connection = AsyncPgConnection::establish(url).await.unwrap();
    connection.batch_execute(sql).await.unwrap();
}

impl PostgresBench {
    fn url(&self) -> String {
        let (address, query) = match self.server.split_once('?') {
            Some((address, query)) => (address, format!("?{query}")),
            None => (self.server.as_str(), String::new()),
        };
        let (host, _) = address.rsplit_once('/').expect("a URL with a database");
        format!("{host}/{}{query}", self.database)
    }
}

#[async_trait::async_trait]
impl Bench for PostgresBench {
    fn store(&self) -> Arc<dyn Store> {
        self.store.clone().unwrap()
    }

    async fn beside(&self, form: IndexForm) -> Arc<dyn Store> {
        let settings = PostgresSettings {
            pool_size: 4,
            // The suite asks for answers, not for speed, and machines are busy.
            statement_timeout: Duration::from_secs(600),
            clock: Arc::new(|| STOPPED_CLOCK),
            form,
            chain_key: self.chain_key.clone(),
            ..PostgresSettings::default()
        };
        let url = self.url();
        PostgresStore::migrate(&url, &settings).await.unwrap();
        Arc::new(PostgresStore::connect(&url, settings).await.unwrap())
    }

    async fn reopen(&mut self) {
        self.store = None;
        self.store = Some(self.beside(IndexForm::default()).await);
    }

    async fn reopen_under(&mut self, key: Option<ChainKey>) {
        self.chain_key = key;
        self.reopen().await;
    }

    async fn execute(&self, sql: &str) {
        command(&self.url(), sql).await;
    }

    async fn analyze(&self) {
        command(&self.url(), "ANALYZE").await;
    }

    async fn outbox(&self) -> Vec<(String, String)> {
        let mut connection = AsyncPgConnection::establish(&self.url()).await.unwrap();
        let rows = Sql::new("SELECT topic, payload FROM outbox ORDER BY seq");
        RunQueryDsl::load(rows.rows::<(Text, Text)>(), &mut connection)
            .await
            .unwrap()
    }
}

impl Drop for PostgresBench {
    fn drop(&mut self) {
        let sql = format!("DROP DATABASE {} WITH (FORCE)", self.database);
        let server = self.server.clone();
        // The test's own runtime is busy dropping this.
        let dropping = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()
                .unwrap();
            runtime.block_on(command(&server, &sql));
        });
        dropping.join().unwrap();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn instances_that_start_together_migrate_one_after_the_other() {
    let Ok(server) = std::env::var(SERVER) else {
        return;
    };
    let bench = empty(server).await;
    let (url, settings) = (bench.url(), PostgresSettings::default());
    let unready = PostgresStore::connect(&url, settings.clone())
        .await
        .unwrap();
    assert!(unready.ready().await.is_err());
    let migrations = (0..4).map(|_| PostgresStore::migrate(&url, &settings));
    let applied = futures_util::future::join_all(migrations).await;
    let applied = applied.into_iter().map(Result::unwrap);
    assert_eq!(applied.filter(|names| !names.is_empty()).count(), 1);
    assert_eq!(unready.ready().await, Ok(()));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn connections_that_the_server_closed_are_replaced() {
    let Some(bench) = bench().await else {
        return;
    };
    let store = bench.store();
    commit(&store, vec![put("Patient", "a", "x")])
        .await
        .unwrap();
    assert!(read(&store, "Patient", "a").await.is_some());
    command(&bench.url(), CUT).await;
    // What was under way may fail; what comes after must not.
    drop(commit(&store, vec![put("Patient", "b", "x")]).await);
    drop(store.ready().await);
    commit(&store, vec![put("Patient", "c", "x")])
        .await
        .unwrap();
    assert!(read(&store, "Patient", "c").await.is_some());
}

/// A standby that takes over may not know the last numbers that were given out,
/// and give them to another instance.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn after_a_server_was_lost_no_number_that_it_gave_out_is_used() {
    let Some(bench) = bench().await else {
        return;
    };
    let (store, other) = (bench.store(), bench.beside(IndexForm::default()).await);
    commit(&store, vec![put("Patient", "a", "x")])
        .await
        .unwrap();
    let again = "ALTER SEQUENCE resource_rid RESTART WITH 2";
    command(&bench.url(), again).await;
    for number in 0..30 {
        commit(&other, vec![put("Patient", &format!("o{number}"), "x")])
            .await
            .unwrap();
    }
    command(&bench.url(), CUT).await;
    drop(commit(&store, vec![put("Patient", "b", "x")]).await);
    commit(&store, vec![put("Patient", "c", "x")])
        .await
        .unwrap();
}
