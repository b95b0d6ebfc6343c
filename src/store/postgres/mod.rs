//! The store on PostgreSQL 15 and later.
//!
//! [`writer`] writes (in [`batch`]es, [`lock`]ed and [`judge`]d), the questions
//! come from [`super::sql`], [`connect`] has the connections.

mod batch;
mod connect;
mod dialect;
mod fault;
mod judge;
mod lock;
mod migrate;
mod rows;
mod writer;

use std::time::Duration;

use diesel::sql_types::{BigInt, Nullable};
use diesel_async::methods::LoadQuery;
use diesel_async::pooled_connection::deadpool::{Object, Pool};
use diesel_async::{AsyncPgConnection, RunQueryDsl};

use self::connect::Opener;
use self::dialect::Postgres;
use self::fault::unavailable;
use self::writer::Writer;
use super::gather::{Gather, system_clock};
use super::sql::row::{FoundRow, KeyedRow, StoredRow};
use super::sql::{Sql, Statement, history, row, select};
use super::{
    Commit, Found, HistoryPlan, ResourceKey, Scope, SearchPlan, Store, StoreError, Stored, Version,
};

#[derive(Clone, Debug)]
pub struct PostgresSettings {
    /// Connections for reading; writing has one of its own.
    pub pool_size: usize,
    pub connect_timeout: Duration,
    /// The server gives up a statement that takes longer.
    pub statement_timeout: Duration,
}

impl Default for PostgresSettings {
    fn default() -> Self {
        Self {
            pool_size: 16,
            connect_timeout: Duration::from_secs(5),
            statement_timeout: Duration::from_secs(30),
        }
    }
}

pub struct PostgresStore {
    pool: Pool<AsyncPgConnection>,
    wait: Duration,
    gather: Gather,
}

/// Brings the schema at this address up to date.
pub async fn migrate(url: &str, settings: &PostgresSettings) -> Result<(), StoreError> {
    migrate::run(Opener::new(url, settings).open("").await?).await
}

impl PostgresStore {
    /// The schema must be current; see [`migrate`].
    pub async fn connect(url: &str, settings: PostgresSettings) -> Result<Self, StoreError> {
        let opener = Opener::new(url, &settings);
        let pool = opener.pool()?;
        let last = last_update(opener.open("").await?).await?;
        let (gather, worker) = Gather::new(Writer::new(opener), last, system_clock());
        tokio::spawn(worker);
        Ok(Self {
            pool,
            wait: settings.connect_timeout,
            gather,
        })
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

async fn last_update(mut connection: AsyncPgConnection) -> Result<i64, StoreError> {
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
        let rows: Vec<KeyedRow> = self.load(select::read(&Postgres, scope, keys)).await?;
        row::keyed(rows, keys.len())
    }

    async fn vread(
        &self,
        scope: &Scope,
        key: &ResourceKey,
        version: i64,
    ) -> Result<Option<Stored>, StoreError> {
        let statement = history::vread(&Postgres, scope, key, version);
        let rows: Vec<StoredRow> = self.load(statement).await?;
        rows.into_iter().next().map(row::stored).transpose()
    }

    async fn search(&self, plan: &SearchPlan) -> Result<Found, StoreError> {
        let rows: Vec<FoundRow> = self.load(select::search(&Postgres, plan)?).await?;
        row::found(rows, plan)
    }

    async fn count(&self, plan: &SearchPlan) -> Result<u64, StoreError> {
        let counts: Vec<i64> = self.load(select::count(&Postgres, plan)).await?;
        let count = counts.into_iter().next().unwrap_or(0);
        u64::try_from(count).map_err(|_| StoreError::Corrupt("a negative count".into()))
    }

    async fn history(&self, plan: &HistoryPlan) -> Result<(Vec<Stored>, bool), StoreError> {
        let rows: Vec<StoredRow> = self.load(history::history(&Postgres, plan)).await?;
        row::page(rows, plan.limit)
    }

    async fn commit(&self, commit: Commit) -> Result<Vec<Version>, StoreError> {
        self.gather.commit(commit).await
    }

    async fn ready(&self) -> Result<(), StoreError> {
        let mut connection = self.connection().await?;
        if migrate::is_current(&mut connection).await? {
            Ok(())
        } else {
            Err(unavailable("the schema is not current"))
        }
    }
}
