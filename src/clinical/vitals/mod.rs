//! Vital signs. Read in this order: `spelling` (units as senders write them),
//! `measured` (what was measured, in every shape), `limits` (what is beyond them);
//! and on write: `finding` (what is wrong with an Observation), `interpretation` (high
//! or low, where the sender says nothing), `flag` (the tag on what is implausible, and
//! how it is confirmed), `watch` (the rule that writes pass).

mod finding;
mod flag;
pub mod interpretation;
pub mod limits;
pub mod measured;
mod spelling;
mod watch;

pub use finding::Strictness;
pub use watch::VitalsWatch;
