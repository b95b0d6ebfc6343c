//! What one check of a session says. What is not known holds the session like
//! what speaks against it.

use crate::fhir::operation::Part;
use crate::fhir::record::ResourceKey;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    Go,
    Hold,
    Unknown,
}

impl State {
    pub fn code(self) -> &'static str {
        match self {
            Self::Go => "go",
            Self::Hold => "hold",
            Self::Unknown => "unknown",
        }
    }
}

#[derive(Clone, Debug)]
pub struct Check {
    pub id: &'static str,
    pub state: State,
    pub reason: String,
    /// What it rests on.
    pub evidence: Vec<ResourceKey>,
}

impl Check {
    pub fn go(id: &'static str, reason: impl Into<String>) -> Self {
        Self::of(id, State::Go, reason.into())
    }

    pub fn hold(id: &'static str, reason: impl Into<String>) -> Self {
        Self::of(id, State::Hold, reason.into())
    }

    pub fn unknown(id: &'static str, reason: impl Into<String>) -> Self {
        Self::of(id, State::Unknown, reason.into())
    }

    fn of(id: &'static str, state: State, reason: String) -> Self {
        Self {
            id,
            state,
            reason,
            evidence: Vec::new(),
        }
    }

    #[must_use]
    pub fn by(mut self, evidence: impl IntoIterator<Item = ResourceKey>) -> Self {
        self.evidence.extend(evidence);
        self
    }

    pub fn part(&self) -> Part {
        let mut parts = vec![
            Part::code("id", self.id),
            Part::code("state", self.state.code()),
            Part::text("reason", &self.reason),
        ];
        let evidence = self.evidence.iter();
        parts.extend(evidence.map(|key| Part::reference("evidence", &key.to_string())));
        Part::parts("check", parts)
    }
}
