//! What a psychiatrist's reviewer reads: the knowledge of OCD and ketamine, and
//! what follows from it for a record.
//!
//! Architecture invariant: this room knows FHIR and no transport. Every fact
//! stands in `knowledge/*.toml` with its source and tier; code holds none. The
//! service advises: nothing here calls a treatment approved or safe.

pub mod knowledge;
pub mod measures;
pub mod medication;
pub mod sri;

use std::sync::Arc;

use crate::fhir::operation::{Definition, Operation};
use crate::fhir::rule::Rule;
use knowledge::Knowledge;
use measures::MeasureWatch;
use medication::{MedicationCheck, MedicationCompatibility, MedicationWatch, Rules};
use sri::SriTrials;

/// The rules that writes pass and the operations, made of one knowledge base.
pub struct Clinical {
    rules: Arc<Rules>,
}

impl Clinical {
    pub fn new(knowledge: Knowledge) -> Self {
        Self {
            rules: Arc::new(Rules::new(knowledge)),
        }
    }

    pub fn rules(&self) -> Vec<Box<dyn Rule>> {
        vec![
            Box::new(MedicationWatch(self.rules.clone())),
            Box::new(MeasureWatch(self.rules.clone())),
        ]
    }

    pub fn operations(&self) -> Vec<Box<dyn Operation>> {
        vec![
            Box::new(MedicationCompatibility(self.rules.clone())),
            Box::new(MedicationCheck(self.rules.clone())),
            Box::new(SriTrials(self.rules.clone())),
        ]
    }
}

/// The operations of this room, for documents.
pub static OPERATIONS: &[&Definition] = &[
    &medication::COMPATIBILITY,
    &medication::CHECK,
    &sri::SRI_TRIALS,
];

/// Where the project's own resources have their canonical URLs.
pub const CANONICAL: &str = "https://unloop.dev/fhir";
