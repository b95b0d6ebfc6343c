//! What can be set about the embedded store.

use std::time::Duration;

use crate::store::gather::{Clock, system_clock};
use crate::store::{ChainKey, IndexForm};

#[derive(Clone)]
pub struct SqliteSettings {
    /// How many reads run at the same time.
    pub readers: usize,
    /// How long to wait for another process that holds the file.
    pub busy_timeout: Duration,
    /// How long one question may take.
    pub statement_timeout: Duration,
    /// How many questions that take long are answered at a time.
    pub slow_readers: usize,
    /// Where commits get their time from.
    pub clock: Clock,
    /// In which form the index rows come.
    pub form: IndexForm,
    /// What new chains of the audit trail are made with; `None`: plain hashes.
    pub chain_key: Option<ChainKey>,
}

impl Default for SqliteSettings {
    fn default() -> Self {
        Self {
            readers: 8,
            busy_timeout: Duration::from_secs(10),
            statement_timeout: Duration::from_secs(30),
            slow_readers: 2,
            clock: system_clock(),
            form: IndexForm::default(),
            chain_key: None,
        }
    }
}
