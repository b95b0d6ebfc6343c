//! The statements of a rebuild of the index rows.

use diesel::sql_types::{BigInt, Nullable};

use super::row::{KeyedRow, KeyedSql, stored};
use super::statement::{Bind, Sql, Statement};
use crate::store::reindex::{Claim, IndexState, Outdated};
use crate::store::{IndexForm, StoreError};

/// `form, place, last`.
pub type StateSql = (Nullable<BigInt>, Nullable<BigInt>, Nullable<BigInt>);
pub type StateRow = (Option<i64>, Option<i64>, Option<i64>);

pub fn state() -> Statement<StateSql> {
    Sql::new("SELECT form, place, (SELECT max(rid) FROM resource) FROM index_state").rows()
}

pub fn one_state(rows: &[StateRow], own: IndexForm) -> Result<IndexState, StoreError> {
    let missing = || StoreError::Corrupt("the state of the index is missing".into());
    let (form, place, last) = rows.first().copied().ok_or_else(missing)?;
    Ok(match place {
        _ if form != Some(own.0) => IndexState::Foreign,
        None => IndexState::Complete,
        Some(place) => IndexState::Rebuilding {
            place,
            last: last.unwrap_or(place).max(place),
        },
    })
}

/// Where the rebuild goes on. Where there is none to do, behind all rows.
pub fn place(state: IndexState) -> Result<i64, StoreError> {
    match state {
        IndexState::Rebuilding { place, .. } => Ok(place),
        IndexState::Complete => Ok(i64::MAX),
        IndexState::Foreign => Err(superseded()),
    }
}

/// Two programs that claim together: the second finds nothing to do.
pub fn claim(form: IndexForm, claim: Claim) -> Statement {
    let mut sql = Sql::new("UPDATE index_state SET form = ");
    sql.big(form.0);
    sql.sql(", place = CASE WHEN EXISTS (SELECT 1 FROM resource) THEN 0 END");
    if claim != Claim::Anew {
        sql.sql(" WHERE form IS DISTINCT FROM ").big(form.0);
    }
    if claim == Claim::Empty {
        sql.sql(" AND NOT EXISTS (SELECT 1 FROM resource)");
    }
    sql.command()
}

/// Resources behind a place, each after its own.
pub fn outdated(place: i64, limit: usize) -> Statement<KeyedSql> {
    let mut sql =
        Sql::new("SELECT rid, type, id, version, updated, method, body FROM resource WHERE rid > ");
    sql.big(place).sql(" ORDER BY rid LIMIT ");
    sql.big(i64::try_from(limit).unwrap_or(i64::MAX));
    sql.rows()
}

pub fn page(from: i64, rows: Vec<KeyedRow>) -> Result<Outdated, StoreError> {
    let through = rows.last().map_or(from, |row| row.0);
    let rows = rows.into_iter().map(|row| {
        let (_, resource_type, id, version, updated, method, body) = row;
        stored((resource_type, id, version, updated, method, body))
    });
    Ok(Outdated {
        from,
        through,
        rows: rows.collect::<Result<_, _>>()?,
    })
}

/// Goes on from a place, unless another rebuilder has done so already.
pub fn write_advance(sql: &mut Sql, from: i64, through: i64) {
    sql.sql("UPDATE index_state SET place = ");
    sql.bind(Bind::NullableBig((through > from).then_some(through)));
    sql.sql(" WHERE place = ").big(from);
}

/// What a writer in another form than the claimed one is told.
pub const SUPERSEDED: &str = "the index rows of the database are kept in another form";

pub fn superseded() -> StoreError {
    StoreError::Unavailable(SUPERSEDED.into())
}
