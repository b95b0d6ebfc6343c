//! Whether a session can go ahead. Read in this order: `check` (what one check
//! says), `people` (companion and consent), `medicines`, `measured` (blood
//! pressure and suicidality), `criteria` (of candidacy), `operation` (all of it).

pub mod check;
mod criteria;
mod measured;
mod medicines;
mod operation;
mod people;

pub use measured::pressure;
pub use operation::{READINESS, SessionReadiness, readiness};
pub use people::of_companion;
