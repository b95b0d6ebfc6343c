//! The connections that read.

use std::time::Duration;

use diesel_async::methods::LoadQuery;
use diesel_async::pooled_connection::deadpool::{Object, Pool};
use diesel_async::{AsyncPgConnection, RunQueryDsl};

use super::connect::{BY_INDEX, Opener};
use super::fault::unavailable;
use super::settings::PostgresSettings;
use crate::store::StoreError;
use crate::store::sql::Statement;

/// How much a statement may have to look at.
#[derive(Clone, Copy, Debug)]
pub(super) enum Width {
    /// Something known leads to few rows.
    Narrow,
    /// What leads to the rows depends on how frequent the values asked for are.
    Wide,
}

impl Width {
    pub fn of(narrow: bool) -> Self {
        if narrow { Self::Narrow } else { Self::Wide }
    }
}

/// Narrow statements have one plan for all values; wide ones need a plan for the
/// very values, which takes longer to make than most searches take. Narrow ones
/// never wait for a connection behind wide ones.
/// <https://www.postgresql.org/docs/current/runtime-config-query.html#GUC-PLAN-CACHE-MODE>
pub(super) struct Readers {
    narrow: Pool<AsyncPgConnection>,
    wide: Pool<AsyncPgConnection>,
    wait: Duration,
}

impl Readers {
    pub fn new(opener: &Opener, settings: &PostgresSettings) -> Result<Self, StoreError> {
        let size = settings.pool_size;
        let wide = size / 2;
        Ok(Self {
            narrow: opener.pool(size - wide, BY_INDEX)?,
            wide: opener.pool(wide, "SET plan_cache_mode = force_custom_plan")?,
            wait: settings.connect_timeout,
        })
    }

    pub async fn connection(&self, width: Width) -> Result<Object<AsyncPgConnection>, StoreError> {
        let pool = match width {
            Width::Narrow => &self.narrow,
            Width::Wide => &self.wide,
        };
        match tokio::time::timeout(self.wait, pool.get()).await {
            Ok(connection) => connection.map_err(unavailable),
            Err(_) => Err(unavailable("no free connection in time")),
        }
    }

    /// The rows of a search, which knows how much it looks at.
    pub async fn rows_of<Row, Sql>(&self, statement: Statement<Sql>) -> Result<Vec<Row>, StoreError>
    where
        Statement<Sql>: LoadQuery<'static, AsyncPgConnection, Row> + 'static,
        Row: Send + 'static,
    {
        self.rows(Width::of(!statement.is_open()), statement).await
    }

    pub async fn rows<Row, Sql>(
        &self,
        width: Width,
        statement: Statement<Sql>,
    ) -> Result<Vec<Row>, StoreError>
    where
        Statement<Sql>: LoadQuery<'static, AsyncPgConnection, Row> + 'static,
        Row: Send + 'static,
    {
        let mut connection = self.connection(width).await?;
        RunQueryDsl::load(statement.without_nul(), &mut *connection)
            .await
            .map_err(unavailable)
    }
}
