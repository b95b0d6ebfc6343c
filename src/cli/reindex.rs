//! `unloop reindex`

use clap::Args;

use super::error::CliError;
use super::output::say;
use super::progress::Progress;
use crate::app;
use crate::config::Config;
use crate::fhir::index::percent;
use crate::store::{Claim, IndexState};

/// Rebuild the search index where it is outdated
///
/// For after an upgrade that finds resources by more than before. Servers go on
/// meanwhile: searches say that they are incomplete, conditional requests and
/// tokens that are limited to some records wait. Stopped at any time, it goes on
/// where it was. `unloop serve` does the same by itself (UNLOOP_REINDEX).
#[derive(Debug, Args)]
#[command(after_long_help = "Examples:
  unloop reindex
  unloop reindex --all             # after a change of UNLOOP_BASE_URL")]
pub struct Reindex {
    /// From the beginning, also where nothing seems outdated
    #[arg(long)]
    all: bool,
}

impl Reindex {
    pub async fn run(self, config: &Config) -> Result<(), CliError> {
        let engine = app::engine(config, config.server.bind).await?;
        let claim = if self.all {
            Claim::Anew
        } else {
            Claim::Outdated
        };
        let claimed = engine.store.claim_index(claim).await;
        claimed.map_err(CliError::failed)?;
        let progress = Progress::start(100, "%");
        let mut resources = 0;
        loop {
            let state = engine.look_at_index().await.map_err(CliError::failed)?;
            progress.reached(usize::try_from(percent(state)).unwrap_or(0));
            match state {
                IndexState::Complete => break,
                IndexState::Rebuilding { .. } => {
                    let piece = engine.rebuild_piece().await.map_err(CliError::failed)?;
                    progress.resources(piece);
                    resources += piece;
                }
                IndexState::Foreign => {
                    return Err(CliError::Failed(
                        "another version of the program has taken over the index".to_owned(),
                    ));
                }
            }
        }
        progress.end();
        say(format!(
            "The search index is complete; {resources} resources were indexed anew."
        ))
    }
}
