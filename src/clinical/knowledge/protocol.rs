//! The protocols of a course: how its sessions follow each other.

use serde::Deserialize;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum GapUnit {
    Day,
    Month,
}

/// How the sessions of a course lie in time.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Protocol {
    pub text: String,
    /// It keeps up what an earlier course reached.
    #[serde(default)]
    pub continues: bool,
    /// The id of a place.
    pub setting: String,
    pub unit: GapUnit,
    pub sessions: u32,
    pub sessions_min: u32,
    pub sessions_max: u32,
    /// Used in turn.
    pub gaps: Vec<u32>,
    pub gap_min: u32,
    pub gap_max: u32,
    /// Days from the first session to the last.
    pub span_min: i32,
    pub span_max: i32,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Anchor {
    First,
    Each,
    Last,
}

/// Where another appointment lies from a session.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Spacing {
    /// The id of a kind of appointment.
    pub kind: String,
    pub anchor: Anchor,
    /// The first and the last day that it may lie on.
    pub days: [i32; 2],
}
