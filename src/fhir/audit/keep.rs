//! Nothing is answered before what was done is durable in the trail.

use super::super::answer::Answer;
use super::super::engine::Engine;
use super::super::outcome::{Failure, Kind};
use super::record::rows;
use super::{Actor, Event};
use crate::store::{Commit, RegistryChange, StoreError};

/// The answer, once its events are recorded. Where they cannot be, a refusal
/// without any content.
pub async fn keep(engine: &Engine, actor: &Actor, mut answer: Answer) -> Answer {
    let events = std::mem::take(&mut answer.events);
    match record(engine, actor, &events).await {
        Ok(()) => answer,
        Err(failure) => failure.into(),
    }
}

/// Makes events durable. Those of requests that come together share a flush.
pub async fn record(engine: &Engine, actor: &Actor, events: &[Event]) -> Result<(), Failure> {
    record_with(engine, actor, events, Vec::new()).await
}

/// The same in one commit with small documents that they tell of.
pub async fn record_with(
    engine: &Engine,
    actor: &Actor,
    events: &[Event],
    registry: Vec<RegistryChange>,
) -> Result<(), Failure> {
    if events.is_empty() && registry.is_empty() {
        return Ok(());
    }
    let base = &engine.settings.base_url;
    let rows = events.iter().flat_map(|event| rows(base, actor, event));
    let commit = Commit {
        audit: rows.collect(),
        registry,
        ..Commit::default()
    };
    engine.store.commit(commit).await.map(drop).map_err(|error| {
        if let StoreError::Registry { .. } = error {
            let text = "Somebody else changed the same just now. Try again.";
            return Failure::new(Kind::Conflict, text);
        }
        tracing::error!(%error, "the audit trail cannot be written");
        Failure::new(
            Kind::Unavailable,
            "The access cannot be recorded in the audit trail now, so it is refused. Try again.",
        )
    })
}
