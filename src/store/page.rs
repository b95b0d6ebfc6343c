//! Rows as they come from the database, while they fit: a page ends with its bytes
//! as it ends with its rows, and no request reads more than its budget.

use std::sync::Arc;

use super::Stored;
use super::sql::row::{FoundRow, KeyedRow, StoredRow};
use crate::budget::{self, BudgetExceeded, RequestBudget};

/// Bytes of the records on one page.
const PAGE_BYTES: u64 = 8 << 20;

/// A page has so many rows at least: who asks whether there is a second one is told.
const PAGE_ROWS: usize = 2;

/// Bytes of a row besides its record.
const ROW_BYTES: usize = 200;

/// A row that carries a record.
pub trait RecordRow {
    fn record_bytes(&self) -> usize;
}

impl RecordRow for FoundRow {
    fn record_bytes(&self) -> usize {
        self.5.as_ref().map_or(0, String::len)
    }
}

impl RecordRow for StoredRow {
    fn record_bytes(&self) -> usize {
        self.5.as_ref().map_or(0, String::len)
    }
}

impl RecordRow for KeyedRow {
    fn record_bytes(&self) -> usize {
        self.6.as_ref().map_or(0, String::len)
    }
}

impl RecordRow for Stored {
    fn record_bytes(&self) -> usize {
        self.body.as_ref().map_or(0, String::len)
    }
}

/// How full a page is. Work of the service's own has no bound.
#[derive(Clone, Debug)]
pub struct PageFill {
    budget: Option<Arc<RequestBudget>>,
    ends_early: bool,
    bytes: u64,
    rows: usize,
}

impl PageFill {
    /// Of a question that can be asked on from its last row.
    pub fn for_page() -> Self {
        Self {
            budget: budget::current(),
            ends_early: true,
            bytes: 0,
            rows: 0,
        }
    }

    /// Of a question that is answered as a whole, or not at all.
    pub fn for_whole() -> Self {
        Self {
            ends_early: false,
            ..Self::for_page()
        }
    }

    /// Whether the row still has its place on the page.
    pub fn add_row(&mut self, row: &impl RecordRow) -> Result<bool, BudgetExceeded> {
        let Some(budget) = &self.budget else {
            return Ok(true);
        };
        let bytes = u64::try_from(row.record_bytes() + ROW_BYTES).unwrap_or(u64::MAX);
        let after = self.bytes.saturating_add(bytes);
        if self.ends_early && self.rows >= PAGE_ROWS && after > PAGE_BYTES {
            return Ok(false);
        }
        budget.charge_row(bytes)?;
        self.bytes = after;
        self.rows += 1;
        Ok(true)
    }
}
