//! What all requests together hold in memory.

use std::sync::atomic::{AtomicU64, Ordering};

use super::BudgetExceeded;

/// Bytes that requests in flight may hold, by a careful estimate of each.
#[derive(Debug)]
pub struct MemoryReserve {
    limit: u64,
    used: AtomicU64,
}

impl MemoryReserve {
    pub fn new(limit: u64) -> Self {
        Self {
            limit,
            used: AtomicU64::new(0),
        }
    }

    /// Takes a part, all of it or nothing.
    pub fn take(&self, bytes: u64) -> Result<(), BudgetExceeded> {
        let add = |used: u64| {
            used.checked_add(bytes)
                .filter(|together| *together <= self.limit)
        };
        self.used
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, add)
            .map(drop)
            .map_err(|_| BudgetExceeded::Memory)
    }

    pub fn give_back(&self, bytes: u64) {
        self.used.fetch_sub(bytes, Ordering::Relaxed);
    }

    /// Bytes that are held now.
    pub fn used(&self) -> u64 {
        self.used.load(Ordering::Relaxed)
    }
}
