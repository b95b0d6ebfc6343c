//! The embedded store: one file, one writer, several readers.
//!
//! Reads hop once to a blocking thread and its connection. Commits go to the
//! writer's own thread, which makes all that wait durable with one flush.

mod audit;
mod backup;
mod bind;
mod checkpoint;
mod commit;
mod connection;
mod dialect;
mod error;
mod file;
mod index;
mod integrity;
mod interrupt;
mod lead;
mod migration;
mod newest;
mod readers;
mod registry;
mod reindex;
mod settings;
mod store;

pub use backup::write_backup;
pub use settings::SqliteSettings;
pub use store::SqliteStore;
