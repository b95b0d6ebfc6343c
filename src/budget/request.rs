//! The budget of one request. What it holds in memory goes back when it is dropped,
//! which is when the last byte of the answer has been sent.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use super::{BudgetExceeded, MemoryReserve};

/// Bytes of memory that one parsed value takes, with what is made of it: copies
/// for another attempt, index rows, the stored text.
const NODE_BYTES: u64 = 256;

/// Every byte of a record is held as a row, in the answer of its entry, and in the
/// whole answer, which grows by doubling.
const COPIES: u64 = 4;

/// What each request may hold besides: small ones never wait for large ones.
const HELD_BY_ALL: u64 = 1 << 20;

/// Bounds of one request.
#[derive(Clone, Copy, Debug)]
pub struct BudgetLimits {
    /// From the moment at which the content is there.
    pub time: Duration,
    /// Values in the JSON of the content: objects, arrays, texts, numbers.
    pub nodes: u64,
    /// Operations of patches.
    pub operations: u64,
    /// Rows read from the store.
    pub rows: u64,
    /// Bytes of the records read from the store.
    pub record_bytes: u64,
}

impl Default for BudgetLimits {
    fn default() -> Self {
        Self {
            time: Duration::from_secs(30),
            nodes: 500_000,
            operations: 20_000,
            rows: 200_000,
            record_bytes: 32 << 20,
        }
    }
}

#[derive(Debug)]
pub struct RequestBudget {
    limits: BudgetLimits,
    reserve: Arc<MemoryReserve>,
    held: AtomicU64,
    deadline: Mutex<Instant>,
    nodes: AtomicU64,
    operations: AtomicU64,
    rows: AtomicU64,
    record_bytes: AtomicU64,
    /// The part of `held` that is records.
    held_records: AtomicU64,
    /// Microseconds that the database worked for it.
    worked: AtomicU64,
}

impl RequestBudget {
    pub fn new(limits: BudgetLimits, reserve: Arc<MemoryReserve>) -> Self {
        Self {
            limits,
            reserve,
            held: AtomicU64::new(0),
            deadline: Mutex::new(Instant::now() + limits.time),
            nodes: AtomicU64::new(0),
            operations: AtomicU64::new(0),
            rows: AtomicU64::new(0),
            record_bytes: AtomicU64::new(0),
            held_records: AtomicU64::new(0),
            worked: AtomicU64::new(0),
        }
    }

    /// The time of the request runs anew, behind what its content takes to arrive.
    pub fn restart_time(&self, arrival: Duration) {
        let mut deadline = self.deadline.lock().unwrap_or_else(PoisonError::into_inner);
        *deadline = Instant::now() + arrival + self.limits.time;
    }

    pub fn deadline(&self) -> Instant {
        *self.deadline.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub fn charge_nodes(&self, nodes: u64) -> Result<(), BudgetExceeded> {
        self.hold(nodes.saturating_mul(NODE_BYTES))?;
        let most = self.limits.nodes;
        spend(&self.nodes, nodes, most, BudgetExceeded::Nodes(most))
    }

    pub fn charge_operation(&self) -> Result<(), BudgetExceeded> {
        self.check_time()?;
        let most = self.limits.operations;
        spend(&self.operations, 1, most, BudgetExceeded::Operations(most))
    }

    pub fn charge_bytes(&self, bytes: u64) -> Result<(), BudgetExceeded> {
        self.hold(bytes.saturating_mul(COPIES))
    }

    /// One row of the store and the bytes of its record.
    pub fn charge_row(&self, bytes: u64) -> Result<(), BudgetExceeded> {
        let most = self.limits.rows;
        spend(&self.rows, 1, most, BudgetExceeded::Rows(most))?;
        let most = self.limits.record_bytes;
        let exceeded = BudgetExceeded::RecordBytes(most);
        spend(&self.record_bytes, bytes, most, exceeded)?;
        let held = bytes.saturating_mul(COPIES);
        self.hold(held)?;
        self.held_records.fetch_add(held, Ordering::Relaxed);
        Ok(())
    }

    /// Of the records that were read only these are still held: the others were read
    /// for answers that are not given. Nothing may be read at the same time.
    pub fn restart_records(&self, rows: u64, bytes: u64) {
        self.rows.store(rows, Ordering::Relaxed);
        self.record_bytes.store(bytes, Ordering::Relaxed);
        let held = self.held_records.load(Ordering::Relaxed);
        let released = held.saturating_sub(bytes.saturating_mul(COPIES));
        self.held_records.fetch_sub(released, Ordering::Relaxed);
        let before = self.held.fetch_sub(released, Ordering::Relaxed);
        self.reserve
            .give_back(beyond(before) - beyond(before - released));
    }

    pub fn check_records(&self) -> Result<(), BudgetExceeded> {
        // Earlier than the end: what was done is still to be answered.
        if Instant::now() + self.limits.time / 10 >= self.deadline() {
            return Err(BudgetExceeded::Time);
        }
        let (rows, bytes) = (self.limits.rows, self.limits.record_bytes);
        if self.rows.load(Ordering::Relaxed) >= rows {
            return Err(BudgetExceeded::Rows(rows));
        }
        if self.record_bytes.load(Ordering::Relaxed) >= bytes {
            return Err(BudgetExceeded::RecordBytes(bytes));
        }
        Ok(())
    }

    pub fn check_time(&self) -> Result<(), BudgetExceeded> {
        match Instant::now() < self.deadline() {
            true => Ok(()),
            false => Err(BudgetExceeded::Time),
        }
    }

    /// The database worked so long for it.
    pub fn note_work(&self, time: Duration) {
        let micros = u64::try_from(time.as_micros()).unwrap_or(u64::MAX);
        self.worked.fetch_add(micros, Ordering::Relaxed);
    }

    /// Whether the request itself is what took the time, and not a database that
    /// does not answer.
    pub fn has_worked_most(&self) -> bool {
        let worked = Duration::from_micros(self.worked.load(Ordering::Relaxed));
        worked >= self.limits.time / 2
    }

    fn hold(&self, bytes: u64) -> Result<(), BudgetExceeded> {
        let before = self.held.fetch_add(bytes, Ordering::Relaxed);
        let more = beyond(before.saturating_add(bytes)) - beyond(before);
        self.reserve.take(more).inspect_err(|_| {
            self.held.fetch_sub(bytes, Ordering::Relaxed);
        })
    }
}

impl Drop for RequestBudget {
    fn drop(&mut self) {
        self.reserve
            .give_back(beyond(self.held.load(Ordering::Relaxed)));
    }
}

/// The part that counts.
fn beyond(held: u64) -> u64 {
    held.saturating_sub(HELD_BY_ALL)
}

fn spend(
    spent: &AtomicU64,
    amount: u64,
    most: u64,
    exceeded: BudgetExceeded,
) -> Result<(), BudgetExceeded> {
    let before = spent.fetch_add(amount, Ordering::Relaxed);
    match before.saturating_add(amount) <= most {
        true => Ok(()),
        false => Err(exceeded),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn budget(reserve: &Arc<MemoryReserve>) -> RequestBudget {
        let limits = BudgetLimits {
            nodes: 20_000,
            rows: 2,
            record_bytes: 100,
            ..BudgetLimits::default()
        };
        RequestBudget::new(limits, reserve.clone())
    }

    #[test]
    fn what_a_request_holds_goes_back_with_it() {
        let nodes = 10_000;
        let counted = nodes * NODE_BYTES - HELD_BY_ALL;
        let reserve = Arc::new(MemoryReserve::new(counted + counted / 2));
        let first = budget(&reserve);
        assert_eq!(first.charge_nodes(nodes), Ok(()));
        assert_eq!(reserve.used(), counted);
        let second = budget(&reserve);
        assert_eq!(second.charge_nodes(nodes), Err(BudgetExceeded::Memory));
        assert_eq!(second.charge_nodes(100), Ok(()), "a small one goes on");
        drop(first);
        assert_eq!(second.charge_nodes(nodes - 100), Ok(()));
        drop(second);
        assert_eq!(reserve.used(), 0);
    }

    #[test]
    fn rows_and_bytes_are_counted_over_all_questions() {
        let reserve = Arc::new(MemoryReserve::new(2_000));
        let budget = budget(&reserve);
        assert_eq!(budget.charge_row(60), Ok(()));
        assert_eq!(budget.check_records(), Ok(()));
        assert_eq!(budget.charge_row(60), Err(BudgetExceeded::RecordBytes(100)));
        assert_eq!(budget.charge_row(0), Err(BudgetExceeded::Rows(2)));
        assert!(budget.check_records().is_err());
    }

    #[test]
    fn records_that_are_not_answered_go_back() {
        let reserve = Arc::new(MemoryReserve::new(64 << 20));
        let limits = BudgetLimits {
            record_bytes: 8 << 20,
            ..BudgetLimits::default()
        };
        let budget = RequestBudget::new(limits, reserve.clone());
        for _ in 0..8 {
            assert_eq!(budget.charge_row(1 << 20), Ok(()));
        }
        let most = 8 << 20;
        let exceeded = Err(BudgetExceeded::RecordBytes(most));
        assert_eq!(budget.charge_row(1 << 20), exceeded);
        budget.restart_records(2, 2 << 20);
        assert_eq!(reserve.used(), (2 << 20) * COPIES - HELD_BY_ALL);
        assert_eq!(budget.check_records(), Ok(()));
        assert_eq!(budget.charge_row(6 << 20), Ok(()));
        assert_eq!(budget.charge_row(1), exceeded);
        drop(budget);
        assert_eq!(reserve.used(), 0);
    }
}
