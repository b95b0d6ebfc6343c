//! The connections that read.

use std::time::Duration;

use diesel_async::methods::LoadQuery;
use diesel_async::pooled_connection::deadpool::{Object, Pool};
use diesel_async::{AsyncPgConnection, RunQueryDsl};

use super::connect::Opener;
use super::fault::unavailable;
use super::settings::PostgresSettings;
use crate::store::StoreError;
use crate::store::sql::Statement;

/// How much a statement may have to look at.
#[derive(Clone, Copy, Debug)]
pub(super) enum Width {
    /// A key, an id or an owner leads to the rows.
    Narrow,
    /// What leads to the rows depends on how frequent the values asked for are.
    Wide,
}

impl Width {
    pub fn of(narrow: bool) -> Self {
        if narrow { Self::Narrow } else { Self::Wide }
    }
}

/// A plan for any value is as good as another for narrow statements and saves
/// the time to make one; wide ones need a plan for the very values. Narrow
/// ones never wait for a connection behind wide ones.
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
            narrow: opener.pool(size - wide, "")?,
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
