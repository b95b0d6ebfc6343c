//! [`Store`] on PostgreSQL.

use std::time::Duration;

use diesel::sql_types::{BigInt, Nullable};
use diesel_async::methods::LoadQuery;
use diesel_async::pooled_connection::deadpool::{Object, Pool};
use diesel_async::{AsyncPgConnection, RunQueryDsl};

use super::connect::Opener;
use super::dialect::Postgres;
use super::fault::unavailable;
use super::migration;
use super::settings::PostgresSettings;
use super::writer::Writer;
use crate::store::gather::Gather;
use crate::store::sql::{Sql, Statement, history, row, select};
use crate::store::{
    Commit, Found, HistoryPlan, ResourceKey, Scope, SearchPlan, Store, StoreError, Stored, Version,
};

pub struct PostgresStore {
    pool: Pool<AsyncPgConnection>,
    wait: Duration,
    gather: Gather,
}

impl PostgresStore {
    /// Connects, and does not touch the schema.
    pub async fn connect(url: &str, settings: PostgresSettings) -> Result<Self, StoreError> {
        let opener = Opener::new(url, &settings)?;
        let pool = opener.pool()?;
        let last = newest(opener.open("").await?).await?;
        let (gather, worker) = Gather::new(Writer::new(opener), last, settings.clock);
        // A task of its own: a request that is given up does not take its commit along.
        tokio::spawn(worker);
        Ok(Self {
            pool,
            wait: settings.connect_timeout,
            gather,
        })
    }

    /// Brings the schema up to date and names what was applied. Instances
    /// that start together do it one after the other.
    pub async fn migrate(
        url: &str,
        settings: &PostgresSettings,
    ) -> Result<Vec<String>, StoreError> {
        migration::run(Opener::new(url, settings)?.open("").await?).await
    }

    /// The migrations that the database lacks.
    pub async fn pending_migrations(&self) -> Result<Vec<String>, StoreError> {
        migration::pending(&mut *self.connection().await?).await
    }

    async fn connection(&self) -> Result<Object<AsyncPgConnection>, StoreError> {
        match tokio::time::timeout(self.wait, self.pool.get()).await {
            Ok(connection) => connection.map_err(unavailable),
            Err(_) => Err(unavailable("no free connection in time")),
        }
    }

    async fn load<Row, Sql>(&self, statement: Statement<Sql>) -> Result<Vec<Row>, StoreError>
    where
        Statement<Sql>: LoadQuery<'static, AsyncPgConnection, Row> + 'static,
        Row: Send + 'static,
    {
        let mut connection = self.connection().await?;
        RunQueryDsl::load(statement, &mut *connection)
            .await
            .map_err(unavailable)
    }
}

/// The newest time that is stored, from which time goes on.
async fn newest(mut connection: AsyncPgConnection) -> Result<i64, StoreError> {
    if !migration::has_table(&mut connection, "resource").await? {
        return Ok(0);
    }
    let newest = Sql::new("SELECT max(updated) FROM resource").rows::<Nullable<BigInt>>();
    let newest: Option<i64> = RunQueryDsl::get_result(newest, &mut connection)
        .await
        .map_err(unavailable)?;
    Ok(newest.unwrap_or(0))
}

#[async_trait::async_trait]
impl Store for PostgresStore {
    async fn read(
        &self,
        scope: &Scope,
        keys: &[ResourceKey],
    ) -> Result<Vec<Option<Stored>>, StoreError> {
        if keys.is_empty() {
            return Ok(Vec::new());
        }
        let rows = self.load(select::read(&Postgres, scope, keys)).await?;
        row::keyed(rows, keys.len())
    }

    async fn vread(
        &self,
        scope: &Scope,
        key: &ResourceKey,
        version: i64,
    ) -> Result<Option<Stored>, StoreError> {
        let statement = history::vread(&Postgres, scope, key, version);
        let rows = self.load(statement).await?;
        rows.into_iter().next().map(row::stored).transpose()
    }

    async fn search(&self, plan: &SearchPlan) -> Result<Found, StoreError> {
        let rows = self.load(select::search(&Postgres, plan)?).await?;
        row::found(rows, plan)
    }

    async fn count(&self, plan: &SearchPlan) -> Result<u64, StoreError> {
        let rows: Vec<i64> = self.load(select::count(&Postgres, plan)).await?;
        row::counted(&rows)
    }

    async fn history(&self, plan: &HistoryPlan) -> Result<(Vec<Stored>, bool), StoreError> {
        let rows = self.load(history::history(&Postgres, plan)).await?;
        row::page(rows, plan.limit)
    }

    async fn commit(&self, commit: Commit) -> Result<Vec<Version>, StoreError> {
        self.gather.commit(commit).await
    }

    async fn ready(&self) -> Result<(), StoreError> {
        match self.pending_migrations().await?.as_slice() {
            [] => Ok(()),
            pending => Err(StoreError::Unavailable(format!(
                "migrations are missing: {}",
                pending.join(", ")
            ))),
        }
    }
}
