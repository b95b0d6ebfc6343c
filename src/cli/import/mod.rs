//! `unloop import`: files go through the same engine as HTTP requests, several
//! at a time, so that their commits are gathered.

mod document;
mod files;
mod items;
mod lines;
mod problem;
mod report;
mod send;
mod tally;

use std::path::PathBuf;
use std::sync::Arc;

use clap::Args;
use futures_util::stream::{self, StreamExt as _};

use super::error::CliError;
use super::output::say;
use super::progress::Progress;
use crate::app;
use crate::config::Config;
use crate::fhir::engine::Engine;
use files::{Form, Source};
use report::Report;
use tally::FileTally;

/// Bytes of a document that is always taken.
const LARGEST: usize = 50 << 20;

/// Files that are worked on at a time, which also bounds memory.
const AT_A_TIME: usize = 4;

/// How long the store may take for its last writes.
const CLOSE: std::time::Duration = std::time::Duration::from_secs(30);

/// Import files and folders of FHIR data
///
/// Takes .json, .json.gz, .ndjson and .ndjson.gz; folders are searched through.
/// Transactions and batches are done as they are. Other resources, those of
/// NDJSON files and those in collections are stored under their id, or created
/// where they have none. A bad file is reported at the end and does not stop the
/// others; the exit status is then 1.
///
/// Files whose names start with hospital or practitioner come first, because
/// Synthea's patients refer to them. A document may have UNLOOP_MAX_BODY_BYTES.
#[derive(Debug, Args)]
#[command(after_long_help = "Examples:
  unloop import synthea/
  unloop import records.ndjson.gz Patient-1.json
  DATABASE_URL=postgres://unloop@127.0.0.1/unloop unloop import synthea/")]
pub struct Import {
    /// Files and folders
    #[arg(required = true, value_name = "PATH")]
    paths: Vec<PathBuf>,
}

/// What every file's import needs.
#[derive(Clone)]
struct Importer {
    engine: Arc<Engine>,
    progress: Arc<Progress>,
    /// Bytes of one document.
    largest: usize,
}

impl Import {
    pub async fn run(self, config: &Config) -> Result<(), CliError> {
        let sources = files::find(&self.paths)?;
        let engine = app::engine(config, config.server.bind).await?;
        if let Some(gap) = engine.index.gap() {
            return Err(CliError::Failed(format!(
                "{gap} Run `unloop reindex` to its end first: what an import refers to could not be found."
            )));
        }
        let store = engine.store.clone();
        let importer = Importer {
            engine: Arc::new(engine),
            progress: Arc::new(Progress::start(sources.len(), "files")),
            // The operator's own files are no risk.
            largest: config.limits.body.max(LARGEST),
        };
        let mut report = Report::default();
        let (first, others): (Vec<_>, Vec<_>) =
            sources.into_iter().partition(|source| source.comes_first);
        for group in [first, others] {
            importer.clone().import(group, &mut report).await?;
        }
        importer.progress.end();
        drop(importer);
        app::close(store, CLOSE).await;
        say(&report)?;
        if report.has_failures() {
            return Err(CliError::Reported);
        }
        Ok(())
    }
}

impl Importer {
    async fn import(self, sources: Vec<Source>, report: &mut Report) -> Result<(), CliError> {
        let mut running = stream::iter(sources)
            .map(|source| tokio::spawn(self.clone().file(source)))
            .buffer_unordered(AT_A_TIME);
        while let Some(done) = running.next().await {
            report.add(done.map_err(CliError::failed)?);
        }
        Ok(())
    }

    async fn file(self, source: Source) -> FileTally {
        let mut tally = FileTally::new(source.path.display().to_string());
        match source.form {
            Form::Document => document::import(&self, &source, &mut tally).await,
            Form::Lines => lines::import(&self, &source, &mut tally).await,
        }
        self.progress.one_done();
        tally
    }
}
