//! The registry's changes, within the transaction of their commit.

use diesel::{OptionalExtension, RunQueryDsl, SqliteConnection};

use super::error::store_error;
use crate::store::registry::{RegistryChange, RegistryEntry, RegistryKey, RegistryWrite, refusal};
use crate::store::sql::registry::{self, EntryRow, EntrySql};
use crate::store::sql::{Bind, Sql};
use crate::store::{Commit, StoreError};

/// When a commit happens: `now` says what has expired, `made` grows with every commit.
#[derive(Clone, Copy)]
pub struct When {
    pub now: i64,
    pub made: i64,
}

/// Every change is judged by what stood before the commit, then all are made.
pub fn apply(
    connection: &mut SqliteConnection,
    commit: &Commit,
    when: When,
) -> Result<(), StoreError> {
    let mut before = Vec::with_capacity(commit.registry.len());
    for (number, change) in commit.registry.iter().enumerate() {
        let current = current(connection, &change.key)?;
        if let Some(conflict) = refusal(&change.write, current.as_ref(), when.now) {
            return Err(StoreError::Registry {
                change: number,
                conflict,
            });
        }
        before.push(current);
    }
    for (change, current) in commit.registry.iter().zip(&before) {
        write(connection, change, current.as_ref(), when)?;
    }
    if commit.moves_epoch() {
        let mut sql = Sql::default();
        registry::move_epoch(&mut sql, when.made);
        execute(connection, sql)?;
    }
    Ok(())
}

fn current(
    connection: &mut SqliteConnection,
    key: &RegistryKey,
) -> Result<Option<RegistryEntry>, StoreError> {
    let mut sql = Sql::new("SELECT kind, id, version, body, expires FROM registry WHERE kind = ");
    sql.text(key.kind.as_str());
    sql.sql(" AND id = ").text(key.id.as_str());
    let row: Option<EntryRow> = sql
        .rows::<EntrySql>()
        .get_result(connection)
        .optional()
        .map_err(store_error)?;
    Ok(row.map(registry::entry))
}

fn write(
    connection: &mut SqliteConnection,
    change: &RegistryChange,
    current: Option<&RegistryEntry>,
    when: When,
) -> Result<(), StoreError> {
    let key = &change.key;
    let mut sql = Sql::default();
    match &change.write {
        RegistryWrite::Insert { body, expires } | RegistryWrite::Replace { body, expires, .. } => {
            let version = current.map_or(when.made, |current| when.made.max(current.version + 1));
            sql.sql("INSERT OR REPLACE INTO registry (kind, id, version, expires, body) VALUES (");
            sql.text(key.kind.as_str());
            sql.sql(", ").text(key.id.as_str());
            sql.sql(", ").big(version);
            sql.sql(", ").bind(Bind::NullableBig(*expires));
            sql.sql(", ").text(body.as_str()).sql(")");
        }
        RegistryWrite::Delete { .. } => {
            write_delete(&mut sql, key);
        }
        RegistryWrite::Purge => {
            write_delete(&mut sql, key);
            sql.sql(" AND expires <= ").big(when.now);
        }
    }
    execute(connection, sql)
}

fn write_delete(sql: &mut Sql, key: &RegistryKey) {
    sql.sql("DELETE FROM registry WHERE kind = ");
    sql.text(key.kind.as_str());
    sql.sql(" AND id = ").text(key.id.as_str());
}

fn execute(connection: &mut SqliteConnection, sql: Sql) -> Result<(), StoreError> {
    sql.command()
        .execute(connection)
        .map(drop)
        .map_err(store_error)
}
