//! Keys, documents and index rows, and two places to keep them.
//!
//! Architecture invariant: nothing here knows FHIR. Date ranges, case folding,
//! prefixes and missing values are decided above the port; an adapter compares.

pub mod audit;
mod chain_key;
pub mod change;
mod clock_watch;
pub mod error;
pub mod gather;
mod page;
pub mod plan;
pub mod port;
pub mod postgres;
mod pulse;
pub mod registry;
pub mod reindex;
pub mod scope;
pub mod sql;
pub mod sqlite;
mod together;

pub use audit::{AuditEntry, AuditRow, AuditTrail, Chain, ChainPlace, Growing, Walk};
pub use chain_key::ChainKey;
pub use change::{
    Change, Commit, Effect, Guard, IndexForm, IndexKey, IndexRows, Method, OutboxRow, ResourceKey,
    Stored, Version, Write,
};
pub use clock_watch::ClockJump;
pub use error::{Conflict, StoreError};
pub use plan::{
    Ball, Bounds, Comparison, Filter, HistoryOf, HistoryPlan, HistoryPosition, Link, OrderBy,
    OrderTerm, Position, PositionValue, SearchPlan, TextMatch,
};
pub use port::{Found, Store};
pub use registry::{Registry, RegistryChange, RegistryEntry, RegistryKey, RegistryWrite};
pub use reindex::{Claim, IndexState, Outdated, Rebuilt, Reindex};
pub use scope::Scope;
