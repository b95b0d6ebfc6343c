//! What others may do to the issues that this service keeps: add a mitigation,
//! and nothing else.

use std::collections::HashSet;

use serde_json::{Map, Value};

use super::issue;
use crate::fhir::engine::{Draft, now};
use crate::fhir::operation::Records;
use crate::fhir::outcome::{Failure, Kind};
use crate::fhir::record::{Guard, ResourceKey};
use crate::fhir::search::date;
use crate::fhir::search::path::{items, text};

/// The condition that nobody writes the record meanwhile.
pub async fn as_it_stands(records: &Records<'_>, key: &ResourceKey) -> Result<Guard, Failure> {
    match records.read(key).await {
        Ok(found) => Ok(Guard::VersionIs(found.version)),
        Err(failure) => match failure.kind {
            Kind::NotFound => Ok(Guard::Absent),
            // Not live now, and not made live by anybody else.
            Kind::Deleted => {
                let lock = format!("medication-watch/{key}");
                records.none_guard(&key.resource_type, &[("_id", &key.id)], &[], &lock)
            }
            _ => Err(failure),
        },
    }
}

/// Refuses drafts of kept issues that change more than the mitigation.
/// `settled` were brought in order with their record already.
pub async fn refuse_others(
    records: &Records<'_>,
    drafts: &[Draft],
    settled: &HashSet<ResourceKey>,
) -> Result<(), Failure> {
    for draft in drafts {
        if draft.key.resource_type != "DetectedIssue" || settled.contains(&draft.key) {
            continue;
        }
        let stored = records.find(&draft.key).await?;
        let old = stored.map(|stored| stored.resource.content);
        let old = old.filter(issue::is_kept);
        let new = draft.content.as_ref().map(|resource| &resource.content);
        match (old, new) {
            (None, Some(new)) if issue::is_kept(new) => {
                return Err(refusal(
                    "DetectedIssue.identifier",
                    "The service itself makes issues under this identifier. Use an identifier of your own.",
                ));
            }
            (Some(old), None) if text(&old, "status") == Some("final") => {
                return Err(refusal(
                    "DetectedIssue",
                    "The finding still stands. Override it by a mitigation that says why; it ends with the record that it is about.",
                ));
            }
            (Some(old), Some(new)) => {
                if issue::differs_beyond_mitigation(&old, new) {
                    return Err(refusal(
                        "DetectedIssue",
                        "The service keeps this issue up to date. Change nothing but its mitigation.",
                    ));
                }
                check_mitigation(new)?;
            }
            _ => {}
        }
    }
    Ok(())
}

/// An override says who overrides and why.
pub fn check_mitigation(content: &Map<String, Value>) -> Result<(), Failure> {
    for mitigation in items(content, "mitigation")
        .iter()
        .filter_map(Value::as_object)
    {
        let action = mitigation.get("action").and_then(Value::as_object);
        let reason = action
            .is_some_and(|action| text(action, "text").is_some_and(|text| !text.trim().is_empty()));
        if !reason {
            return Err(refusal(
                "DetectedIssue.mitigation.action.text",
                "Say in action.text why the finding is overridden.",
            ));
        }
        let date = text(mitigation, "date").and_then(date::range);
        if date.is_some_and(|(low, _)| low > now()) {
            return Err(refusal(
                "DetectedIssue.mitigation.date",
                "The finding is overridden in the future. Send the time at which it is, or none.",
            ));
        }
        if !mitigation.contains_key("author") {
            return Err(refusal(
                "DetectedIssue.mitigation.author",
                "Say in author who overrides the finding.",
            ));
        }
    }
    Ok(())
}

fn refusal(place: &str, text: &str) -> Failure {
    Failure::at(Kind::BusinessRule, place, text)
}
