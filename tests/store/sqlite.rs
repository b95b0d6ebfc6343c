//! A SQLite store in a folder of its own.

use std::sync::Arc;

use diesel::prelude::*;
use diesel::sql_types::Text;
use tempfile::TempDir;
use unloop::store::Store;
use unloop::store::sql::Sql;
use unloop::store::sqlite::{SqliteSettings, SqliteStore};

use crate::fixture::{Bench, STOPPED_CLOCK};

pub struct SqliteBench {
    folder: TempDir,
    store: Option<Arc<dyn Store>>,
}

pub async fn bench() -> Option<SqliteBench> {
    let folder = tempfile::tempdir().unwrap();
    let mut bench = SqliteBench {
        folder,
        store: None,
    };
    bench.reopen().await;
    Some(bench)
}

impl SqliteBench {
    fn url(&self) -> String {
        format!("sqlite:{}", self.folder.path().join("test.db").display())
    }
}

#[async_trait::async_trait]
impl Bench for SqliteBench {
    fn store(&self) -> Arc<dyn Store> {
        self.store.clone().unwrap()
    }

    async fn reopen(&mut self) {
        self.store = None;
        let settings = SqliteSettings {
            clock: Arc::new(|| STOPPED_CLOCK),
            ..SqliteSettings::default()
        };
        SqliteStore::migrate(&self.url(), &settings).unwrap();
        self.store = Some(Arc::new(SqliteStore::open(&self.url(), settings).unwrap()));
    }

    async fn outbox(&self) -> Vec<(String, String)> {
        let path = self.folder.path().join("test.db");
        let mut connection = SqliteConnection::establish(path.to_str().unwrap()).unwrap();
        Sql::new("SELECT topic, payload FROM outbox ORDER BY seq")
            .rows::<(Text, Text)>()
            .load(&mut connection)
            .unwrap()
    }
}
