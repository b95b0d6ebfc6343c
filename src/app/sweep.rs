//! What has expired in the registry is removed, so that it does not grow with
//! every proof of a client.

use std::sync::Arc;
use std::time::Duration;

use crate::fhir::engine::Engine;

/// What has expired counts as absent at once; this only frees its room.
const PAUSE: Duration = Duration::from_secs(600);

/// Runs until it is aborted.
pub async fn keep(engine: Arc<Engine>) {
    loop {
        if let Err(error) = engine.store.purge().await {
            tracing::warn!(%error, "what has expired could not be removed");
        }
        tokio::time::sleep(PAUSE).await;
    }
}
