//! By which rules the stored findings were made. Who writes by other rules than
//! those before says so first; a recheck of all records makes it one version again.

use std::sync::atomic::{AtomicBool, Ordering};

use serde::{Deserialize, Serialize};

use crate::fhir::engine::Engine;
use crate::fhir::mark::{self, Mark};
use crate::fhir::operation::Records;
use crate::fhir::outcome::{Failure, Kind};

const MARK: &str = "knowledge";
const ID: &str = "findings";

/// The rules of findings that are older than this note.
const UNKNOWN: &str = "an unknown version";

/// The types whose records are judged, in the order of a recheck.
pub const JUDGED: [&str; 5] = [
    "AllergyIntolerance",
    "MedicationAdministration",
    "MedicationDispense",
    "MedicationRequest",
    "MedicationStatement",
];

/// The versions of the rules by which findings may have been made.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Made {
    pub by: Vec<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub recheck: Option<Reached>,
}

/// How far a recheck is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reached {
    pub version: String,
    pub resource_type: String,
    /// The id of the last record that was looked at.
    pub after: String,
}

impl Made {
    /// Whether all of them were made by this version.
    pub fn is_by(&self, version: &str) -> bool {
        matches!(self.by.as_slice(), [only] if only == version)
    }

    /// The same after a write by this version; another one's recheck is void.
    pub fn and_by(mut self, version: &str) -> Self {
        if !self.by.iter().any(|by| by == version) {
            self.by.push(version.to_owned());
            self.recheck = None;
        }
        self
    }
}

/// What is noted; where nothing is, what is there tells.
pub async fn read(engine: &Engine, version: &str) -> Result<(Made, Option<Mark>), Failure> {
    if let Some(mark) = mark::read(engine, MARK, ID).await? {
        let made = serde_json::from_str(&mark.body);
        return Ok((made.unwrap_or_default(), Some(mark)));
    }
    let records = Records::all(engine);
    let mut made = Made {
        by: vec![version.to_owned()],
        recheck: None,
    };
    for name in JUDGED {
        if !records.page(name, "", 1).await?.0.is_empty() {
            made.by.insert(0, UNKNOWN.to_owned());
            break;
        }
    }
    Ok((made, None))
}

/// What is noted.
pub async fn made(engine: &Engine, version: &str) -> Result<Made, Failure> {
    Ok(read(engine, version).await?.0)
}

/// Whether it could be noted: not where somebody else noted something meanwhile.
pub async fn write(engine: &Engine, made: &Made, old: Option<&Mark>) -> Result<bool, Failure> {
    let body = serde_json::to_string(made);
    let body = body.map_err(|_| Failure::new(Kind::Internal, "A note could not be written."))?;
    mark::write(engine, MARK, ID, old, body).await
}

/// Notes once for each program that findings are now made by this version.
#[derive(Default)]
pub struct Noted(AtomicBool);

impl Noted {
    pub async fn note(&self, engine: &Engine, version: &str) -> Result<(), Failure> {
        while !self.0.load(Ordering::Acquire) {
            let (made, mark) = read(engine, version).await?;
            let now = made.clone().and_by(version);
            let is_noted = mark.is_some() && now == made;
            if is_noted || write(engine, &now, mark.as_ref()).await? {
                self.0.store(true, Ordering::Release);
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Back to the rules before is no way back to their findings.
    #[test]
    fn two_versions_stay_two() {
        let made = Made::default().and_by("a");
        assert!(made.is_by("a"));
        let mixed = made.and_by("b");
        assert!(!mixed.is_by("a") && !mixed.is_by("b"));
        assert_eq!(mixed.clone().and_by("a"), mixed);
    }
}
