//! The sets of codes that mean one kind of condition, and what the codes of no set
//! are near. The file is made by `cargo xtask condition-sets`.

use serde::Deserialize;

/// How else the system of a code is written.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CodingSystemAlias {
    pub url: String,
    /// Without `urn:oid:`.
    pub oid: String,
}

/// What follows from a condition of a set (policy).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SetAction {
    /// It stands against a course.
    Block,
    /// A clinician judges it first.
    Refer,
    /// A clinician sees the patient now.
    ReferUrgent,
    Flag,
    /// Told, without more.
    Info,
    /// It has to be there.
    Require,
    None,
}

/// Codes that mean one kind of condition; each member a list with blanks between.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ConditionSet {
    pub text: String,
    /// What the set is asked for: `no-psychosis`.
    pub concern: String,
    pub action: SetAction,
    /// SNOMED CT, from published value sets (tier A).
    #[serde(default)]
    pub published: String,
    /// SNOMED CT, chosen by wording (tier B).
    #[serde(default)]
    pub matched: String,
    /// Beginnings of codes.
    #[serde(default)]
    pub icd10cm: String,
    /// Headers that mean the set as they stand.
    #[serde(default)]
    pub icd10cm_exact: String,
    /// Codes that say use, not a disorder: to be asked about.
    #[serde(default)]
    pub icd10cm_use: String,
    /// Beginnings of codes of the WHO's ICD-10 and of national ones that follow it.
    #[serde(default)]
    pub icd10who: String,
    #[serde(default)]
    pub icd10who_except: String,
    /// Whole codes.
    #[serde(default)]
    pub icd9cm: String,
    /// `owner/repository@commit id|version` of the published value sets.
    #[serde(default)]
    pub value_sets: Vec<String>,
}

/// ICD-10 codes of no set that begin so are near these concerns.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AttentionPrefix {
    pub prefix: String,
    pub concerns: Vec<String>,
}

/// Words in a text or a display that name a concern. They count beside the codes.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ConcernWords {
    pub concern: String,
    /// Beginnings of words, in small letters.
    pub words: Vec<String>,
}

/// Codes of no set that are near no concern.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CodesWithoutConcern {
    pub text: String,
    /// SNOMED CT.
    pub snomed: String,
}
