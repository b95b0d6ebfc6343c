//! Vital signs on write. Read in this order: `finding` (what is wrong with an
//! Observation), `interpretation` (high or low, where the sender says nothing),
//! `flag` (the tag on what is implausible, and how it is confirmed), `watch`
//! (the rule that writes pass).

mod finding;
mod flag;
pub mod interpretation;
mod watch;

pub use finding::Strictness;
pub use watch::VitalsWatch;
