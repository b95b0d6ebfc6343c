//! What a room above keeps beside the records for every instance to know: one
//! small document by kind and id, changed only as it was read. Nobody's access
//! depends on it.

use super::engine::{Engine, unavailable};
use super::outcome::Failure;
use crate::store::{RegistryChange, RegistryWrite, StoreError};

/// A document and the version that was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mark {
    version: i64,
    pub body: String,
}

pub async fn read(engine: &Engine, kind: &str, id: &str) -> Result<Option<Mark>, Failure> {
    let entry = engine.store.get(kind, id).await;
    let entry = entry.map_err(|error| unavailable(&error))?;
    Ok(entry.map(|entry| Mark {
        version: entry.version,
        body: entry.body,
    }))
}

/// Whether it was changed: not where somebody else has changed it since `old`.
pub async fn write(
    engine: &Engine,
    kind: &str,
    id: &str,
    old: Option<&Mark>,
    body: String,
) -> Result<bool, Failure> {
    let write = match old {
        None => RegistryWrite::Insert {
            body,
            expires: None,
        },
        Some(old) => RegistryWrite::Replace {
            version: old.version,
            body,
            expires: None,
        },
    };
    let change = RegistryChange::new(kind, id, write).silent();
    match engine.store.change(vec![change]).await {
        Ok(()) => Ok(true),
        Err(StoreError::Registry { .. }) => Ok(false),
        Err(error) => Err(unavailable(&error)),
    }
}
