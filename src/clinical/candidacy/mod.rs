//! What is asked before a course of ketamine, criterion by criterion. Read in
//! this order: `status` (met, not met, unknown), `condition` and `answers`
//! (what records and questionnaires show), `evidence` (what is read), `judge`,
//! `absence`, `pregnancy`, `suicidality` and `measured` (each kind of criterion),
//! `operation`, `persist`.

mod absence;
mod answers;
mod condition;
mod evidence;
mod judge;
mod measured;
mod operation;
mod persist;
mod pregnancy;
mod session;
mod status;
mod suicidality;

pub use operation::{CANDIDACY, KetamineCandidacy, judged};
pub use status::{CODES, Status, system};
