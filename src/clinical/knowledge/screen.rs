//! How screens and tests answer: the codes of their items and of what is answered.

use serde::Deserialize;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SuicideScreenKind {
    /// Says how high the risk is.
    Level,
    /// Holds a level, or all items.
    Panel,
    /// Is answered yes or no.
    Item,
    /// A number; anything above 0 is above low.
    Points,
}

#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SuicideScreen {
    pub text: String,
    /// LOINC.
    pub code: String,
    pub kind: SuicideScreenKind,
    /// What follows where an item is answered yes.
    pub yes: Option<ScreenMeaning>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ScreenMeaning {
    Low,
    Moderate,
    High,
    No,
    Yes,
    /// A score of 0.
    NoPoints,
    /// A score above 0.
    Points,
}

/// One answer, however it is written.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ScreenAnswer {
    pub meaning: ScreenMeaning,
    #[serde(default)]
    pub loinc: Vec<String>,
    #[serde(default)]
    pub snomed: Vec<String>,
    /// Codes of the project's own CodeSystem `measures`.
    #[serde(default)]
    pub local: Vec<String>,
    /// The whole text, in small letters without punctuation.
    #[serde(default)]
    pub words: Vec<String>,
}

/// Observations that say whether somebody is pregnant.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PregnancyObservation {
    pub text: String,
    pub loinc: Vec<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum PregnancyMeaning {
    Positive,
    Negative,
    Unclear,
}

/// One answer of theirs, however it is written.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PregnancyAnswer {
    pub meaning: PregnancyMeaning,
    #[serde(default)]
    pub loinc: Vec<String>,
    #[serde(default)]
    pub snomed: Vec<String>,
    /// Of <http://terminology.hl7.org/CodeSystem/v3-ObservationInterpretation>.
    #[serde(default)]
    pub interpretation: Vec<String>,
    /// The whole text, in small letters without punctuation.
    #[serde(default)]
    pub words: Vec<String>,
}
