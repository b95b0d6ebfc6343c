//! A grant as it is kept.

use serde::{Deserialize, Serialize};

use super::super::rights::GrantTerms;

/// The kind of a grant in the registry.
pub(super) const KIND: &str = "grant";

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Grant {
    pub id: String,
    /// The id of the Practitioner: the outside therapist.
    pub practitioner: String,
    /// SMART scopes in the context of a patient or user, separated by spaces.
    pub scope: String,
    /// A code of v3-PurposeOfUse, such as TREAT.
    pub purpose: String,
    /// Seconds since 1970. From then on it is over.
    pub ends: i64,
    /// Codes of the sensitive labels that it shows.
    pub labels: Vec<String>,
    /// One for each patient.
    pub basis: Vec<Basis>,
    /// Seconds since 1970.
    pub created: i64,
}

impl Grant {
    pub fn patients(&self) -> Vec<String> {
        self.basis
            .iter()
            .map(|basis| basis.patient.clone())
            .collect()
    }
}

/// A patient, and the Consent by which this one agrees.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Basis {
    pub patient: String,
    /// The id of the Consent.
    pub consent: String,
    /// The grant wrote the Consent, and ends it when it is revoked.
    pub own: bool,
}

/// What a grant is worth at a moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Standing {
    pub terms: GrantTerms,
    pub practitioner: String,
    /// Seconds since 1970: until then nothing but a change of the records or of
    /// the registry can end it.
    pub until: i64,
}
