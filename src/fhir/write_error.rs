//! Why a write did not happen, and what a client hears of it.

use super::outcome::{Failure, Kind};
use crate::store::Conflict;

/// Why a write did not happen. A conflict may be worth another try.
#[derive(Debug)]
pub enum WriteError {
    /// The guard of draft number `change` did not hold.
    Conflict {
        change: usize,
        conflict: Conflict,
    },
    /// The caller may not make change number `change`.
    Refused {
        change: usize,
        failure: Failure,
    },
    Failure(Failure),
}

impl From<Failure> for WriteError {
    fn from(failure: Failure) -> Self {
        Self::Failure(failure)
    }
}

impl From<WriteError> for Failure {
    fn from(error: WriteError) -> Self {
        match error {
            WriteError::Failure(failure) | WriteError::Refused { failure, .. } => failure,
            WriteError::Conflict { conflict, .. } => match conflict {
                Conflict::Version { current } => stale(current),
                Conflict::Exists => Self::new(
                    Kind::VersionConflict,
                    "The resource exists already. Update it instead, with If-Match.",
                ),
                Conflict::Matched => Self::new(
                    Kind::Conflict,
                    "Another request writes under the same condition. Send this one again.",
                ),
            },
        }
    }
}

/// The answer to an `If-Match` that does not hold.
pub fn stale(current: Option<i64>) -> Failure {
    let text = match current {
        Some(version) => format!(
            "If-Match names another version than the current one, which is W/\"{version}\". Read the resource again, apply the change to it and send it with the new ETag."
        ),
        None => "If-Match names a version, but there is no such resource now.".to_owned(),
    };
    Failure::new(Kind::VersionConflict, text)
}
