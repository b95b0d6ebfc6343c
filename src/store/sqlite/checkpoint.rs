//! When the log is written back into the database file, so that a copy of
//! the file alone misses little. <https://www.sqlite.org/wal.html#ckpt>

use std::time::{Duration, Instant};

use diesel::sql_types::BigInt;
use diesel::{RunQueryDsl, SqliteConnection};

use super::error::store_error;
use crate::store::StoreError;
use crate::store::sql::Sql;

/// Without commits for so long, the log is written back.
const IDLE: Duration = Duration::from_secs(1);

/// Under load at the latest after so long; SQLite itself does it by size.
const INTERVAL: Duration = Duration::from_secs(20);

pub struct CheckpointPace {
    is_behind: bool,
    last: Instant,
}

impl CheckpointPace {
    /// What an earlier run has left in the log comes first.
    pub fn new() -> Self {
        Self {
            is_behind: true,
            last: Instant::now(),
        }
    }

    /// A commit has gone into the log.
    pub fn note_commit(&mut self) {
        self.is_behind = true;
    }

    pub fn is_due(&self) -> bool {
        self.is_behind && self.last.elapsed() >= INTERVAL
    }

    pub fn patience(&self) -> Option<Duration> {
        self.is_behind.then_some(IDLE)
    }

    /// Waits for nobody: what a reader still needs stays in the log until the next time.
    pub fn write_back(&mut self, connection: &mut SqliteConnection) {
        match checkpoint(connection) {
            Ok(is_whole) => self.is_behind = !is_whole,
            Err(error) => tracing::warn!(%error, "the log could not be written back"),
        }
        self.last = Instant::now();
    }
}

/// Whether all of the log is in the file.
fn checkpoint(connection: &mut SqliteConnection) -> Result<bool, StoreError> {
    let (is_busy, pages, written): (i64, i64, i64) = Sql::new("PRAGMA wal_checkpoint(PASSIVE)")
        .rows::<(BigInt, BigInt, BigInt)>()
        .get_result(connection)
        .map_err(store_error)?;
    Ok(is_busy == 0 && written >= pages)
}
