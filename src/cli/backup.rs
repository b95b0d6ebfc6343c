//! `unloop backup`: a copy of the database while it is in use.

use std::path::PathBuf;

use clap::Args;

use super::account::operator;
use super::error::CliError;
use super::output::note;
use crate::access::Internal;
use crate::app;
use crate::config::{Address, Config};
use crate::fhir::audit::{self, Event};
use crate::fhir::authority::Authority as _;

/// Copy the SQLite database into a new file while it is in use
///
/// The copy has all that was committed before, and belongs to its owner alone. To
/// copy the file itself misses what is still in its log. What seals the signing keys
/// and the audit trail is not in it: keep DATABASE.secret (or UNLOOP_SECRET)
/// too, elsewhere. To restore, stop the service, remove DATABASE-wal and DATABASE-shm,
/// and put copy and secret in their places.
#[derive(Debug, Args)]
#[command(after_long_help = "Examples:
  unloop backup /backup/unloop-2026-12-01.db
  pg_dump --format=custom --file=unloop.dump DATABASE    # PostgreSQL")]
pub struct Backup {
    /// The file to make; none is replaced
    #[arg(value_name = "FILE")]
    file: PathBuf,
}

impl Backup {
    pub async fn run(self, config: &Config) -> Result<(), CliError> {
        let Address::Sqlite(database) = &config.database.address else {
            return Err(CliError::Failed(
                "PostgreSQL has its own tools: `pg_dump --format=custom --file=FILE DATABASE` copies it while it is in use, `pg_restore --clean --if-exists --dbname=DATABASE FILE` puts it back while no instance runs; for every moment up to a failure, archive its WAL (https://www.postgresql.org/docs/current/backup.html). Keep UNLOOP_SECRET too, elsewhere".to_owned(),
            ));
        };
        // A copy from before an upgrade is of the schema from before it.
        let mut config = config.clone();
        config.database.migrate = false;
        let engine = app::engine(&config, config.server.bind).await?;
        let told = Event::command("backup", "unloop backup".to_owned());
        let actor = operator(Internal::Operator).actor();
        let recorded = audit::record(&engine, &actor, &[told]).await;
        recorded.map_err(|failure| CliError::Failed(failure.to_json().to_string()))?;
        app::back_up(database, &self.file).await?;
        note(format!("{} is written", self.file.display()));
        Ok(())
    }
}
