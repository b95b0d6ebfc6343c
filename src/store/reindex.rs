//! The rebuild of index rows that another program, or other definitions, have
//! made: piece by piece, while others read and write. How rows are made is
//! decided above.

use super::{IndexRows, ResourceKey, StoreError, Stored};

/// What the index rows of a database are worth to this program.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum IndexState {
    /// All are in its form.
    Complete,
    /// Those up to `place` are, of places up to `last`; and those that were
    /// written since the rebuild began.
    Rebuilding { place: i64, last: i64 },
    /// Another program, or nobody yet, says in which form they are.
    Foreign,
}

/// Which database a program claims for its form.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Claim {
    /// One without resources.
    Empty,
    /// One in another form, too: a rebuild begins.
    Outdated,
    /// Any: a rebuild begins, also where nothing is outdated.
    Anew,
}

/// Resources whose index rows are to be made anew, from one place to another.
#[derive(Clone, Debug, PartialEq)]
pub struct Outdated {
    pub from: i64,
    /// The place of the last row; `from` where nothing is left.
    pub through: i64,
    /// Deletions included, which have no index rows.
    pub rows: Vec<Stored>,
}

/// Index rows for what an [`Outdated`] had.
#[derive(Clone, Debug, PartialEq)]
pub struct Rebuilt {
    pub from: i64,
    pub through: i64,
    /// `(resource, version, index rows)`; another version has its rows already.
    pub rows: Vec<(ResourceKey, i64, IndexRows)>,
}

/// From the claim on, resources are refused from a program with another form, so
/// that whatever is written during a rebuild is in the form of the rebuild.
#[async_trait::async_trait]
pub trait Reindex: Send + Sync {
    async fn index_state(&self) -> Result<IndexState, StoreError>;

    /// From now on index rows are made in this program's form.
    async fn claim_index(&self, claim: Claim) -> Result<(), StoreError>;

    /// The next resources of the rebuild.
    async fn outdated(&self, limit: usize) -> Result<Outdated, StoreError>;

    /// Replaces the index rows and nothing else: no version is made. The
    /// rebuild goes on behind `through`, and ends where that is `from`.
    async fn rebuild(&self, rebuilt: Rebuilt) -> Result<(), StoreError>;
}
