//! Why the store did not do it.

use crate::budget::BudgetExceeded;

/// A guard that did not hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Conflict {
    /// [`super::Guard::Absent`], but it exists (or existed); or an entry of the
    /// registry that was to be new.
    Exists,
    /// [`super::Guard::VersionIs`], but the current version is another one,
    /// or there is none.
    Version { current: Option<i64> },
    /// [`super::Guard::NoMatch`], but something matches.
    Matched,
}

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum StoreError {
    /// Change number `change` was refused; nothing of the commit was written.
    #[error("change {change} conflicts: {conflict:?}")]
    Conflict { change: usize, conflict: Conflict },
    /// The same for a change of the registry.
    #[error("registry change {change} conflicts: {conflict:?}")]
    Registry { change: usize, conflict: Conflict },
    /// The database cannot be reached, is full, or gave up after retries.
    /// The text is for the log, never for a client.
    #[error("store unavailable: {0}")]
    Unavailable(String),
    /// What is stored, or was asked, cannot be right. For the log only.
    #[error("store corrupt: {0}")]
    Corrupt(String),
    /// The request may not ask for so much.
    #[error("too costly: {0}")]
    Exceeded(BudgetExceeded),
}

impl From<BudgetExceeded> for StoreError {
    fn from(exceeded: BudgetExceeded) -> Self {
        Self::Exceeded(exceeded)
    }
}

impl StoreError {
    pub fn is_conflict(&self) -> bool {
        matches!(self, Self::Conflict { .. } | Self::Registry { .. })
    }
}
