//! CDS Hooks: what an EHR hears while somebody orders. Advice in cards; an
//! order is never held up. Read in this order: `service` (what there is),
//! `call` (what was asked), `medication`, `progress` and `readiness` (the
//! judgements, of what `ask`, `check`, `taken` and `ehr` bring), `card`, `given`
//! and `feedback` (what became of cards).
//! <https://cds-hooks.hl7.org/2.0/>

mod ask;
mod call;
mod card;
mod check;
mod ehr;
mod feedback;
mod given;
mod ketamine;
mod medication;
mod progress;
mod readiness;
mod service;
mod taken;

pub use call::{answer, late_answer};
pub use ehr::FhirServers;
pub use feedback::take;
pub use service::discovery;
