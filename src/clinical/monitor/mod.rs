//! What is watched during a session. Read in this order: `timeline` (what is
//! due when, pure), `readings` (what was measured), `operation`.

mod operation;
mod readings;
mod timeline;

pub use operation::{MONITOR, SessionMonitor};
