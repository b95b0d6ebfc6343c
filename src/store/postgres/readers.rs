//! The connections that read.

use std::future::Future;
use std::time::{Duration, Instant};

use diesel::result::{DatabaseErrorKind, Error};
use diesel_async::methods::LoadQuery;
use diesel_async::pooled_connection::deadpool::{Object, Pool};
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use futures_util::{StreamExt as _, TryFutureExt as _};
use tokio::sync::{Semaphore, SemaphorePermit};

use super::connect::{BY_INDEX, Opener};
use super::fault::unavailable;
use super::settings::PostgresSettings;
use crate::budget::{self, BudgetExceeded};
use crate::store::StoreError;
use crate::store::page::{PageFill, RecordRow};
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

/// How long a statement may take before it goes to the slow lane.
const QUICK: Duration = Duration::from_secs(1);

/// Wide statements are planned for the very values.
const BY_VALUES: &str = "SET plan_cache_mode = force_custom_plan";

/// Narrow statements have one plan for all values; wide ones need a plan for the
/// very values, which takes longer to make than most searches take. Narrow ones
/// never wait for a connection behind wide ones, and neither behind those that take
/// long: these are ended, and asked again on connections of their own.
/// <https://www.postgresql.org/docs/current/runtime-config-query.html#GUC-PLAN-CACHE-MODE>
pub(super) struct Readers {
    narrow: Pool<AsyncPgConnection>,
    wide: Pool<AsyncPgConnection>,
    /// The same two for what takes long, which so many questions do at a time.
    slow_narrow: Pool<AsyncPgConnection>,
    slow_wide: Pool<AsyncPgConnection>,
    slow: Semaphore,
    wait: Duration,
    quick_time: Duration,
    slow_time: Duration,
}

impl Readers {
    pub fn new(opener: &Opener, settings: &PostgresSettings) -> Result<Self, StoreError> {
        let size = settings.pool_size;
        let wide = size / 2;
        let slow_time = settings.read_timeout;
        let quick_time = QUICK.min(slow_time);
        let session = |plans: &str, most: Duration| {
            format!("SET statement_timeout = {}; {plans}", most.as_millis())
        };
        Ok(Self {
            narrow: opener.pool(size - wide, session(BY_INDEX, quick_time))?,
            wide: opener.pool(wide, session(BY_VALUES, quick_time))?,
            slow_narrow: opener.pool(settings.slow_readers, session(BY_INDEX, slow_time))?,
            slow_wide: opener.pool(settings.slow_readers, session(BY_VALUES, slow_time))?,
            slow: Semaphore::new(settings.slow_readers.max(1)),
            wait: settings.connect_timeout,
            quick_time,
            slow_time,
        })
    }

    pub async fn connection(&self, width: Width) -> Result<Object<AsyncPgConnection>, StoreError> {
        let pool = match width {
            Width::Narrow => &self.narrow,
            Width::Wide => &self.wide,
        };
        match tokio::time::timeout(budget::time_left(self.wait), pool.get()).await {
            Ok(connection) => connection.map_err(unavailable),
            Err(_) => Err(unavailable("no free connection in time")),
        }
    }

    /// A connection of the slow lane, with the plans that the width has.
    async fn slow_connection(
        &self,
        width: Width,
    ) -> Result<(SemaphorePermit<'_>, Object<AsyncPgConnection>), StoreError> {
        let pool = match width {
            Width::Narrow => &self.slow_narrow,
            Width::Wide => &self.slow_wide,
        };
        let wait = budget::time_left(self.slow_time.saturating_add(self.slow_time));
        let place = tokio::time::timeout(wait, self.slow.acquire()).await;
        let place = place
            .map_err(|_| BudgetExceeded::Busy)?
            .map_err(unavailable)?;
        match tokio::time::timeout(budget::time_left(self.wait), pool.get()).await {
            Ok(connection) => Ok((place, connection.map_err(unavailable)?)),
            Err(_) => Err(unavailable("no free connection in time")),
        }
    }

    /// The records of a search that fit, and whether there are more. A search knows
    /// how much it looks at.
    pub async fn records_of<Row, Sql>(
        &self,
        statement: Statement<Sql>,
        fill: PageFill,
    ) -> Result<(Vec<Row>, bool), StoreError>
    where
        Statement<Sql>: LoadQuery<'static, AsyncPgConnection, Row> + 'static,
        Row: RecordRow + Send + 'static,
    {
        let width = Width::of(!statement.is_open());
        self.records(width, statement, fill).await
    }

    pub async fn records<Row, Sql>(
        &self,
        width: Width,
        statement: Statement<Sql>,
        fill: PageFill,
    ) -> Result<(Vec<Row>, bool), StoreError>
    where
        Statement<Sql>: LoadQuery<'static, AsyncPgConnection, Row> + 'static,
        Row: RecordRow + Send + 'static,
    {
        let statement = statement.without_nul();
        let mut connection = self.connection(width).await?;
        let quick = collect(&mut connection, statement.clone(), fill.clone());
        match timed(self.quick_time, quick).await {
            Err(StoreError::Exceeded(BudgetExceeded::Statement)) => {
                drop(connection);
                let (_place, mut connection) = self.slow_connection(width).await?;
                let slow = collect(&mut connection, statement, fill);
                timed(self.slow_time, slow).await
            }
            done => done,
        }
    }

    /// The rows of a question that asks for no records.
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
        let statement = statement.without_nul();
        let mut connection = self.connection(width).await?;
        let quick = RunQueryDsl::load(statement.clone(), &mut *connection);
        match timed(self.quick_time, quick.map_err(Asked::Database)).await {
            Err(StoreError::Exceeded(BudgetExceeded::Statement)) => {
                drop(connection);
                let (_place, mut connection) = self.slow_connection(width).await?;
                let slow = RunQueryDsl::load(statement, &mut *connection);
                timed(self.slow_time, slow.map_err(Asked::Database)).await
            }
            done => done,
        }
    }
}

/// Why a statement has no answer.
enum Asked {
    Database(Error),
    Exceeded(BudgetExceeded),
}

impl From<Error> for Asked {
    fn from(error: Error) -> Self {
        Self::Database(error)
    }
}

async fn collect<Row, Sql>(
    connection: &mut AsyncPgConnection,
    statement: Statement<Sql>,
    mut fill: PageFill,
) -> Result<(Vec<Row>, bool), Asked>
where
    Statement<Sql>: LoadQuery<'static, AsyncPgConnection, Row> + 'static,
    Row: RecordRow + Send + 'static,
{
    let mut rows = Vec::new();
    let mut coming = std::pin::pin!(RunQueryDsl::load_stream(statement, connection).await?);
    while let Some(row) = coming.next().await {
        let row = row?;
        if !fill.add_row(&row).map_err(Asked::Exceeded)? {
            return Ok((rows, true));
        }
        rows.push(row);
    }
    Ok((rows, false))
}

/// Notes how long the database worked, and tells a statement that it ended for
/// taking longer than `most` from other failures. The text of the error depends on
/// the language of the server.
async fn timed<T>(
    most: Duration,
    asked: impl Future<Output = Result<T, Asked>>,
) -> Result<T, StoreError> {
    let begun = Instant::now();
    let answered = asked.await;
    let took = begun.elapsed();
    if let Some(budget) = budget::current() {
        budget.note_work(took);
    }
    answered.map_err(|problem| match problem {
        Asked::Exceeded(exceeded) => exceeded.into(),
        Asked::Database(error) => {
            let refused = matches!(error, Error::DatabaseError(DatabaseErrorKind::Unknown, _));
            match refused && took >= most {
                true => BudgetExceeded::Statement.into(),
                false => unavailable(error),
            }
        }
    })
}
