//! How a Condition stands now, and how certain it is.
//! <https://hl7.org/fhir/R4/condition.html>

use serde_json::{Map, Value};

use crate::fhir::search::path::items;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// Active; `confirmed` where somebody says so.
    Active {
        confirmed: bool,
    },
    /// Active, and only suspected; or something unknown may change its meaning.
    Suspected,
    Remission,
    /// Resolved, inactive or ended.
    Past,
    Refuted,
}

impl Standing {
    /// It may be there now.
    pub fn is_open(self) -> bool {
        matches!(self, Self::Active { .. } | Self::Suspected)
    }
}

pub fn standing(condition: &Map<String, Value>) -> Standing {
    // <https://hl7.org/fhir/R4/extensibility.html#modifierExtension>
    if condition.contains_key("modifierExtension") {
        return Standing::Suspected;
    }
    let verification = codes(condition.get("verificationStatus"));
    if verification
        .iter()
        .any(|code| matches!(*code, "refuted" | "entered-in-error"))
    {
        return Standing::Refuted;
    }
    let clinical = codes(condition.get("clinicalStatus"));
    let says = |wanted: &[&str]| clinical.iter().any(|code| wanted.contains(code));
    let goes_on = says(&["active", "recurrence", "relapse"]);
    if !goes_on && says(&["remission"]) {
        return Standing::Remission;
    }
    let ended = clinical.is_empty() && condition.keys().any(|name| name.starts_with("abatement"));
    if !goes_on && (says(&["inactive", "resolved"]) || ended) {
        return Standing::Past;
    }
    if verification
        .iter()
        .any(|code| matches!(*code, "unconfirmed" | "provisional" | "differential"))
    {
        return Standing::Suspected;
    }
    Standing::Active {
        confirmed: verification.contains(&"confirmed"),
    }
}

fn codes(concept: Option<&Value>) -> Vec<&str> {
    let concept = concept.and_then(Value::as_object);
    let codings = concept
        .into_iter()
        .flat_map(|concept| items(concept, "coding"));
    codings
        .filter_map(|coding| coding.get("code").and_then(Value::as_str))
        .collect()
}
