//! `unloop audit`

use clap::{Args, Subcommand};

use super::error::CliError;
use super::output::{note, say};
use crate::app;
use crate::config::Config;
use crate::fhir::audit::verify::verify;
use crate::fhir::search::date;

/// Look after the audit trail
#[derive(Debug, Args)]
pub struct Audit {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    Verify(Verify),
}

/// Find records that were removed, changed or moved
///
/// Follows every chain of records from its beginning and compares the
/// AuditEvents with their records. Exit status 1 and a line for each finding
/// where something is not as it was written.
#[derive(Debug, Args)]
#[command(after_long_help = "Examples:
  unloop audit verify
  unloop audit verify --since 2026-11-01")]
struct Verify {
    /// Compare only the AuditEvents from this date or time on
    #[arg(long, value_name = "TIME")]
    since: Option<String>,
}

impl Audit {
    pub async fn run(self, config: &Config) -> Result<(), CliError> {
        match self.what {
            What::Verify(verify) => verify.run(config).await,
        }
    }
}

impl Verify {
    async fn run(self, config: &Config) -> Result<(), CliError> {
        let since = self.since.map(|text| {
            let range = date::range(&text).map(|(low, _)| low);
            range.ok_or_else(|| CliError::Failed(format!("--since: {text:?} is no date or time")))
        });
        let engine = app::engine(config, config.server.bind).await?;
        let report = verify(&engine, since.transpose()?).await;
        let report = report.map_err(|failure| CliError::Failed(failure.to_json().to_string()))?;
        for finding in &report.findings {
            note(finding);
        }
        if !report.findings.is_empty() {
            return Err(CliError::Reported);
        }
        say(format!(
            "The trail is whole: {} records, {} AuditEvents compared.",
            report.rows, report.events
        ))
    }
}
