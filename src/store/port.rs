//! The port: seven questions that every store answers alike.

use super::{
    AuditTrail, ClockJump, Commit, HistoryPlan, Position, Registry, Reindex, ResourceKey, Scope,
    SearchPlan, StoreError, Stored, Version,
};

/// One page of a search. `positions` has the place of each row for cursors.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Found {
    pub rows: Vec<Stored>,
    pub positions: Vec<Position>,
    /// There are rows behind the last one.
    pub more: bool,
}

#[async_trait::async_trait]
pub trait Store: Registry + AuditTrail + Reindex {
    /// Current versions in the order asked, deletions included; `None` where
    /// there is nothing or it is out of scope. A deletion is in scope only of
    /// a scope that asks nothing of its type.
    async fn read(
        &self,
        scope: &Scope,
        keys: &[ResourceKey],
    ) -> Result<Vec<Option<Stored>>, StoreError>;

    /// One version, current or past.
    async fn vread(
        &self,
        scope: &Scope,
        key: &ResourceKey,
        version: i64,
    ) -> Result<Option<Stored>, StoreError>;

    async fn search(&self, plan: &SearchPlan) -> Result<Found, StoreError>;

    /// How many rows the plan has in all; order, place and limit don't matter.
    async fn count(&self, plan: &SearchPlan) -> Result<u64, StoreError>;

    /// Versions as the plan asks, and whether there are more.
    async fn history(&self, plan: &HistoryPlan) -> Result<(Vec<Stored>, bool), StoreError>;

    /// All changes or none; durable when it returns. A caller that goes away
    /// does not cancel it.
    async fn commit(&self, commit: Commit) -> Result<Vec<Version>, StoreError>;

    /// The database answers, its schema is the one this program needs, what is stored can
    /// be read, and what is written becomes durable. Waits as long as the database does.
    async fn ready(&self) -> Result<(), StoreError>;

    /// When the machine's clock was set since the last call.
    fn take_clock_jumps(&self) -> Vec<ClockJump>;
}
