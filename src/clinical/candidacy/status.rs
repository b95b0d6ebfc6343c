//! What is said of a criterion, and of all together. Nobody is ever approved:
//! the best that there is is a clinician's review.

use crate::clinical::CANONICAL;
use crate::clinical::knowledge::{Criterion, Effect, Entry};

/// What a RiskAssessment of it is called.
pub const ASSESSMENT: &str = "ketamine-candidacy";

/// Every code of its system: the assessment, and what it comes to.
pub const CODES: [(&str, &str); 4] = [
    (
        ASSESSMENT,
        "Whether the criteria before a course of ketamine are met.",
    ),
    (
        Overall::EligibleForReview.code(),
        "Nothing known stands against a course; a clinician reviews it.",
    ),
    (
        Overall::NeedsInformation.code(),
        "Something is unknown, or for a clinician to judge first.",
    ),
    (
        Overall::NotACandidateNow.code(),
        "A criterion that has to be met is not met now.",
    ),
];

/// The system of these codes.
pub fn system() -> String {
    format!("{CANONICAL}/CodeSystem/candidacy")
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    Met,
    NotMet,
    Unknown,
}

impl Status {
    pub fn code(self) -> &'static str {
        match self {
            Self::Met => "met",
            Self::NotMet => "not-met",
            Self::Unknown => "unknown",
        }
    }
}

pub fn effect_code(effect: Effect) -> &'static str {
    match effect {
        Effect::Block => "block",
        Effect::Refer => "refer",
        Effect::Flag => "flag",
        Effect::BlockAtSession => "block-at-session",
    }
}

/// One criterion, judged.
#[derive(Clone, Debug)]
pub struct Judged<'k> {
    pub criterion: &'k Entry<Criterion>,
    pub status: Status,
    /// What follows where it is not met or unknown: the criterion's own, or what the
    /// set of the condition asks for.
    pub effect: Effect,
    pub reasons: Vec<String>,
    /// `Condition/1`
    pub evidence: Vec<String>,
}

/// What is found about one criterion.
#[derive(Clone, Debug)]
pub struct Finding {
    pub status: Status,
    pub reasons: Vec<String>,
    pub evidence: Vec<String>,
    /// Where it is another one than the criterion's.
    pub effect: Option<Effect>,
}

impl Finding {
    pub fn of(status: Status, reason: impl Into<String>) -> Self {
        Self {
            status,
            reasons: vec![reason.into()],
            evidence: Vec::new(),
            effect: None,
        }
    }

    /// One of all of them, with every reason and all evidence.
    pub fn join(status: Status, all: impl IntoIterator<Item = Self>) -> Self {
        let mut joined = Self {
            status,
            reasons: Vec::new(),
            evidence: Vec::new(),
            effect: None,
        };
        for one in all {
            joined.reasons.extend(one.reasons);
            joined.evidence.extend(one.evidence);
        }
        joined
    }

    pub fn with_effect(mut self, effect: Effect) -> Self {
        self.effect = Some(effect);
        self
    }

    pub fn met(reason: impl Into<String>) -> Self {
        Self::of(Status::Met, reason)
    }

    pub fn not_met(reason: impl Into<String>) -> Self {
        Self::of(Status::NotMet, reason)
    }

    pub fn unknown(reason: impl Into<String>) -> Self {
        Self::of(Status::Unknown, reason)
    }

    pub fn by(mut self, evidence: impl IntoIterator<Item = String>) -> Self {
        self.evidence.extend(evidence);
        self
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Overall {
    EligibleForReview,
    NeedsInformation,
    NotACandidateNow,
}

impl Overall {
    pub const fn code(self) -> &'static str {
        match self {
            Self::EligibleForReview => "eligible-for-review",
            Self::NeedsInformation => "needs-information",
            Self::NotACandidateNow => "not-a-candidate-now",
        }
    }

    /// What is asked at each session does not hold up a review; what a
    /// clinician has to judge first does.
    pub fn of(judged: &[Judged<'_>]) -> Self {
        let any = |effect: Effect, status: Status| {
            judged
                .iter()
                .any(|one| one.effect == effect && one.status == status)
        };
        if any(Effect::Block, Status::NotMet) {
            Self::NotACandidateNow
        } else if any(Effect::Block, Status::Unknown)
            || any(Effect::Refer, Status::NotMet)
            || any(Effect::Refer, Status::Unknown)
        {
            Self::NeedsInformation
        } else {
            Self::EligibleForReview
        }
    }
}
