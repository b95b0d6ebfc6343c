//! The course of a score: where it began, how it moved, and what that amounts
//! to. Read in this order: `series` (Observations in the order of time), `run`
//! (how long something held), `outcome` (response, remission, relapse),
//! `session` (the treatment along it). Pure but for `operation`.

mod operation;
pub mod outcome;
pub mod run;
pub mod series;
pub mod session;

pub use operation::{YBOCS_TRAJECTORY, YbocsTrajectory};
