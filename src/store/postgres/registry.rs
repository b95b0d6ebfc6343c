//! The registry's changes of a batch: read under their locks, judged, and
//! gathered for the batch's one statement.

use std::collections::HashMap;

use diesel_async::{AsyncPgConnection, RunQueryDsl};

use super::fault::Fault;
use super::parts::{Parts, select_unnest};
use crate::store::gather::TimedCommit;
use crate::store::registry::{RegistryEntry, RegistryKey, RegistryWrite, refusal};
use crate::store::sql::registry::{self, EntryRow, EntrySql};
use crate::store::sql::{Bind, Sql};
use crate::store::{Commit, StoreError};

pub(super) type Entries = HashMap<RegistryKey, RegistryEntry>;

/// What stands under the keys that the batch changes.
pub(super) async fn entries(
    mut connection: &AsyncPgConnection,
    batch: &[&TimedCommit],
) -> Result<Entries, Fault> {
    let changes = batch.iter().flat_map(|timed| &timed.commit.registry);
    let (kinds, ids): (Vec<_>, Vec<_>) = changes
        .map(|change| (change.key.kind.clone(), change.key.id.clone()))
        .unzip();
    if kinds.is_empty() {
        return Ok(Entries::new());
    }
    let mut sql =
        Sql::new("SELECT r.kind, r.id, r.version, r.body, r.expires FROM registry r JOIN unnest(");
    sql.bind(Bind::TextArray(kinds)).sql(", ");
    sql.bind(Bind::TextArray(ids));
    sql.sql(") AS n(kind, id) ON r.kind = n.kind AND r.id = n.id");
    let rows: Vec<EntryRow> =
        RunQueryDsl::load(sql.rows::<EntrySql>().without_nul(), &mut connection).await?;
    let rows = rows.into_iter().map(registry::entry);
    Ok(rows.map(|entry| (entry.key.clone(), entry)).collect())
}

/// The first change that may not happen.
pub(super) fn judge(commit: &Commit, entries: &Entries, now: i64) -> Result<(), StoreError> {
    for (change, registered) in commit.registry.iter().enumerate() {
        let current = entries.get(&registered.key);
        if let Some(conflict) = refusal(&registered.write, current, now) {
            return Err(StoreError::Registry { change, conflict });
        }
    }
    Ok(())
}

/// Every pair of a kind and an id stands in a batch once.
#[derive(Default)]
pub(super) struct Registered {
    kinds: Vec<String>,
    ids: Vec<String>,
    versions: Vec<i64>,
    bodies: Vec<String>,
    expires: Vec<Option<i64>>,
    removed: (Vec<String>, Vec<String>),
    /// When the epoch moves, if it does.
    moves_epoch: Option<i64>,
}

impl Registered {
    pub fn push(&mut self, timed: &TimedCommit, entries: &Entries, now: i64) {
        if timed.commit.moves_epoch() {
            self.moves_epoch = self.moves_epoch.max(Some(timed.made));
        }
        for change in &timed.commit.registry {
            let current = entries.get(&change.key);
            let key = &change.key;
            match &change.write {
                RegistryWrite::Insert { body, expires }
                | RegistryWrite::Replace { body, expires, .. } => {
                    let made = timed.made;
                    let version = current.map_or(made, |current| made.max(current.version + 1));
                    self.kinds.push(key.kind.clone());
                    self.ids.push(key.id.clone());
                    self.versions.push(version);
                    self.bodies.push(body.clone());
                    self.expires.push(*expires);
                }
                RegistryWrite::Purge if current.is_some_and(|entry| entry.is_live(now)) => {}
                RegistryWrite::Delete { .. } | RegistryWrite::Purge => {
                    self.removed.0.push(key.kind.clone());
                    self.removed.1.push(key.id.clone());
                }
            }
        }
    }

    pub fn write(self, parts: &mut Parts) {
        if !self.kinds.is_empty() {
            let sql = parts.next();
            sql.sql("INSERT INTO registry (kind, id, version, body, expires)");
            let first = [
                Bind::TextArray(self.kinds),
                Bind::TextArray(self.ids),
                Bind::BigArray(self.versions),
            ];
            let then = [
                Bind::TextArray(self.bodies),
                Bind::NullableBigArray(self.expires),
            ];
            select_unnest(sql, first, then);
            sql.sql(
                " ON CONFLICT (kind, id) DO UPDATE SET version = excluded.version, \
                 body = excluded.body, expires = excluded.expires",
            );
        }
        if !self.removed.0.is_empty() {
            let sql = parts.next();
            sql.sql("DELETE FROM registry r USING unnest(");
            sql.bind(Bind::TextArray(self.removed.0)).sql(", ");
            sql.bind(Bind::TextArray(self.removed.1));
            sql.sql(") AS n(kind, id) WHERE r.kind = n.kind AND r.id = n.id");
        }
        if let Some(made) = self.moves_epoch {
            registry::move_epoch(parts.next(), made);
        }
    }
}
