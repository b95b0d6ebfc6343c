//! Commits, as many as wait in one transaction.

use std::time::Duration;

use diesel::connection::SimpleConnection;
use diesel::sql_types::{BigInt, Bool};
use diesel::{OptionalExtension, RunQueryDsl, SqliteConnection};

use super::audit;
use super::checkpoint::CheckpointPace;
use super::dialect::SqliteDialect;
use super::error::store_error;
use super::file::FileIdentity;
use super::index;
use super::newest::newest_time;
use super::registry::{self, When};
use super::reindex;
use super::settings::SqliteSettings;
use crate::store::gather::{Clock, CommitGroup, TimedCommit};
use crate::store::sql::row::method_code;
use crate::store::sql::{Bind, Sql, select};
use crate::store::{
    ChainKey, ChainPlace, Change, Commit, Conflict, Effect, Growing, Guard, IndexForm, IndexRows,
    Method, OutboxRow, ResourceKey, StoreError, Version, Write,
};

type CommitResult = Result<Vec<Version>, StoreError>;

/// Why a group was not committed.
enum Failed {
    /// One commit could not be written.
    One(StoreError),
    All(StoreError),
}

/// The one connection that writes.
pub struct Writer {
    connection: SqliteConnection,
    clock: Clock,
    form: IndexForm,
    file: FileIdentity,
    checkpoints: CheckpointPace,
    /// As it is stored, or none yet.
    chain: Option<Growing>,
    /// Where it ended with the last commit that is durable.
    durable: Option<ChainPlace>,
    chain_key: Option<ChainKey>,
}

impl Writer {
    pub fn new(
        connection: SqliteConnection,
        file: FileIdentity,
        settings: &SqliteSettings,
    ) -> Self {
        Self {
            connection,
            file,
            checkpoints: CheckpointPace::new(),
            durable: None,
            clock: settings.clock.clone(),
            form: settings.form,
            chain: None,
            chain_key: settings.chain_key.clone(),
        }
    }

    fn commit_all(&mut self, group: &[TimedCommit]) -> Result<Vec<CommitResult>, Failed> {
        self.file.refuse_replaced().map_err(Failed::All)?;
        self.run("BEGIN IMMEDIATE").map_err(Failed::All)?;
        if let Some(durable) = &self.durable {
            audit::refuse_put_back(&mut self.connection, durable).map_err(Failed::All)?;
        }
        let end = self.chain.clone();
        let shift = self.shift(group).map_err(Failed::All)?;
        let results = group.iter().map(|timed| self.commit_one(timed, shift));
        let results: Vec<_> = results.collect::<Result<_, _>>().map_err(Failed::One)?;
        let mut kept = None;
        if let Some(chain) = self.chain.as_ref().filter(|_| self.chain != end) {
            let chain = chain.kept();
            audit::keep_end(&mut self.connection, &chain).map_err(Failed::All)?;
            kept = Some(chain.end);
        }
        self.run("COMMIT").map_err(Failed::All)?;
        self.durable = kept.or(self.durable.take());
        self.checkpoints.note_commit();
        if self.checkpoints.is_due() {
            self.checkpoints.write_back(&mut self.connection);
        }
        Ok(results)
    }

    /// How far the group's times move, so that they are behind all that is stored.
    /// The transaction holds the only write lock: what another process wrote is
    /// seen, and nobody gives out a time besides.
    fn shift(&mut self, group: &[TimedCommit]) -> Result<i64, StoreError> {
        let mut writing = group.iter();
        let Some(first) = writing.find(|timed| !timed.commit.changes.is_empty()) else {
            return Ok(0);
        };
        let newest = newest_time(&mut self.connection)?;
        Ok(newest.saturating_add(1).saturating_sub(first.made).max(0))
    }

    /// The inner result is this commit's own. Every commit is judged before it
    /// writes, so a refusal leaves nothing behind; a savepoint to take other
    /// failures back would copy each page that any commit touches.
    fn commit_one(&mut self, timed: &TimedCommit, shift: i64) -> Result<CommitResult, StoreError> {
        let when = When {
            now: (self.clock)(),
            made: timed.made.saturating_add(shift),
        };
        if !timed.commit.changes.is_empty()
            && let Err(refusal) = reindex::admit(&mut self.connection, self.form)
        {
            return Ok(Err(refusal));
        }
        let versions = match apply(&mut self.connection, &timed.commit, when) {
            Err(error @ (StoreError::Conflict { .. } | StoreError::Registry { .. })) => {
                return Ok(Err(error));
            }
            result => result?,
        };
        let rows = timed.commit.audit.clone();
        let key = self.chain_key.as_ref();
        audit::append(&mut self.connection, &mut self.chain, key, rows, when.made)?;
        Ok(Ok(versions))
    }

    fn take_back(&mut self) {
        // How far the old chain got is not known for certain.
        self.chain = None;
        // Where SQLite has ended the transaction itself, this fails.
        if let Err(error) = self.run("ROLLBACK") {
            tracing::debug!(%error, "nothing to roll back");
        }
    }

    /// So that one commit's trouble stays its own.
    fn commit_alone(&mut self, timed: &TimedCommit) -> CommitResult {
        match self.commit_all(std::slice::from_ref(timed)) {
            Ok(results) => {
                let versions = results.into_iter().collect::<Result<Vec<_>, _>>();
                versions.map(|versions| versions.concat())
            }
            Err(Failed::One(error) | Failed::All(error)) => {
                self.take_back();
                Err(error)
            }
        }
    }

    fn run(&mut self, sql: &str) -> Result<(), StoreError> {
        self.connection.batch_execute(sql).map_err(store_error)
    }
}

#[async_trait::async_trait]
impl CommitGroup for Writer {
    /// Blocks; the worker has a thread of its own.
    async fn commit_group(&mut self, group: Vec<TimedCommit>) -> Vec<CommitResult> {
        let failed = match self.commit_all(&group) {
            Ok(results) => return results,
            Err(failed) => failed,
        };
        self.take_back();
        match failed {
            Failed::One(_) if group.len() > 1 => {
                group.iter().map(|timed| self.commit_alone(timed)).collect()
            }
            Failed::One(error) | Failed::All(error) => vec![Err(error); group.len()],
        }
    }

    fn patience(&self) -> Option<Duration> {
        self.checkpoints.patience()
    }

    async fn settle_down(&mut self) {
        self.checkpoints.write_back(&mut self.connection);
    }
}

/// Guards are judged by what stood before the commit, then all is written.
fn apply(connection: &mut SqliteConnection, commit: &Commit, when: When) -> CommitResult {
    let updated = when.made;
    let mut before = Vec::with_capacity(commit.changes.len());
    for (number, change) in commit.changes.iter().enumerate() {
        let current = current(connection, &change.key)?;
        if let Some(conflict) = conflict(connection, change, current.as_ref())? {
            return Err(StoreError::Conflict {
                change: number,
                conflict,
            });
        }
        before.push(current);
    }
    registry::apply(connection, commit, when)?;
    let mut versions = Vec::with_capacity(commit.changes.len());
    for (change, current) in commit.changes.iter().zip(before) {
        versions.push(write(connection, change, current, updated)?);
    }
    for row in &commit.outbox {
        write_outbox(connection, row.clone(), updated)?;
    }
    Ok(versions)
}

/// What stands under a key.
pub struct Current {
    pub rid: i64,
    pub version: i64,
    updated: i64,
    pub live: bool,
}

pub fn current(
    connection: &mut SqliteConnection,
    key: &ResourceKey,
) -> Result<Option<Current>, StoreError> {
    let mut sql =
        Sql::new("SELECT rid, version, updated, body IS NOT NULL FROM resource WHERE type = ");
    sql.text(key.resource_type.as_str());
    sql.sql(" AND id = ").text(key.id.as_str());
    let row = sql
        .rows::<(BigInt, BigInt, BigInt, Bool)>()
        .get_result(connection)
        .optional()
        .map_err(store_error)?;
    Ok(row.map(|(rid, version, updated, live)| Current {
        rid,
        version,
        updated,
        live,
    }))
}

fn conflict(
    connection: &mut SqliteConnection,
    change: &Change,
    current: Option<&Current>,
) -> Result<Option<Conflict>, StoreError> {
    let live = current.filter(|current| current.live);
    Ok(match &change.guard {
        Guard::None => None,
        Guard::New | Guard::Absent => current.map(|_| Conflict::Exists),
        Guard::VersionIs(version) => {
            let current = live.map(|current| current.version);
            (current != Some(*version)).then_some(Conflict::Version { current })
        }
        // The transaction holds the only write lock, whatever the locks are.
        Guard::NoMatch { plan, .. } => {
            let statement = select::matches(&SqliteDialect::probing(connection), plan)?;
            let rows: Vec<i64> = statement.load(connection).map_err(store_error)?;
            (!rows.is_empty()).then_some(Conflict::Matched)
        }
    })
}

fn write(
    connection: &mut SqliteConnection,
    change: &Change,
    current: Option<Current>,
    updated: i64,
) -> Result<Version, StoreError> {
    let version = current.as_ref().map_or(0, |current| current.version) + 1;
    let live = current.as_ref().is_some_and(|current| current.live);
    let nowhere = IndexRows::default();
    let (effect, body, index) = match &change.write {
        Write::Keep => return Ok(nothing(current)),
        Write::Delete if !live => return Ok(nothing(current)),
        Write::Delete => (Effect::Deleted, None, &nowhere),
        Write::Put { body, index } if live => (Effect::Updated, Some(body.clone()), index),
        Write::Put { body, index } => (Effect::Created, Some(body.clone()), index),
    };
    let row = Row {
        version,
        updated,
        method: change.method,
        body,
        index,
    };
    let rid = match current {
        None => insert(connection, &change.key, row)?,
        Some(current) => {
            replace(connection, current.rid, row)?;
            if current.live {
                index::remove(connection, current.rid, index)?;
            }
            current.rid
        }
    };
    index::insert(connection, rid, index)?;
    Ok(Version {
        version,
        updated,
        effect,
    })
}

fn nothing(current: Option<Current>) -> Version {
    Version {
        version: current.as_ref().map_or(0, |current| current.version),
        updated: current.as_ref().map_or(0, |current| current.updated),
        effect: Effect::Nothing,
    }
}

/// What an insert and an update have in common.
struct Row<'r> {
    version: i64,
    updated: i64,
    method: Method,
    body: Option<String>,
    index: &'r IndexRows,
}

fn insert(
    connection: &mut SqliteConnection,
    key: &ResourceKey,
    row: Row,
) -> Result<i64, StoreError> {
    let mut sql = Sql::new(
        "INSERT INTO resource (type, id, version, updated, method, identity, owner, \
         moment_low, moment_high, ordering, body) VALUES (",
    );
    sql.text(key.resource_type.as_str()).sql(", ");
    sql.text(key.id.as_str()).sql(", ");
    sql.big(row.version);
    for bind in binds(row) {
        sql.sql(", ").bind(bind);
    }
    sql.sql(") RETURNING rid");
    sql.rows::<BigInt>()
        .get_result(connection)
        .map_err(store_error)
}

/// Moves what stands to the history and puts the new version in its place.
fn replace(connection: &mut SqliteConnection, rid: i64, row: Row) -> Result<(), StoreError> {
    let mut sql = Sql::new(
        "INSERT INTO history (rid, version, type, id, updated, superseded, method, body) \
         SELECT rid, version, type, id, updated, ",
    );
    sql.big(row.updated);
    sql.sql(", method, body FROM resource WHERE rid = ")
        .big(rid);
    execute(connection, sql)?;
    let mut sql = Sql::new("UPDATE resource SET version = ");
    sql.big(row.version);
    let columns = [
        ", updated = ",
        ", method = ",
        ", identity = ",
        ", owner = ",
        ", moment_low = ",
        ", moment_high = ",
        ", ordering = ",
        ", body = ",
    ];
    for (column, bind) in columns.into_iter().zip(binds(row)) {
        sql.sql(column).bind(bind);
    }
    sql.sql(" WHERE rid = ").big(rid);
    execute(connection, sql)
}

/// `updated, method, identity, owner, moment_low, moment_high, ordering, body`.
fn binds(row: Row) -> [Bind; 8] {
    let [identity, owner, low, high, ordering] = index::columns(row.index).map(|(_, bind)| bind);
    [
        Bind::Big(row.updated),
        Bind::Small(method_code(row.method)),
        identity,
        owner,
        low,
        high,
        ordering,
        Bind::NullableText(row.body),
    ]
}

fn write_outbox(
    connection: &mut SqliteConnection,
    row: OutboxRow,
    created: i64,
) -> Result<(), StoreError> {
    let mut sql = Sql::new("INSERT INTO outbox (created, topic, payload) VALUES (");
    sql.big(created).sql(", ").text(row.topic);
    sql.sql(", ").text(row.payload).sql(")");
    execute(connection, sql)
}

fn execute(connection: &mut SqliteConnection, sql: Sql) -> Result<(), StoreError> {
    sql.command()
        .execute(connection)
        .map(drop)
        .map_err(store_error)
}
