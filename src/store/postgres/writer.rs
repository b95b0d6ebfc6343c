//! Carries out groups of commits in as few transactions and round trips as
//! their guards allow.

use std::ops::Range;
use std::time::Duration;

use diesel::sql_types::BigInt;
use diesel_async::pooled_connection::PoolableConnection;
use diesel_async::{AsyncPgConnection, RunQueryDsl, SimpleAsyncConnection};
use futures_util::future::try_join;

use super::audit::{self, Appended};
use super::batch;
use super::columns::Row;
use super::connect::{BY_INDEX, Opener};
use super::fault::Fault;
use super::judge::{Standing, Verdict, judge};
use super::lock;
use super::rows::Rows;
use super::settings::PostgresSettings;
use crate::store::audit::PUT_BACK;
use crate::store::gather::{Clock, CommitGroup, TimedCommit};
use crate::store::sql::{Sql, Statement};
use crate::store::{
    ChainKey, ChainPlace, Commit, Effect, Growing, Guard, IndexForm, StoreError, Version,
};

/// Tries of one batch before its commits are tried one by one, and of one commit.
const ATTEMPTS: u32 = 4;

/// The sequence gives out numbers in blocks of this size (see the migration).
const RID_BLOCK: i64 = 1000;

/// An instance that stops in the middle of a commit does not hold up the others for long.
const LOCKS: &str = "SET lock_timeout = '5s'; SET idle_in_transaction_session_timeout = '10s'";

/// What runs first on a connection that writes.
pub(super) fn session() -> String {
    format!("{BY_INDEX}; {LOCKS}")
}

pub(super) type Outcome = Result<Vec<Version>, StoreError>;

pub(super) struct Writer {
    opener: Opener,
    /// Here only between groups, without an open transaction.
    connection: Option<AsyncPgConnection>,
    clock: Clock,
    /// As it is stored, or none yet.
    chain: Option<Growing>,
    chain_key: Option<ChainKey>,
    /// Where it ended with the last commit that is durable.
    durable: Option<ChainPlace>,
    /// The database is not the one that this program knows.
    put_back: bool,
    form: IndexForm,
    /// Numbers that no row has yet.
    rids: Range<i64>,
}

#[async_trait::async_trait]
impl CommitGroup for Writer {
    async fn commit_group(&mut self, group: Vec<TimedCommit>) -> Vec<Outcome> {
        let commits: Vec<&Commit> = group.iter().map(|timed| &timed.commit).collect();
        let mut outcomes: Vec<(usize, Outcome)> = Vec::with_capacity(group.len());
        for places in batch::split(&commits) {
            let members = places.iter().filter_map(|place| group.get(*place));
            let members: Vec<&TimedCommit> = members.collect();
            outcomes.extend(places.into_iter().zip(self.persist(&members).await));
        }
        outcomes.sort_by_key(|(place, _)| *place);
        outcomes.into_iter().map(|(_, outcome)| outcome).collect()
    }
}

impl Writer {
    pub fn new(opener: Opener, settings: &PostgresSettings) -> Self {
        Self {
            opener,
            connection: None,
            clock: settings.clock.clone(),
            chain: None,
            chain_key: settings.chain_key.clone(),
            durable: None,
            put_back: false,
            form: settings.form,
            rids: 0..0,
        }
    }

    /// Together if possible; where that fails, each alone, so that one
    /// commit's trouble stays its own.
    async fn persist(&mut self, batch: &[&TimedCommit]) -> Vec<Outcome> {
        match self.retry(batch).await {
            Err(Fault::Again(_)) if batch.len() > 1 => {
                let mut outcomes = Vec::with_capacity(batch.len());
                for commit in batch {
                    let alone = self.retry(std::slice::from_ref(commit)).await;
                    outcomes.extend(settled(alone, 1));
                }
                outcomes
            }
            result => settled(result, batch.len()),
        }
    }

    async fn retry(&mut self, batch: &[&TimedCommit]) -> Result<Vec<Outcome>, Fault> {
        let mut attempt = 1;
        loop {
            match self.attempt(batch).await {
                Err(Fault::Again(reason)) if attempt < ATTEMPTS => {
                    tracing::debug!(attempt, reason, "a batch of commits is tried again");
                    tokio::time::sleep(Duration::from_millis(1 << attempt)).await;
                    attempt += 1;
                }
                result => return result,
            }
        }
    }

    async fn attempt(&mut self, batch: &[&TimedCommit]) -> Result<Vec<Outcome>, Fault> {
        if self.put_back {
            return Err(Fault::Down(StoreError::Unavailable(PUT_BACK.to_owned())));
        }
        let connection = self.connection().await?;
        let guards = || batch.iter().flat_map(|timed| &timed.commit.changes);
        let registers = batch.iter().any(|timed| !timed.commit.registry.is_empty());
        let fresh = !registers && guards().all(|change| change.guard == Guard::New);
        let now = (self.clock)();
        let standing = if fresh {
            Standing::default()
        } else {
            lock::stand(&connection, batch).await?
        };
        let (mut outcomes, verdicts) = judge_all(batch, &standing, now);
        let mut rows = self.rows(&connection, &verdicts).await?;
        for (timed, _) in &verdicts {
            rows.registered.push(timed, &standing.entries, now);
        }
        rows.appended = self.append(&connection, &verdicts).await?;
        let chain = rows
            .appended
            .as_ref()
            .map(|appended| appended.chain.clone());
        match rows.statement(self.form, self.durable.as_ref()) {
            Some(statement) => {
                let written = write(&connection, statement, !fresh).await;
                if let Err(Fault::Again(reason)) = &written
                    && reason.contains(PUT_BACK)
                {
                    self.put_back = true;
                }
                if let Err(Fault::Unknown(_)) = &written {
                    // How far the old chain got is not known.
                    self.chain = None;
                }
                let shift = written?;
                outcomes
                    .iter_mut()
                    .for_each(|outcome| later(outcome, shift));
            }
            None if fresh => {}
            None => end(&connection, "ROLLBACK").await?,
        }
        if let Some(chain) = &chain {
            self.durable = Some(chain.end_place());
        }
        self.chain = chain.or(self.chain.take());
        self.connection = Some(connection);
        Ok(outcomes)
    }

    async fn rows(
        &mut self,
        connection: &AsyncPgConnection,
        accepted: &[(&TimedCommit, Vec<Verdict>)],
    ) -> Result<Rows, Fault> {
        let mut rows = Rows::default();
        for (timed, verdicts) in accepted {
            for (change, verdict) in timed.commit.changes.iter().zip(verdicts) {
                if verdict.version.effect == Effect::Nothing {
                    continue;
                }
                let rid = match verdict.current {
                    Some(current) => current.rid,
                    None => self.rid(connection).await?,
                };
                let row = Row::new(rid, change, verdict.version);
                match verdict.current {
                    Some(current) => rows.supersede(&row, current.updated),
                    None => rows.insert(&change.key, &row),
                }
            }
            for message in &timed.commit.outbox {
                rows.send(message, timed.made);
            }
        }
        Ok(rows)
    }

    /// What the accepted commits add to the audit trail.
    async fn append(
        &mut self,
        connection: &AsyncPgConnection,
        accepted: &[(&TimedCommit, Vec<Verdict>)],
    ) -> Result<Option<Appended>, Fault> {
        let mut rows = Vec::new();
        for (timed, _) in accepted {
            rows.extend(timed.commit.audit.iter().map(|row| (timed.made, row)));
        }
        let [(began, _), ..] = rows.as_slice() else {
            return Ok(None);
        };
        let chain = match &self.chain {
            Some(chain) => chain.clone(),
            None => audit::begin(connection, self.chain_key.as_ref(), *began).await?,
        };
        let mut appended = Appended::to(chain);
        for (made, row) in rows {
            appended.push(made, row);
        }
        Ok(Some(appended))
    }

    /// A number that no other row has; a round trip once in [`RID_BLOCK`].
    async fn rid(&mut self, mut connection: &AsyncPgConnection) -> Result<i64, Fault> {
        if let Some(rid) = self.rids.next() {
            return Ok(rid);
        }
        let next = Sql::new("SELECT nextval('resource_rid')").rows::<BigInt>();
        let first: i64 = RunQueryDsl::get_result(next, &mut connection).await?;
        self.rids = first + 1..first + RID_BLOCK;
        Ok(first)
    }

    async fn connection(&mut self) -> Result<AsyncPgConnection, Fault> {
        if let Some(mut connection) = self.connection.take()
            && !connection.is_broken()
        {
            return Ok(connection);
        }
        // It may lead to a standby that took over and does not know which numbers were
        // given out.
        self.rids = 0..0;
        self.opener.open(&session()).await.map_err(Fault::Down)
    }
}

/// The outcome of each commit, and the verdicts on those that may happen.
fn judge_all<'a>(
    batch: &[&'a TimedCommit],
    standing: &Standing,
    now: i64,
) -> (Vec<Outcome>, Vec<(&'a TimedCommit, Vec<Verdict>)>) {
    let mut accepted = Vec::with_capacity(batch.len());
    let outcomes = batch.iter().enumerate().map(|(place, timed)| {
        judge(timed, place, standing, now).map(|verdicts| {
            let versions = verdicts.iter().map(|verdict| verdict.version).collect();
            accepted.push((*timed, verdicts));
            versions
        })
    });
    let outcomes = outcomes.collect();
    (outcomes, accepted)
}

fn settled(result: Result<Vec<Outcome>, Fault>, commits: usize) -> Vec<Outcome> {
    result.unwrap_or_else(|fault| vec![Err(fault.into()); commits])
}

/// The versions got their times behind what other instances had written by then.
fn later(outcome: &mut Outcome, shift: i64) {
    let versions = outcome.iter_mut().flatten();
    for version in versions.filter(|version| version.effect != Effect::Nothing) {
        version.updated = version.updated.saturating_add(shift);
    }
}

/// Writes and commits in one round trip, and says how far the times of the versions
/// moved. Without an open transaction the statement is one by itself.
async fn write(
    connection: &AsyncPgConnection,
    statement: Statement<BigInt>,
    in_transaction: bool,
) -> Result<i64, Fault> {
    let mut pipe = connection;
    let written = RunQueryDsl::get_result(statement.without_nul(), &mut pipe);
    let result = if in_transaction {
        // COMMIT goes through the statement cache as well: its queue keeps the order.
        let committed = RunQueryDsl::execute(Sql::new("COMMIT").command(), &mut pipe);
        try_join(written, committed).await.map(|(shift, _)| shift)
    } else {
        written.await
    };
    let error = match result {
        Ok(shift) => return Ok(shift),
        Err(error) => error,
    };
    // A server that refused the statement and still answers has written nothing.
    if Fault::is_refusal(&error) && end(connection, "ROLLBACK").await.is_ok() {
        return Err(Fault::Again(error.to_string()));
    }
    Err(Fault::Unknown(error.to_string()))
}

async fn end(mut connection: &AsyncPgConnection, command: &str) -> Result<(), Fault> {
    connection.batch_execute(command).await.map_err(Fault::from)
}
