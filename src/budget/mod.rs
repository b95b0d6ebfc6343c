//! What one request may cost: time, values in its content, operations, rows and bytes
//! of records. Every route runs under a [`RequestBudget`] (`http::budget`), which goes
//! with the task, so that a new route cannot miss it. Work of the service's own has none.
//!
//! Architecture invariant: knows no other room.

mod memory;
mod request;

use std::future::Future;
use std::sync::Arc;
use std::time::{Duration, Instant};

pub use memory::MemoryReserve;
pub use request::{BudgetLimits, RequestBudget};

tokio::task_local! {
    static CURRENT: Option<Arc<RequestBudget>>;
}

/// Why a request is not worked on any further.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BudgetExceeded {
    /// Its content has more values than this.
    #[error("more than {0} values")]
    Nodes(u64),
    /// It asks for more operations on documents than this.
    #[error("more than {0} operations")]
    Operations(u64),
    /// It reads more rows than this.
    #[error("more than {0} rows")]
    Rows(u64),
    /// It reads more bytes of records than this.
    #[error("more than {0} bytes of records")]
    RecordBytes(u64),
    /// One question to the database took longer than it may.
    #[error("a statement took too long")]
    Statement,
    /// The work took longer than a request may.
    #[error("the request took too long")]
    Time,
    /// All requests together hold as much memory as they may.
    #[error("all requests together hold as much memory as they may")]
    Memory,
    /// As many expensive questions as may run are running.
    #[error("other expensive questions are running")]
    Busy,
}

/// The budget of the request that this task works for.
pub fn current() -> Option<Arc<RequestBudget>> {
    CURRENT.try_with(Clone::clone).ok().flatten()
}

/// Runs the future under the budget.
pub async fn with_budget<F: Future>(budget: Arc<RequestBudget>, future: F) -> F::Output {
    CURRENT.scope(Some(budget), future).await
}

/// Runs work of the service's own that a request only has set off.
pub async fn without_budget<F: Future>(future: F) -> F::Output {
    CURRENT.scope(None, future).await
}

/// The same for work that is done on a thread of its own.
pub fn with_budget_blocking<T>(budget: Option<Arc<RequestBudget>>, work: impl FnOnce() -> T) -> T {
    CURRENT.sync_scope(budget, work)
}

/// Values of a JSON document that is being read.
pub fn charge_nodes(nodes: u64) -> Result<(), BudgetExceeded> {
    charge(|budget| budget.charge_nodes(nodes))
}

/// Operations of a patch, each with a look at the clock.
pub fn charge_operation() -> Result<(), BudgetExceeded> {
    charge(RequestBudget::charge_operation)
}

/// A document that the service holds for the request.
pub fn charge_bytes(bytes: u64) -> Result<(), BudgetExceeded> {
    charge(|budget| budget.charge_bytes(bytes))
}

/// Whether the request may still read records. A batch asks before each entry.
pub fn check_records() -> Result<(), BudgetExceeded> {
    charge(RequestBudget::check_records)
}

/// Of the records that were read the request holds only these any more.
pub fn restart_records(rows: usize, bytes: usize) {
    if let Some(budget) = current() {
        let wide = |count| u64::try_from(count).unwrap_or(u64::MAX);
        budget.restart_records(wide(rows), wide(bytes));
    }
}

/// Whether there is time left.
pub fn check_time() -> Result<(), BudgetExceeded> {
    charge(RequestBudget::check_time)
}

/// How long this task may still wait, and no longer than `most`.
pub fn time_left(most: Duration) -> Duration {
    current().map_or(most, |budget| {
        let left = budget.deadline().saturating_duration_since(Instant::now());
        left.min(most)
    })
}

fn charge(
    ask: impl FnOnce(&RequestBudget) -> Result<(), BudgetExceeded>,
) -> Result<(), BudgetExceeded> {
    match current() {
        Some(budget) => ask(&budget),
        // The service's own work.
        None => Ok(()),
    }
}
