//! A fresh database for each test.

use std::sync::Arc;

use diesel::{Connection, SqliteConnection};
use diesel_async::{AsyncConnection, AsyncPgConnection, SimpleAsyncConnection};
use unloop::store::postgres::{PostgresSettings, PostgresStore};
use unloop::store::sqlite::{SqliteSettings, SqliteStore};
use unloop::store::{ChainKey, Store};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StoreKind {
    Sqlite,
    Postgres,
}

/// Goes away with the value.
pub enum Database {
    Sqlite { folder: tempfile::TempDir },
    Postgres { server: String, name: String },
}

impl Database {
    /// `None` where there is no PostgreSQL to test with, which CI does not accept.
    pub async fn create(kind: StoreKind) -> Option<(Self, Arc<dyn Store>)> {
        match kind {
            StoreKind::Sqlite => {
                let folder = tempfile::tempdir().unwrap();
                let url = format!("sqlite:{}", folder.path().join("test.db").display());
                SqliteStore::migrate(&url, &SqliteSettings::default()).unwrap();
                let database = Self::Sqlite { folder };
                let store = database.open().await;
                Some((database, store))
            }
            StoreKind::Postgres => {
                let server = postgres_server()?;
                let name = format!("api_{}", uuid::Uuid::now_v7().simple());
                execute(&server, &format!("CREATE DATABASE {name}")).await;
                let database = Self::Postgres { server, name };
                PostgresStore::migrate(&database.url(), &postgres(None))
                    .await
                    .unwrap();
                let store = database.open().await;
                Some((database, store))
            }
        }
    }

    fn url(&self) -> String {
        match self {
            Self::Sqlite { folder } => {
                format!("sqlite:{}", folder.path().join("test.db").display())
            }
            Self::Postgres { server, name } => {
                let (base, _) = server.rsplit_once('/').unwrap();
                format!("{base}/{name}")
            }
        }
    }

    /// A store of its own on the same database.
    pub async fn open(&self) -> Arc<dyn Store> {
        self.open_under(Some(chain_key())).await
    }

    /// The same; its chains of the audit trail begin under this key.
    pub async fn open_under(&self, key: Option<ChainKey>) -> Arc<dyn Store> {
        match self {
            Self::Sqlite { .. } => Arc::new(SqliteStore::open(&self.url(), sqlite(key)).unwrap()),
            Self::Postgres { .. } => Arc::new(
                PostgresStore::connect(&self.url(), postgres(key))
                    .await
                    .unwrap(),
            ),
        }
    }
}

impl Database {
    pub async fn execute(&self, sql: &str) {
        match self {
            Self::Sqlite { folder } => {
                let path = folder.path().join("test.db");
                let mut file = SqliteConnection::establish(path.to_str().unwrap()).unwrap();
                diesel::connection::SimpleConnection::batch_execute(&mut file, sql).unwrap();
            }
            Self::Postgres { server, name } => {
                let (base, _) = server.rsplit_once('/').unwrap();
                execute(&format!("{base}/{name}"), sql).await;
            }
        }
    }
}

/// What the audit trail of the tests is sealed with.
pub fn chain_key() -> ChainKey {
    ChainKey::new(&[1; 32])
}

fn sqlite(chain_key: Option<ChainKey>) -> SqliteSettings {
    SqliteSettings {
        chain_key,
        ..SqliteSettings::default()
    }
}

fn postgres(chain_key: Option<ChainKey>) -> PostgresSettings {
    PostgresSettings {
        pool_size: 8,
        chain_key,
        ..PostgresSettings::default()
    }
}

fn postgres_server() -> Option<String> {
    let url = std::env::var("UNLOOP_TEST_POSTGRES_URL").ok();
    if url.is_none() {
        assert_ne!(
            std::env::var("CI").as_deref(),
            Ok("true"),
            "CI tests PostgreSQL too"
        );
        eprintln!("skipped on PostgreSQL: UNLOOP_TEST_POSTGRES_URL is not set (make test sets it)");
    }
    url
}

async fn execute(server: &str, sql: &str) {
    let mut connection = <AsyncPgConnection as AsyncConnection>::establish(server)
        .await
        .unwrap();
    connection.batch_execute(sql).await.unwrap();
}

impl Drop for Database {
    fn drop(&mut self) {
        let Self::Postgres { server, name } = self else {
            return;
        };
        let (server, sql) = (server.clone(), format!("DROP DATABASE {name} WITH (FORCE)"));
        std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build();
            runtime.unwrap().block_on(execute(&server, &sql));
        })
        .join()
        .unwrap();
    }
}
