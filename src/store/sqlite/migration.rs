//! The schema's versions, embedded in the program.

use diesel::sql_types::Text;
use diesel::sqlite::Sqlite;
use diesel::{RunQueryDsl, SqliteConnection};
use diesel_migrations::{EmbeddedMigrations, MigrationHarness, embed_migrations};

use super::error::{from_message, store_error};
use crate::store::StoreError;
use crate::store::sql::{Sql, refuse_unknown};

const MIGRATIONS: EmbeddedMigrations = embed_migrations!("migrations/sqlite");

/// Applies what is missing, all of it or nothing. Of two programs that start
/// together, one waits for the other here.
pub fn run(connection: &mut SqliteConnection) -> Result<Vec<String>, StoreError> {
    let mut applied = Vec::new();
    let result = connection.exclusive_transaction(|connection| {
        let versions = connection
            .run_pending_migrations(MIGRATIONS)
            .map_err(diesel::result::Error::QueryBuilderError)?;
        applied = versions.iter().map(ToString::to_string).collect();
        Ok(())
    });
    match result {
        Ok(()) => Ok(applied),
        Err(diesel::result::Error::QueryBuilderError(error)) => {
            Err(from_message(&error.to_string()))
        }
        Err(error) => Err(store_error(error)),
    }
}

/// What the program has and the file lacks. Only reads.
pub fn pending(connection: &mut SqliteConnection) -> Result<Vec<String>, StoreError> {
    let applied = applied(connection)?;
    let mut known = known()?;
    known.retain(|version| !applied.contains(version));
    Ok(known)
}

/// Only reads.
pub fn refuse_newer(connection: &mut SqliteConnection) -> Result<(), StoreError> {
    refuse_unknown(&applied(connection)?, &known()?)
}

fn applied(connection: &mut SqliteConnection) -> Result<Vec<String>, StoreError> {
    if !has_table(connection, "__diesel_schema_migrations")? {
        return Ok(Vec::new());
    }
    Sql::new("SELECT version FROM __diesel_schema_migrations")
        .rows::<Text>()
        .load(connection)
        .map_err(store_error)
}

fn known() -> Result<Vec<String>, StoreError> {
    let known = diesel::migration::MigrationSource::<Sqlite>::migrations(&MIGRATIONS)
        .map_err(|error| StoreError::Corrupt(error.to_string()))?;
    let versions = known.iter().map(|migration| migration.name().version());
    Ok(versions.map(|version| version.to_string()).collect())
}

pub fn has_table(connection: &mut SqliteConnection, name: &str) -> Result<bool, StoreError> {
    let mut sql = Sql::new("SELECT name FROM sqlite_schema WHERE type = 'table' AND name = ");
    sql.text(name);
    let names: Vec<String> = sql.rows::<Text>().load(connection).map_err(store_error)?;
    Ok(!names.is_empty())
}
