//! A rebuild of the index rows, on a connection of its own: also while another
//! process serves.

use diesel::connection::SimpleConnection;
use diesel::{RunQueryDsl, SqliteConnection};

use super::commit::current;
use super::error::store_error;
use super::index;
use crate::store::reindex::Rebuilt;
use crate::store::sql::Sql;
use crate::store::sql::reindex::{
    StateRow, claim as claim_statement, state, superseded, write_advance,
};
use crate::store::{Claim, IndexForm, IndexRows, StoreError};

/// Within a transaction that writes: whether rows of this form may be written.
pub fn admit(connection: &mut SqliteConnection, form: IndexForm) -> Result<(), StoreError> {
    let rows: Vec<StateRow> = state().load(connection).map_err(store_error)?;
    let claimed = rows.first().and_then(|(form, ..)| *form);
    match claimed {
        Some(claimed) if claimed != form.0 => Err(superseded()),
        _ => Ok(()),
    }
}

pub fn claim(
    connection: &mut SqliteConnection,
    form: IndexForm,
    claim: Claim,
) -> Result<(), StoreError> {
    claim_statement(form, claim)
        .execute(connection)
        .map(drop)
        .map_err(store_error)
}

/// A connection that is dropped takes an open transaction back.
pub fn rebuild(
    connection: &mut SqliteConnection,
    form: IndexForm,
    rebuilt: &Rebuilt,
) -> Result<(), StoreError> {
    connection
        .batch_execute("BEGIN IMMEDIATE")
        .map_err(store_error)?;
    admit(connection, form)?;
    for (key, version, index) in &rebuilt.rows {
        if let Some(current) = current(connection, key)?
            && current.live
            && current.version == *version
        {
            replace(connection, current.rid, index)?;
        }
    }
    let mut sql = Sql::default();
    write_advance(&mut sql, rebuilt.from, rebuilt.through);
    execute(connection, sql)?;
    connection.batch_execute("COMMIT").map_err(store_error)
}

fn replace(
    connection: &mut SqliteConnection,
    rid: i64,
    index: &IndexRows,
) -> Result<(), StoreError> {
    let mut sql = Sql::new("UPDATE resource SET ");
    let mut between = "";
    for (column, bind) in index::columns(index) {
        sql.sql(between).sql(column).sql(" = ").bind(bind);
        between = ", ";
    }
    sql.sql(" WHERE rid = ").big(rid);
    execute(connection, sql)?;
    index::remove(connection, rid, index)?;
    index::insert(connection, rid, index)
}

fn execute(connection: &mut SqliteConnection, sql: Sql) -> Result<(), StoreError> {
    sql.command()
        .execute(connection)
        .map(drop)
        .map_err(store_error)
}
