//! The index while the service runs: watched, and rebuilt where it is outdated.

use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::fhir::engine::Engine;
use crate::store::{Claim, IndexState, StoreError};

/// Between two looks at an index that is as it should be. Another version of
/// the program may take it over at any time.
const LOOK: Duration = Duration::from_secs(1);

/// After a failure of the store.
const PATIENCE: Duration = Duration::from_secs(5);

/// Says in which form this program makes index rows, and how they are.
pub async fn claim(engine: &Engine, claim: Claim) -> Result<IndexState, StoreError> {
    if let Err(error) = engine.store.claim_index(claim).await {
        tracing::debug!(%error, "the index could not be claimed");
    }
    engine.look_at_index().await
}

/// Runs until it is aborted.
pub async fn keep(engine: Arc<Engine>, rebuilds: bool) {
    let mut claimed = false;
    let mut was = None;
    loop {
        if !claimed {
            claimed = engine.store.claim_index(Claim::Outdated).await.is_ok();
        }
        let state = engine.look_at_index().await;
        if let Ok(state) = state {
            tell(was.replace(state), state, rebuilds);
        }
        match state {
            Ok(IndexState::Rebuilding { .. }) if rebuilds => rebuild(&engine).await,
            Ok(_) => tokio::time::sleep(LOOK).await,
            Err(_) => tokio::time::sleep(PATIENCE).await,
        }
    }
}

/// One piece; then the others have as long.
async fn rebuild(engine: &Engine) {
    let begin = Instant::now();
    match engine.rebuild_piece().await {
        Ok(_) => tokio::time::sleep(begin.elapsed()).await,
        Err(error) => {
            tracing::warn!(%error, "the rebuild of the index waits");
            tokio::time::sleep(PATIENCE).await;
        }
    }
}

fn tell(was: Option<IndexState>, is: IndexState, rebuilds: bool) {
    let same = was.is_some_and(|was| std::mem::discriminant(&was) == std::mem::discriminant(&is));
    match is {
        _ if same => {}
        IndexState::Rebuilding { .. } if rebuilds => tracing::info!(
            "the search index is rebuilt in the background; searches say that they are incomplete"
        ),
        IndexState::Rebuilding { .. } => tracing::warn!(
            "the search index is outdated; searches say that they are incomplete until `unloop reindex` has run"
        ),
        IndexState::Foreign => tracing::warn!(
            "another version of the program keeps the search index; nothing is written here any more"
        ),
        IndexState::Complete if was.is_some() => tracing::info!("the search index is complete"),
        IndexState::Complete => {}
    }
}
