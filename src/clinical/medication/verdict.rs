//! What is said of a medicine, from the mildest to the worst.

use serde::Deserialize;

/// The order is that of what deserves attention: what was not checked may be
/// anything, so it outweighs what only needs to be watched.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    Compatible,
    Monitor,
    NotChecked,
    Caution,
    Contraindicated,
}

impl Verdict {
    pub fn code(self) -> &'static str {
        match self {
            Self::Compatible => "compatible",
            Self::Monitor => "monitor",
            Self::NotChecked => "not-checked",
            Self::Caution => "caution",
            Self::Contraindicated => "contraindicated",
        }
    }

    /// <https://hl7.org/fhir/R4/valueset-detectedissue-severity.html>; none
    /// where there is no issue to detect.
    pub fn severity(self) -> Option<&'static str> {
        match self {
            Self::Compatible | Self::NotChecked => None,
            Self::Monitor => Some("low"),
            Self::Caution => Some("moderate"),
            Self::Contraindicated => Some("high"),
        }
    }
}
