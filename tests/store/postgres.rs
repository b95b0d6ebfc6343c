//! A PostgreSQL store in a database of its own, on the server that
//! `UNLOOP_TEST_POSTGRES_URL` names (its user may make databases).

use std::sync::Arc;

use diesel::sql_types::Text;
use diesel_async::{AsyncConnection, AsyncPgConnection, RunQueryDsl, SimpleAsyncConnection};
use unloop::store::Store;
use unloop::store::postgres::{PostgresSettings, PostgresStore};
use unloop::store::sql::Sql;

use crate::fixture::{Bench, STOPPED_CLOCK};

const SERVER: &str = "UNLOOP_TEST_POSTGRES_URL";

pub struct PostgresBench {
    server: String,
    database: String,
    store: Option<Arc<dyn Store>>,
}

pub async fn bench() -> Option<PostgresBench> {
    let Ok(server) = std::env::var(SERVER) else {
        assert_ne!(std::env::var("CI").as_deref(), Ok("true"), "set {SERVER}");
        eprintln!("skipped: {SERVER} is not set");
        return None;
    };
    let database = format!("unloop_test_{}", uuid::Uuid::now_v7().simple());
    command(&server, &format!("CREATE DATABASE {database}")).await;
    let mut bench = PostgresBench {
        server,
        database,
        store: None,
    };
    bench.reopen().await;
    Some(bench)
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

    async fn reopen(&mut self) {
        self.store = None;
        let settings = PostgresSettings {
            pool_size: 4,
            clock: Arc::new(|| STOPPED_CLOCK),
            ..PostgresSettings::default()
        };
        let url = self.url();
        PostgresStore::migrate(&url, &settings).await.unwrap();
        let store = PostgresStore::connect(&url, settings).await.unwrap();
        self.store = Some(Arc::new(store));
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
