//! The course of sessions. Read in this order: `wish` (what is asked for),
//! `timetable` (its days, pure), `resources` (what is written), `plan` (the
//! operation).

mod plan;
mod resources;
mod timetable;
mod wish;

pub use plan::{PLAN_COURSE, PlanCourse};
pub use resources::system;
