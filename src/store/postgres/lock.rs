//! Holds still what a batch is judged by: the rows it changes and the locks of
//! its conditions. <https://www.postgresql.org/docs/current/explicit-locking.html>

use diesel::sql_types::{BigInt, Bool, Text};
use diesel_async::{AsyncPgConnection, RunQueryDsl, SimpleAsyncConnection};
use futures_util::future::{join_all, try_join3};

use super::batch::commit_locks;
use super::dialect::Postgres;
use super::fault::Fault;
use super::judge::{Current, Standing};
use super::registry;
use crate::store::gather::TimedCommit;
use crate::store::sql::select;
use crate::store::sql::{Bind, Sql, Statement};
use crate::store::{Guard, ResourceKey, SearchPlan};

pub(super) type LockedSql = (Text, Text, BigInt, BigInt, BigInt, Bool);
pub(super) type LockedRow = (String, String, i64, i64, i64, bool);

/// Opens a transaction and says how things stand in it. Every batch takes
/// rows before locks, and each kind in order, so that two never wait for each
/// other in a circle.
pub(super) async fn stand(
    mut connection: &AsyncPgConnection,
    batch: &[&TimedCommit],
) -> Result<Standing, Fault> {
    let mut pipe = connection;
    let rows = RunQueryDsl::load(lock_rows(batch).without_nul(), &mut pipe);
    let locks = RunQueryDsl::execute(take_locks(batch), &mut pipe);
    // Polled in this order, they go out in this order, all at once.
    let ((), rows, _): ((), Vec<LockedRow>, usize) =
        try_join3(connection.batch_execute("BEGIN"), rows, locks)
            .await
            .map_err(Fault::from)?;
    // These begin after the locks are ours, and so see what their last owner wrote.
    let matched = matched(pipe, batch).await?;
    let entries = registry::entries(pipe, batch).await?;
    let current = rows.into_iter().map(current).collect();
    Ok(Standing {
        current,
        matched,
        entries,
    })
}

fn current((resource_type, id, rid, version, updated, live): LockedRow) -> (ResourceKey, Current) {
    let current = Current {
        rid,
        version,
        updated,
        live,
    };
    (ResourceKey { resource_type, id }, current)
}

fn lock_rows(batch: &[&TimedCommit]) -> Statement<LockedSql> {
    let changes = batch.iter().flat_map(|timed| &timed.commit.changes);
    let old = changes.filter(|change| change.guard != Guard::New);
    lock_keys(old.map(|change| &change.key))
}

pub(super) fn lock_keys<'k>(keys: impl Iterator<Item = &'k ResourceKey>) -> Statement<LockedSql> {
    let (types, ids) = keys
        .map(|key| (key.resource_type.clone(), key.id.clone()))
        .unzip();
    let mut sql = Sql::new(
        "SELECT r.type, r.id, r.rid, r.version, r.updated, r.body IS NOT NULL FROM unnest(",
    );
    sql.bind(Bind::TextArray(types)).sql(", ");
    sql.bind(Bind::TextArray(ids));
    sql.sql(
        ") AS n(type, id) JOIN resource r ON r.type = n.type AND r.id = n.id \
         ORDER BY r.type, r.id FOR NO KEY UPDATE OF r",
    );
    sql.rows()
}

fn take_locks(batch: &[&TimedCommit]) -> Statement {
    let locks = batch.iter().flat_map(|timed| commit_locks(&timed.commit));
    let mut locks: Vec<i64> = locks.collect();
    locks.sort_unstable();
    let mut sql = Sql::new("SELECT pg_advisory_xact_lock(n.lock) FROM unnest(");
    sql.bind(Bind::BigArray(locks)).sql(") AS n(lock)");
    sql.command()
}

/// The places (commit, change) of the conditions that something matches.
async fn matched(
    connection: &AsyncPgConnection,
    batch: &[&TimedCommit],
) -> Result<Vec<(usize, usize)>, Fault> {
    let plans = batch.iter().enumerate().flat_map(|(place, timed)| {
        let changes = timed.commit.changes.iter().enumerate();
        changes.filter_map(move |(number, change)| match &change.guard {
            Guard::NoMatch { plan, .. } => Some(((place, number), plan.as_ref())),
            _ => None,
        })
    });
    let questions = plans.map(|(place, plan)| async move {
        let found = matches(connection, plan).await?;
        Ok::<_, Fault>(found.then_some(place))
    });
    let answers: Result<Vec<_>, Fault> = join_all(questions).await.into_iter().collect();
    Ok(answers?.into_iter().flatten().collect())
}

async fn matches(mut connection: &AsyncPgConnection, plan: &SearchPlan) -> Result<bool, Fault> {
    let statement = select::matches(&Postgres::default(), plan)?;
    let rows: Vec<i64> = RunQueryDsl::load(statement.without_nul(), &mut connection).await?;
    Ok(!rows.is_empty())
}
