//! What every entry has: an id, a version, sources, a tier, and who signed it.

use serde::Deserialize;

/// How far a fact may be relied on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
pub enum Tier {
    /// Read in an authoritative source.
    A,
    /// Read in a secondary source only.
    B,
    /// Not verified.
    C,
}

impl Tier {
    pub fn code(self) -> &'static str {
        match self {
            Self::A => "A",
            Self::B => "B",
            Self::C => "C",
        }
    }

    /// What has to stand beside a fact of this tier wherever it is shown.
    pub fn mark(self) -> Option<&'static str> {
        match self {
            Self::A => None,
            Self::B => Some("secondary source"),
            Self::C => Some("unverified: confirm before clinical use"),
        }
    }
}

#[derive(Clone, Debug, PartialEq)]
pub struct Provenance {
    pub version: String,
    /// Empty until a clinician signs.
    pub reviewed_by: Vec<String>,
    /// Ids of entries of `sources.toml`.
    pub sources: Vec<String>,
    pub tier: Tier,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Entry<T> {
    pub file: &'static str,
    /// The list that it stands in: `rule`.
    pub list: &'static str,
    pub id: String,
    pub provenance: Provenance,
    pub fact: T,
}

impl<T> Entry<T> {
    pub fn tier(&self) -> Tier {
        self.provenance.tier
    }
}
