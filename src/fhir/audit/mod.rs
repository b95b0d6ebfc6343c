//! The audit trail: what happened to whose records, by whom. Records are kept
//! with the commits they tell of; AuditEvents are made of them afterwards.
//! <https://hl7.org/fhir/R4/auditevent.html>

pub mod actor;
mod codes;
mod deed;
pub mod event;
mod fold;
pub mod keep;
pub mod materialise;
mod patients;
pub mod record;
pub mod render;
pub mod security;
pub mod summary;
pub mod verify;

pub use actor::Actor;
pub use deed::Deed;
pub use event::{Event, Shown};
pub use fold::fold_entries;
pub use keep::{keep, record, record_with};
pub use materialise::{Trail, follow, settle};
