//! What can be set about the store on PostgreSQL.

use std::time::Duration;

use crate::store::gather::{Clock, system_clock};
use crate::store::{ChainKey, IndexForm};

#[derive(Clone)]
pub struct PostgresSettings {
    /// Connections for reading; writing has one of its own.
    pub pool_size: usize,
    /// How long to wait for the server, and for a free connection.
    pub connect_timeout: Duration,
    /// The server gives up a statement that takes longer.
    pub statement_timeout: Duration,
    /// The same for one question that reads.
    pub read_timeout: Duration,
    /// How many questions that take long are answered at a time.
    pub slow_readers: usize,
    /// Where commits get their time from.
    pub clock: Clock,
    /// In which form the index rows come.
    pub form: IndexForm,
    /// What new chains of the audit trail are made with; `None`: plain hashes.
    pub chain_key: Option<ChainKey>,
}

impl Default for PostgresSettings {
    fn default() -> Self {
        Self {
            pool_size: 16,
            connect_timeout: Duration::from_secs(5),
            statement_timeout: Duration::from_secs(30),
            read_timeout: Duration::from_secs(30),
            slow_readers: 2,
            clock: system_clock(),
            form: IndexForm::default(),
            chain_key: None,
        }
    }
}
