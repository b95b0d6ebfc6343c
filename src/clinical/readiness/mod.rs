//! Whether a session can go ahead. Read in this order: `check` (what one check
//! says), `moment` (the time that is judged for), `people` (companion), `consent`,
//! `medicines`, `measured` (vital signs), `suicidality`, `safety` (mania, adverse
//! events, the patient), `criteria` (of candidacy), `operation` (all of it).

pub mod check;
mod consent;
mod criteria;
mod measured;
mod medicines;
mod moment;
mod operation;
mod people;
pub mod safety;
mod suicidality;

pub use moment::minutes_of;
pub use operation::{READINESS, SessionReadiness, asked_time, readiness};
pub use people::of_companion;
