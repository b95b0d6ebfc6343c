//! The schema's versions, embedded in the program.

use diesel::migration::MigrationSource;
use diesel::pg::Pg;
use diesel::sql_types::{Bool, Text};
use diesel_async::{AsyncMigrationHarness, AsyncPgConnection, RunQueryDsl, SimpleAsyncConnection};
use diesel_migrations::{EmbeddedMigrations, MigrationHarness, embed_migrations};

use super::fault::unavailable;
use crate::store::StoreError;
use crate::store::sql::{Sql, refuse_unknown};

const MIGRATIONS: EmbeddedMigrations = embed_migrations!("migrations/postgres");

/// Any number that no other program on the server uses: "unloop" in ASCII.
const LOCK: i64 = 0x756e_6c6f_6f70;

/// Applies what is missing and names it. Instances that start together do it
/// one after the other; whoever comes second finds nothing to do.
pub(super) async fn run(mut connection: AsyncPgConnection) -> Result<Vec<String>, StoreError> {
    // The session's own lock: it goes when the connection closes, also after a failure.
    connection
        .batch_execute(&format!(
            "SET statement_timeout = 0; SELECT pg_advisory_lock({LOCK})"
        ))
        .await
        .map_err(unavailable)?;
    refuse_newer(&mut connection).await?;
    // Diesel's migrations are synchronous and want a thread that may block.
    tokio::task::spawn_blocking(move || {
        let mut harness = AsyncMigrationHarness::new(connection);
        let applied = harness.run_pending_migrations(MIGRATIONS);
        let applied = applied.map_err(unavailable)?;
        Ok(applied.iter().map(ToString::to_string).collect())
    })
    .await
    .map_err(unavailable)?
}

/// The versions that this program knows and the database lacks.
pub(super) async fn pending(connection: &mut AsyncPgConnection) -> Result<Vec<String>, StoreError> {
    let applied = applied(connection).await?;
    let mut known = known()?;
    known.retain(|version| !applied.contains(version));
    Ok(known)
}

pub(super) async fn refuse_newer(connection: &mut AsyncPgConnection) -> Result<(), StoreError> {
    refuse_unknown(&applied(connection).await?, &known()?)
}

async fn applied(connection: &mut AsyncPgConnection) -> Result<Vec<String>, StoreError> {
    if !has_table(connection, "__diesel_schema_migrations").await? {
        return Ok(Vec::new());
    }
    let applied = Sql::new("SELECT version FROM __diesel_schema_migrations").rows::<Text>();
    RunQueryDsl::load(applied, connection)
        .await
        .map_err(unavailable)
}

pub(super) async fn has_table(
    connection: &mut AsyncPgConnection,
    name: &str,
) -> Result<bool, StoreError> {
    let mut sql = Sql::new("SELECT to_regclass(");
    sql.text(name).sql(") IS NOT NULL");
    RunQueryDsl::get_result(sql.rows::<Bool>(), connection)
        .await
        .map_err(unavailable)
}

fn known() -> Result<Vec<String>, StoreError> {
    let migrations = MigrationSource::<Pg>::migrations(&MIGRATIONS).map_err(unavailable)?;
    let versions = migrations.iter().map(|known| known.name().version());
    Ok(versions.map(|version| version.to_string()).collect())
}
