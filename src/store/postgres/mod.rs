//! The store on PostgreSQL 15 and later.
//!
//! The questions come from [`super::sql`]. Writing is `writer`'s: it splits
//! what waits into batches, locks and judges each, and writes it as sets.

mod address;
mod audit;
mod batch;
mod columns;
mod common;
mod connect;
mod density;
mod dialect;
mod fault;
mod judge;
mod lead;
mod lock;
mod migration;
mod parts;
mod readers;
mod registry;
mod reindex;
mod rows;
mod settings;
mod store;
mod tls;
mod writer;

pub use settings::PostgresSettings;
pub use store::PostgresStore;
