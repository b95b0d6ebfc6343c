//! The audit trail's rows, within the transaction of their commits.

use diesel::{OptionalExtension, RunQueryDsl, SqliteConnection};

use super::error::store_error;
use crate::store::audit::{AuditRow, Chain, ChainPlace, Growing, PUT_BACK};
use crate::store::sql::Sql;
use crate::store::sql::audit::{self, ChainRow};
use crate::store::{ChainKey, StoreError};

/// Appends to the chain, which begins with its first row. Behind a rollback
/// the chain has to be put back to where it was.
pub fn append(
    connection: &mut SqliteConnection,
    chain: &mut Option<Growing>,
    key: Option<&ChainKey>,
    rows: Vec<AuditRow>,
    made: i64,
) -> Result<(), StoreError> {
    if rows.is_empty() {
        return Ok(());
    }
    let mut longer = match chain.take() {
        Some(chain) => chain,
        None => begin(connection, key, made)?,
    };
    for row in rows {
        let entry = longer.append(made, row);
        let mut sql = Sql::new("INSERT INTO audit (writer, position, made, record, hash) VALUES (");
        sql.text(longer.writer());
        sql.sql(", ").big(entry.position);
        sql.sql(", ").big(entry.made);
        sql.sql(", ").text(entry.record);
        sql.sql(", ").text(entry.hash).sql(")");
        execute(connection, sql)?;
    }
    *chain = Some(longer);
    Ok(())
}

fn begin(
    connection: &mut SqliteConnection,
    key: Option<&ChainKey>,
    made: i64,
) -> Result<Growing, StoreError> {
    let newest: Option<ChainRow> = audit::newest_chain()
        .get_result(connection)
        .optional()
        .map_err(store_error)?;
    Growing::begin(key, made, newest.map(audit::chain))
}

/// What was durable is there, or another database is.
pub fn refuse_put_back(
    connection: &mut SqliteConnection,
    durable: &ChainPlace,
) -> Result<(), StoreError> {
    let position: Option<i64> = audit::position(&durable.writer)
        .get_result(connection)
        .optional()
        .map_err(store_error)?;
    match position {
        Some(position) if position >= durable.position => Ok(()),
        _ => Err(StoreError::Unavailable(PUT_BACK.to_owned())),
    }
}

/// Keeps where the chain ends.
pub fn keep_end(connection: &mut SqliteConnection, chain: &Chain) -> Result<(), StoreError> {
    let mut sql = Sql::default();
    audit::keep_end(&mut sql, chain);
    execute(connection, sql)
}

fn execute(connection: &mut SqliteConnection, sql: Sql) -> Result<(), StoreError> {
    sql.command()
        .execute(connection)
        .map(drop)
        .map_err(store_error)
}
