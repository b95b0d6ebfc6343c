//! `unloop migrate`

use clap::Args;

use super::error::CliError;
use super::output::say;
use crate::app;
use crate::config::Config;

/// Bring the database schema up to date
///
/// Safe to repeat, and safe when several start together: one works, the others
/// wait and find nothing to do.
#[derive(Debug, Args)]
#[command(after_long_help = "Example:
  DATABASE_URL=postgres://unloop@127.0.0.1/unloop unloop migrate")]
pub struct Migrate;

impl Migrate {
    pub async fn run(&self, config: &Config) -> Result<(), CliError> {
        app::migrate(&config.database).await?;
        say("The schema is up to date.")
    }
}
