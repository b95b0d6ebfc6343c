//! What is asked before a course, and the codes by which a record answers.

use serde::Deserialize;

/// Which elements of a record tell whether a criterion is met.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum JudgedBy {
    /// The date of birth.
    Age,
    /// A Condition that has to be there, active and confirmed.
    Condition,
    /// The latest total of a scale.
    Score,
    SriTrial,
    /// A Procedure, or the questionnaire.
    Procedure,
    /// The questionnaire alone.
    Answer,
    /// No active Condition, and the questionnaire.
    NoCondition,
    /// The same, and no test or status of pregnancy against it.
    NotPregnant,
    /// No Condition at any time, no allergy to the agent, and the questionnaire.
    NoHistory,
    BloodPressure,
    /// The Patient: alive, and the record in use.
    RecordInUse,
    /// A participant of the next session.
    Participant,
    /// Where the next session is.
    Location,
    /// No such Condition, or a Flag and a schedule of a scale.
    Watched,
    /// An Observation of a screening.
    Screen,
}

/// What follows where a criterion is not met, or nobody knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Effect {
    Block,
    /// For a clinician to judge.
    Refer,
    Flag,
    #[serde(rename = "block at session")]
    BlockAtSession,
}

#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Criterion {
    pub text: String,
    pub evidence: String,
    pub if_missing: Effect,
    pub to_settle: String,
    pub judged_by: JudgedBy,
    /// Ids of findings.
    #[serde(default)]
    pub findings: Vec<String>,
    /// Ids of sets of conditions; the action of each says what follows.
    #[serde(default)]
    pub sets: Vec<String>,
    /// Ids of sets that leave the criterion open.
    #[serde(default)]
    pub doubt: Vec<String>,
    /// Ids of sets that say that it is over: for a clinician to judge.
    #[serde(default)]
    pub remission: Vec<String>,
    /// The id of a score.
    pub score: Option<String>,
    /// Years, or points of the score.
    pub at_least: Option<i64>,
    /// The id of the horizon: how old an answer or a measurement may be.
    pub horizon: String,
    /// It is asked in this setting only.
    pub setting: Option<String>,
    /// <https://hl7.org/fhir/R4/valueset-encounter-participant-type.html>
    pub participant: Option<String>,
    /// The id of the score by which somebody is watched, and how often.
    pub scale: Option<String>,
    pub every_days: Option<i64>,
}

/// Codes by which a record shows something.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Codes {
    pub text: String,
    #[serde(default)]
    pub snomed: Vec<String>,
    /// Codes of the project's own CodeSystem `programme`.
    #[serde(default)]
    pub local: Vec<String>,
    /// The codes say less than what is asked.
    #[serde(default)]
    pub unspecific: bool,
}

/// How old what a judgement rests on may be.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EvidenceHorizon {
    pub text: String,
    /// Without, a record counts as long as it stands.
    pub days: Option<i64>,
}
