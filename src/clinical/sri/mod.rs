//! Earlier trials of serotonin reuptake inhibitors: did they count? Read in this
//! order: `dosage` (milligrams a day), `segment` (one record), `trial` (records
//! of one drug together, and the judgement). Pure but for `operation`.

pub mod dosage;
mod operation;
pub mod segment;
pub mod trial;

pub use operation::{History, SRI_TRIALS, SriTrials, history};
pub use trial::Adequacy;
