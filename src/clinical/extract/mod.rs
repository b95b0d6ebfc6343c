//! Observations out of answered Questionnaires. Read in this order: `answers`
//! (which score each answer is), `observations` (what follows from them),
//! `watch` (on write) and `operation` (`$extract`).

pub mod answers;
pub mod observations;
mod operation;
mod questionnaire;
mod watch;

pub use operation::{EXTRACT, Extract};
pub use watch::ExtractWatch;
