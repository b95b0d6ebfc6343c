//! What the entries of each list hold besides their id and provenance.

use serde::Deserialize;

use super::Tier;
use crate::clinical::medication::Verdict;

#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Source {
    pub citation: String,
}

#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Class {
    pub name: String,
}

/// A code that was seen in a source of its own.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Code {
    pub code: String,
    pub tier: Tier,
    /// The code is that of a combination with something unnamed.
    #[serde(default)]
    pub combination: bool,
}

#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Drug {
    pub name: String,
    /// The id of a class.
    pub class: String,
    /// The code of the ingredient.
    pub rxnorm: Option<Code>,
    pub atc: Vec<Code>,
    /// Other generic names.
    #[serde(default)]
    pub names: Vec<String>,
    #[serde(default)]
    pub brands: Vec<String>,
    /// Codes of the ingredient in other systems.
    #[serde(default)]
    pub other_codes: Vec<SystemCode>,
    /// Days during which a rule about it holds after the last dose, where that is
    /// longer than the rule says.
    pub wash_out: Option<WashOut>,
}

/// A code of a system that is neither RxNorm nor ATC.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SystemCode {
    /// The address of the system, and its other addresses.
    pub systems: Vec<String>,
    pub code: String,
    pub tier: Tier,
}

/// A code that says that there is nothing to list.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NoneKnown {
    pub systems: Vec<String>,
    pub code: String,
    /// `MedicationStatement` or `AllergyIntolerance`.
    pub about: String,
}

/// How long a record of one kind speaks for the time behind it.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RecordWindow {
    /// What it is added to, in words.
    pub text: String,
    pub days: i64,
}

/// A form that acts for long after the last dose, by words of its name.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DepotForm {
    /// Names of products and words of forms; each may be several words.
    pub names: Vec<String>,
    pub days: i64,
}

impl Drug {
    /// The ATC codes.
    pub fn codes(&self) -> impl Iterator<Item = &str> {
        self.atc.iter().map(|atc| atc.code.as_str())
    }
}

/// A brand of several ingredients, some of which may be unknown here.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Product {
    pub name: String,
    pub ingredients: Vec<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RuleKind {
    Drug,
    Food,
    Herbal,
    /// Ketamine besides the treatment itself.
    Duplicate,
    /// Judged on AllergyIntolerance only.
    Allergy,
    /// Informs, and gives no verdict.
    Note,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Severities {
    pub clinic: Verdict,
    pub home: Verdict,
}

#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WashOut {
    pub days: i64,
    pub tier: Tier,
}

#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rule {
    pub kind: RuleKind,
    /// Ids of drugs.
    #[serde(default)]
    pub drugs: Vec<String>,
    /// Beginnings of ATC codes.
    #[serde(default)]
    pub atc: Vec<String>,
    pub clinic: Verdict,
    pub home: Verdict,
    pub mechanism: String,
    pub recommendation: String,
    /// How far the facts reach where they are not about every member.
    pub class_inference: Option<String>,
    /// How long after the last dose the rule still holds.
    pub wash_out: Option<WashOut>,
}

impl Rule {
    /// Whether the rule is about this drug, or about one of these ATC codes.
    pub fn covers<'c>(&self, drug: &str, mut codes: impl Iterator<Item = &'c str>) -> bool {
        let beginning = |code: &str| {
            self.atc
                .iter()
                .any(|start| code.starts_with(start.as_str()))
        };
        self.drugs.iter().any(|id| id == drug) || codes.any(beginning)
    }

    pub fn severities(&self) -> Severities {
        Severities {
            clinic: self.clinic,
            home: self.home,
        }
    }
}

#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Trial {
    pub weeks: Option<i64>,
    pub weeks_at_dose: Option<i64>,
    pub gap_days: Option<i64>,
    pub usual: Option<String>,
    pub alternative: Option<String>,
}

/// Milligrams a day.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Dose {
    pub drug: String,
    pub start: i64,
    pub target_low: i64,
    pub target_high: i64,
    pub usual_max: i64,
    pub occasional_max: Option<i64>,
    pub note: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sign {
    pub loinc: String,
    /// LOINC codes that stand beside it.
    #[serde(default)]
    pub also: Vec<String>,
    /// LOINC codes that mean the same where they stand alone.
    #[serde(default)]
    pub instead: Vec<String>,
    /// The profile of R4 that holds where this is the code of an Observation.
    pub profile: Option<String>,
    /// UCUM; empty for a panel.
    pub units: Vec<String>,
    pub plausible: Option<[i64; 2]>,
}

#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Score {
    pub name: String,
    pub system: String,
    pub code: String,
    pub min: i64,
    pub max: i64,
    #[serde(default)]
    pub sum_of: Vec<String>,
    /// SNOMED CT, for `Observation.method`.
    pub method: Option<String>,
    /// Codes in place of numbers, the mildest first.
    #[serde(default)]
    pub levels: Vec<String>,
}

/// A score from which something waits.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ScoreThreshold {
    /// The id of a score.
    pub score: String,
    pub at_least: i64,
    /// Counted from the value before the dose.
    #[serde(default)]
    pub above_before: bool,
    pub text: String,
}

/// Scores that belong together.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Instrument {
    pub name: String,
    /// The id of the score that all others are part of.
    pub total: String,
    /// What somebody who sends a value above the range has to know.
    pub beyond: Option<String>,
    pub notice: String,
}

#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Band {
    pub score: String,
    pub min: i64,
    pub max: i64,
}

#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Outcome {
    pub text: String,
    /// The id of the outcome that has to be met before.
    pub after: Option<String>,
    pub percent_min: Option<i64>,
    /// The id of an outcome that takes a rating before this one does.
    pub unless: Option<String>,
    /// It asks for no impression of a clinician and stands beside the consensus.
    #[serde(default)]
    pub score_only: bool,
    pub total_min: Option<i64>,
    pub total_max: Option<i64>,
    /// The id of a duration.
    pub lasts: String,
    /// A withdrawal from the treatment may take the place of the duration.
    #[serde(default)]
    pub withdrawal: bool,
    pub cgi_improvement_min: Option<i64>,
    pub cgi_improvement_max: Option<i64>,
    pub cgi_severity_max: Option<i64>,
    pub note: Option<String>,
}

/// Which rating change is measured from, and where one course ends.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Baseline {
    pub text: String,
    /// Days before the first dose; an older baseline is named as old.
    pub horizon_days: i64,
    /// Days without a session after which a new course begins.
    pub pause_days: i64,
}

/// How far apart two measurements may be that count together.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Pairing {
    pub text: String,
    pub within_days: i64,
}

#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Duration {
    pub text: String,
    pub days: i64,
}

/// A kind of appointment of the programme.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Kind {
    pub display: String,
    pub definition: String,
    /// How long it lasts.
    pub minutes: i64,
}

/// Where a session takes place.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Place {
    pub display: String,
    pub definition: String,
    /// The type of the participant who has to be there.
    pub companion: String,
    pub companion_text: String,
    /// The id of the schedule by which a session is watched.
    pub schedule: String,
    /// The ids of the signs that are measured.
    pub signs: Vec<String>,
}

/// How old something may be.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Freshness {
    pub minutes: i64,
    pub text: String,
}

/// What a person is told.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Advice {
    /// When it is told: `discharge`.
    pub about: String,
    pub text: String,
}
