//! Whether what is written becomes durable: the last write tells, until another one does.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::{Commit, RegistryChange, RegistryWrite, StoreError, Version};

/// A write of a moment ago says enough of now.
const FRESH: Duration = Duration::from_secs(3);

/// What a probe writes, so that a file that is full does not take it by chance.
const PROBE_BYTES: usize = 8_192;

#[derive(Default)]
pub struct CommitPulse {
    state: Mutex<LastWrites>,
    /// Held by who probes: the others take the same answer.
    pub(super) turn: tokio::sync::Mutex<()>,
}

#[derive(Default)]
struct LastWrites {
    durable: Option<Instant>,
    failure: Option<String>,
}

impl CommitPulse {
    /// What became of a commit that has something to write.
    pub fn note_result(&self, result: &Result<Vec<Version>, StoreError>) {
        let mut state = self.state();
        match result {
            Ok(_) => {
                state.durable = Some(Instant::now());
                state.failure = None;
            }
            Err(StoreError::Unavailable(reason) | StoreError::Corrupt(reason)) => {
                state.failure = Some(reason.clone());
            }
            // Refused by what is stored, or by the request's budget: nothing was written.
            Err(
                StoreError::Conflict { .. } | StoreError::Registry { .. } | StoreError::Exceeded(_),
            ) => {}
        }
    }

    /// Whether a write has become durable just now, and none has failed since.
    pub fn is_fresh(&self) -> bool {
        let state = self.state();
        let durable = state.durable.filter(|_| state.failure.is_none());
        durable.is_some_and(|at| at.elapsed() < FRESH)
    }

    /// Why the last write failed; for the log.
    pub fn last_failure(&self) -> Option<String> {
        self.state().failure.clone()
    }

    /// No step of a change can leave what is behind it half done.
    fn state(&self) -> MutexGuard<'_, LastWrites> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A small document that has expired when it comes: it is as good as absent and is
/// removed with the others.
pub fn probing_commit() -> Commit {
    let insert = RegistryWrite::Insert {
        body: "-".repeat(PROBE_BYTES),
        expires: Some(1),
    };
    let change = RegistryChange::new("probe", "readiness", insert).silent();
    Commit::of_registry(vec![change], Vec::new())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failed_write_is_remembered_until_one_succeeds() {
        let pulse = CommitPulse::default();
        assert!(!pulse.is_fresh());
        pulse.note_result(&Ok(Vec::new()));
        assert!(pulse.is_fresh());
        pulse.note_result(&Err(StoreError::Unavailable("disk full".into())));
        assert!(!pulse.is_fresh());
        assert_eq!(pulse.last_failure().as_deref(), Some("disk full"));
        pulse.note_result(&Ok(Vec::new()));
        assert!(pulse.is_fresh() && pulse.last_failure().is_none());
    }
}
