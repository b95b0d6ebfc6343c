//! What is measured around a dose: units as senders write them, limits, routes and
//! schedules.

use serde::Deserialize;

/// What senders write in place of a UCUM code.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct UnitSpelling {
    pub ucum: String,
    /// In small letters, without dots and spaces around them.
    pub texts: Vec<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum DosePhase {
    Before,
    After,
}

/// What a value beyond a limit asks for, the mildest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum LimitEffect {
    /// It is measured again.
    Watch,
    /// A clinician weighs; nothing stops by itself.
    Review,
    /// No dose.
    Stop,
    Call,
    Emergency,
}

impl LimitEffect {
    pub fn code(self) -> &'static str {
        match self {
            Self::Watch => "watch",
            Self::Review => "review",
            Self::Stop => "stop",
            Self::Call => "call",
            Self::Emergency => "emergency",
        }
    }
}

#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Limit {
    pub phase: DosePhase,
    /// After the dose: the first minute at which it holds.
    #[serde(default)]
    pub from_minute: i64,
    /// Ids of places.
    pub settings: Vec<String>,
    pub effect: LimitEffect,
    /// What is said of a value beyond it.
    pub interpretation: Option<String>,
    pub systolic: Option<i64>,
    pub diastolic: Option<i64>,
    pub heart_rate_above: Option<i64>,
    pub heart_rate_below: Option<i64>,
    pub oxygen_saturation: Option<i64>,
    pub action: String,
}

impl Limit {
    /// The bounds of this sign: a value above the first or below the second is beyond.
    pub fn bounds_of(&self, sign: &str) -> (Option<i64>, Option<i64>) {
        match sign {
            "systolic" => (self.systolic, None),
            "diastolic" => (self.diastolic, None),
            "heart-rate" => (self.heart_rate_above, self.heart_rate_below),
            "oxygen-saturation" => (None, self.oxygen_saturation),
            _ => (None, None),
        }
    }
}

/// How a dose is given, and what follows from it for the time after.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DoseRoute {
    pub text: String,
    /// Codes of `MedicationAdministration.dosage.route`.
    pub snomed: Vec<String>,
    /// The id of a schedule.
    pub schedule: String,
    /// Minutes after the dose before which nobody is let go.
    pub observe: i64,
}

#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Schedule {
    /// After the dose, 0 is before it.
    pub minutes: Vec<i64>,
    pub text: String,
}
