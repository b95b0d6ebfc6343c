//! The schema's versions, embedded in the program.

use diesel::migration::{Migration, MigrationSource};
use diesel::pg::Pg;
use diesel::sql_types::BigInt;
use diesel_async::{AsyncMigrationHarness, AsyncPgConnection, RunQueryDsl, SimpleAsyncConnection};
use diesel_migrations::{EmbeddedMigrations, MigrationHarness, embed_migrations};

use super::fault::unavailable;
use crate::store::StoreError;
use crate::store::sql::{Bind, Sql};

const MIGRATIONS: EmbeddedMigrations = embed_migrations!("migrations/postgres");

/// Any number that no other program on the server uses: "unloop" in ASCII.
const LOCK: i64 = 0x756e_6c6f_6f70;

/// Brings the schema up to date. Instances that start together do it one
/// after the other; whoever comes second finds nothing to do.
pub(super) async fn run(mut connection: AsyncPgConnection) -> Result<(), StoreError> {
    // The session's own lock: it goes when the connection closes, also after a failure.
    connection
        .batch_execute(&format!(
            "SET statement_timeout = 0; SELECT pg_advisory_lock({LOCK})"
        ))
        .await
        .map_err(unavailable)?;
    // Diesel's migrations are synchronous and want a thread that may block.
    tokio::task::spawn_blocking(move || {
        AsyncMigrationHarness::new(connection)
            .run_pending_migrations(MIGRATIONS)
            .map(|_| ())
            .map_err(unavailable)
    })
    .await
    .map_err(unavailable)?
}

/// Whether every migration this program knows has been applied.
pub(super) async fn is_current(connection: &mut AsyncPgConnection) -> Result<bool, StoreError> {
    let known = known()?;
    let count = i64::try_from(known.len()).map_err(unavailable)?;
    let mut sql = Sql::new("SELECT count(*) FROM __diesel_schema_migrations WHERE version = ANY(");
    sql.bind(Bind::TextArray(known)).sql(")");
    let applied: i64 = RunQueryDsl::get_result(sql.rows::<BigInt>(), connection)
        .await
        .map_err(unavailable)?;
    Ok(applied == count)
}

fn known() -> Result<Vec<String>, StoreError> {
    let migrations: Vec<Box<dyn Migration<Pg>>> = MIGRATIONS.migrations().map_err(unavailable)?;
    let version = |migration: &Box<dyn Migration<Pg>>| migration.name().version().to_string();
    Ok(migrations.iter().map(version).collect())
}
