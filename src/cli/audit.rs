//! `unloop audit`

use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};

use super::error::CliError;
use super::output::{note, say};
use crate::app;
use crate::config::Config;
use crate::fhir::audit::verify::{Check, verify};
use crate::fhir::search::date;
use crate::store::ChainPlace;

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
///
/// Chains under a key (of UNLOOP_SECRET) cannot be made up, changed or cut by
/// whoever has the database alone. Putting the whole database back to an earlier
/// state, or removing the newest chain, is found only by a head that was kept
/// elsewhere: --head prints one, --kept compares with it.
#[derive(Debug, Args)]
#[command(after_long_help = "Examples:
  unloop audit verify
  unloop audit verify --since 2026-11-01
  unloop audit verify --head > /elsewhere/head.txt
  unloop audit verify --kept /elsewhere/head.txt")]
struct Verify {
    /// Compare only the AuditEvents from this date or time on
    #[arg(long, value_name = "TIME")]
    since: Option<String>,
    /// Print where every chain ends, to be kept elsewhere
    #[arg(long)]
    head: bool,
    /// What --head printed earlier: all of it must still be there
    #[arg(long, value_name = "FILE")]
    kept: Option<PathBuf>,
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
        let check = Check {
            since: since.transpose()?,
            keys: app::trails(config)?,
            head: self.kept.as_deref().map_or(Ok(Vec::new()), read)?,
        };
        let engine = app::engine(config, config.server.bind).await?;
        let report = verify(&engine, &check).await;
        let report = report.map_err(|failure| CliError::Failed(failure.to_json().to_string()))?;
        for chain in &report.chains {
            note(chain);
        }
        for finding in &report.findings {
            note(finding);
        }
        if !report.findings.is_empty() {
            return Err(CliError::Reported);
        }
        let whole = format!(
            "The trail is whole: {} records, {} AuditEvents compared.",
            report.rows, report.events
        );
        if !self.head {
            return say(whole);
        }
        note(whole);
        report.chains.iter().try_for_each(|chain| {
            let end = &chain.end;
            say(format!("{} {} {}", end.writer, end.position, end.hash))
        })
    }
}

fn read(path: &Path) -> Result<Vec<ChainPlace>, CliError> {
    let text = std::fs::read_to_string(path);
    let text = text.map_err(|error| CliError::Failed(format!("{}: {error}", path.display())))?;
    let place = |line: &str| {
        let mut words = line.split_ascii_whitespace();
        let (writer, position, hash) = (words.next()?, words.next()?, words.next()?);
        let place = ChainPlace {
            writer: writer.to_owned(),
            position: position.parse().ok()?,
            hash: hash.to_owned(),
        };
        words.next().is_none().then_some(place)
    };
    if text.trim().is_empty() {
        return Err(CliError::Failed(format!(
            "{}: nothing is in it",
            path.display()
        )));
    }
    let lines = text.lines().enumerate();
    let places = lines.map(|(number, line)| {
        place(line).ok_or_else(|| {
            CliError::Failed(format!(
                "{}: line {} is not what --head prints",
                path.display(),
                number + 1
            ))
        })
    });
    places.collect()
}
