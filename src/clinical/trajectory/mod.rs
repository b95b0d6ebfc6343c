//! The course of a score: where it began, how it moved, and what that amounts
//! to. Read in this order: `series` (Observations in the order of time), `session`
//! (the treatment along it), `treatment` (the courses of it, and which ratings
//! belong to each), `run` (how long something held), `outcome` (response,
//! remission, relapse), `told` (the answer). Pure but for `operation`.

mod operation;
pub mod outcome;
pub mod run;
pub mod series;
pub mod session;
mod told;
pub mod treatment;

pub use operation::{YBOCS_TRAJECTORY, YbocsTrajectory};
