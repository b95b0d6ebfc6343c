//! A SQLite store in a folder of its own.

use std::sync::Arc;

use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use diesel::sql_types::Text;
use tempfile::TempDir;
use unloop::store::sql::Sql;
use unloop::store::sqlite::{SqliteSettings, SqliteStore};
use unloop::store::{ChainKey, IndexForm, Store};

use crate::fixture::{Bench, STOPPED_CLOCK, chain_key};

pub struct SqliteBench {
    folder: TempDir,
    store: Option<Arc<dyn Store>>,
    chain_key: Option<ChainKey>,
}

pub async fn bench() -> Option<SqliteBench> {
    let folder = tempfile::tempdir().unwrap();
    let mut bench = SqliteBench {
        folder,
        store: None,
        chain_key: Some(chain_key(1)),
    };
    bench.reopen().await;
    Some(bench)
}

impl SqliteBench {
    fn connection(&self) -> SqliteConnection {
        let path = self.folder.path().join("test.db");
        SqliteConnection::establish(path.to_str().unwrap()).unwrap()
    }

    fn url(&self) -> String {
        format!("sqlite:{}", self.folder.path().join("test.db").display())
    }
}

#[async_trait::async_trait]
impl Bench for SqliteBench {
    fn store(&self) -> Arc<dyn Store> {
        self.store.clone().unwrap()
    }

    async fn beside(&self, form: IndexForm) -> Arc<dyn Store> {
        let settings = SqliteSettings {
            clock: Arc::new(|| STOPPED_CLOCK),
            form,
            chain_key: self.chain_key.clone(),
            ..SqliteSettings::default()
        };
        SqliteStore::migrate(&self.url(), &settings).unwrap();
        Arc::new(SqliteStore::open(&self.url(), settings).unwrap())
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
        self.connection().batch_execute(sql).unwrap();
    }

    async fn outbox(&self) -> Vec<(String, String)> {
        let mut connection = self.connection();
        Sql::new("SELECT topic, payload FROM outbox ORDER BY seq")
            .rows::<(Text, Text)>()
            .load(&mut connection)
            .unwrap()
    }
}
