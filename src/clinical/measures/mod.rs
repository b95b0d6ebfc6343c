//! Y-BOCS and the other scales: what their scores may be, and what follows from
//! a series of them. Read in this order: `scale` (which score a code means),
//! `value` (what an Observation says of it), `sums`, `judge`, `interpretation` (how
//! severe it is), `watch`.

pub mod interpretation;
pub mod judge;
pub mod scale;
pub mod sums;
pub mod value;
mod watch;

pub use watch::MeasureWatch;
