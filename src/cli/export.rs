//! `unloop export`: every current resource as NDJSON.

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::PathBuf;

use clap::Args;

use super::account::operator;
use super::error::CliError;
use super::output::note;
use crate::access::Internal;
use crate::app;
use crate::config::Config;
use crate::fhir::admission::AUDIT_EVENT;
use crate::fhir::audit::{self, Event};
use crate::fhir::authority::{Authority as _, Permission};
use crate::fhir::engine::Engine;
use crate::fhir::resource::render;
use crate::store::{Comparison, Filter, OrderBy, OrderTerm, Position, SearchPlan};

/// Resources that are held in memory at a time.
const PAGE: usize = 500;

/// Write all current resources as NDJSON, one resource on a line
///
/// Types come in alphabetical order, resources by id. What is written while the
/// export runs may or may not be in it. `unloop import` reads the result.
#[derive(Debug, Args)]
#[command(after_long_help = "Examples:
  unloop export --out records.ndjson
  unloop export --types Patient,Observation | gzip > records.ndjson.gz")]
pub struct Export {
    /// Only these types, with commas between them
    #[arg(long, value_delimiter = ',', value_name = "TYPES")]
    types: Vec<String>,

    /// Write to this file instead of stdout
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

impl Export {
    pub async fn run(self, config: &Config) -> Result<(), CliError> {
        let engine = app::engine(config, config.server.bind).await?;
        let types = self.types_of(&engine)?;
        let told = Event::command("export", format!("unloop export {}", self.types.join(",")));
        let actor = operator(Internal::Export).actor();
        let recorded = audit::record(&engine, &actor, &[told]).await;
        recorded.map_err(|failure| CliError::Failed(failure.to_json().to_string()))?;
        let mut out = self.open()?;
        let mut total = 0;
        for resource_type in types {
            let count = export_type(&engine, resource_type, &mut out).await?;
            if count > 0 {
                note(format!("{resource_type}: {count}"));
            }
            total += count;
        }
        out.flush().map_err(cannot_write)?;
        note(format!("{total} resources"));
        Ok(())
    }

    fn types_of(&self, engine: &Engine) -> Result<Vec<&'static str>, CliError> {
        let exposed = engine.exposed_types();
        if let Some(unknown) = self.types.iter().find(|name| !engine.exposes(name)) {
            return Err(CliError::Failed(format!(
                "--types: {unknown:?} is no resource type that is exposed here"
            )));
        }
        // Nothing takes an audit trail in again, so it is exported only where it is named.
        let usual = |name: &str| self.types.is_empty() && name != AUDIT_EVENT;
        let wanted = |name: &str| usual(name) || self.types.iter().any(|t| t == name);
        Ok(exposed.into_iter().filter(|name| wanted(name)).collect())
    }

    fn open(&self) -> Result<Box<dyn Write>, CliError> {
        Ok(match &self.out {
            Some(path) => {
                let file = File::create(path)
                    .map_err(|error| CliError::Failed(format!("{}: {error}", path.display())))?;
                Box::new(BufWriter::new(file))
            }
            None => Box::new(BufWriter::new(io::stdout().lock())),
        })
    }
}

async fn export_type(
    engine: &Engine,
    resource_type: &str,
    out: &mut dyn Write,
) -> Result<usize, CliError> {
    let mut count = 0;
    let mut after = None;
    loop {
        let plan = page(resource_type, after)?;
        let found = engine.store.search(&plan).await.map_err(CliError::failed)?;
        for stored in &found.rows {
            if let Some(text) = render(stored) {
                writeln!(out, "{text}").map_err(cannot_write)?;
                count += 1;
            }
        }
        after = found.positions.into_iter().next_back();
        if !found.more || after.is_none() {
            return Ok(count);
        }
    }
}

fn page(resource_type: &str, after: Option<Position>) -> Result<SearchPlan, CliError> {
    let scope = operator(Internal::Export)
        .scope(Permission::Search, Some(resource_type))
        .map_err(|failure| CliError::Failed(failure.to_json().to_string()))?;
    Ok(SearchPlan {
        scope,
        filter: Filter::Is(Comparison::Type(vec![resource_type.to_owned()])),
        order: vec![OrderTerm {
            by: OrderBy::Id,
            descending: false,
        }],
        after,
        backwards: false,
        limit: PAGE,
    })
}

fn cannot_write(error: io::Error) -> CliError {
    CliError::Failed(format!("the export cannot be written: {error}"))
}
