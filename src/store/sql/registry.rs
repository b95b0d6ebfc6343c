//! The questions on the registry.

use diesel::sql_types::{BigInt, Nullable, Text};

use super::statement::{Sql, Statement};
use crate::store::StoreError;
use crate::store::registry::{RegistryEntry, RegistryKey};

/// `kind, id, version, body, expires`.
pub type EntrySql = (Text, Text, BigInt, Text, Nullable<BigInt>);
pub type EntryRow = (String, String, i64, String, Option<i64>);

pub fn entry((kind, id, version, body, expires): EntryRow) -> RegistryEntry {
    RegistryEntry {
        key: RegistryKey { kind, id },
        version,
        body,
        expires,
    }
}

pub fn get(kind: &str, id: &str, now: i64) -> Statement<EntrySql> {
    let mut sql = of_kind(kind, now);
    sql.sql(" AND id = ").text(id);
    sql.rows()
}

pub fn list(kind: &str, now: i64) -> Statement<EntrySql> {
    let mut sql = of_kind(kind, now);
    sql.sql(" ORDER BY id");
    sql.rows()
}

fn of_kind(kind: &str, now: i64) -> Sql {
    let mut sql = Sql::new("SELECT kind, id, version, body, expires FROM registry WHERE kind = ");
    sql.text(kind);
    sql.sql(" AND (expires IS NULL OR expires > ").big(now);
    sql.sql(")");
    sql
}

/// The oldest first.
pub fn expired(now: i64, limit: usize) -> Statement<(Text, Text)> {
    let mut sql = Sql::new("SELECT kind, id FROM registry WHERE expires <= ");
    sql.big(now).sql(" ORDER BY expires LIMIT ");
    sql.big(i64::try_from(limit).unwrap_or(i64::MAX));
    sql.rows()
}

pub fn epoch() -> Statement<BigInt> {
    Sql::new("SELECT value FROM access_epoch").rows()
}

pub fn one_epoch(rows: &[i64]) -> Result<i64, StoreError> {
    let value = rows.first().copied();
    value.ok_or_else(|| StoreError::Corrupt("the epoch is missing".into()))
}

pub fn key((kind, id): (String, String)) -> RegistryKey {
    RegistryKey { kind, id }
}

/// Moves the epoch within the transaction of the commit that moves it. It follows the
/// time: a database that was put back to an earlier state never has the number again that
/// somebody knows from another past.
pub fn move_epoch(sql: &mut Sql, made: i64) {
    sql.sql("UPDATE access_epoch SET value = CASE WHEN value < ");
    sql.big(made).sql(" THEN ").big(made);
    sql.sql(" ELSE value + 1 END");
}
