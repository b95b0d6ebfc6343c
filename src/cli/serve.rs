//! `unloop serve`

use clap::Args;

use super::error::CliError;
use super::output::say;
use crate::app::App;
use crate::config::Config;

/// Answer the FHIR REST API until SIGTERM or Ctrl-C
///
/// The first line on stdout has the base URL. On SIGTERM requests in flight are
/// finished, within UNLOOP_SHUTDOWN_SECONDS. Every request for records needs a bearer
/// token; `unloop token issue` makes one.
#[derive(Debug, Args)]
#[command(after_long_help = "Examples:
  unloop serve
  DATABASE_URL=postgres://unloop@127.0.0.1/unloop UNLOOP_BIND=127.0.0.1:8090 unloop serve
  unloop serve --no-migrate        # after `unloop migrate`")]
pub struct Serve {
    /// Leave the schema as it is; /health/ready says whether it is current
    #[arg(long)]
    no_migrate: bool,
}

impl Serve {
    pub async fn run(self, mut config: Config) -> Result<(), CliError> {
        if self.no_migrate {
            config.database.migrate = false;
        }
        let app = App::build(config).await?;
        say(format!("Unloop listens on {}", app.listening_url()))?;
        Ok(app.run().await?)
    }
}
