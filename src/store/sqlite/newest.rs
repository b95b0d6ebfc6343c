//! The newest time that is stored, from which time goes on.

use diesel::sql_types::{BigInt, Nullable};
use diesel::{RunQueryDsl, SqliteConnection};

use super::error::store_error;
use crate::store::StoreError;
use crate::store::sql::Sql;

/// Microseconds since 1970; 0 where nothing is stored.
pub fn newest_time(connection: &mut SqliteConnection) -> Result<i64, StoreError> {
    let newest: Option<i64> = Sql::new("SELECT max(updated) FROM resource")
        .rows::<Nullable<BigInt>>()
        .get_result(connection)
        .map_err(store_error)?;
    Ok(newest.unwrap_or(0))
}
