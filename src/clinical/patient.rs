//! What the record of a patient says of itself against any treatment: dead, not active,
//! replaced by another record, under age.
//! <https://hl7.org/fhir/R4/patient.html>

use serde_json::{Map, Value};

use super::knowledge::{JudgedBy, Knowledge};
use crate::fhir::engine::Draft;
use crate::fhir::operation::Records;
use crate::fhir::outcome::{Failure, Issue, Kind};
use crate::fhir::record::ResourceKey;
use crate::fhir::search::date;
use crate::fhir::search::path::{items, text};

/// Why nothing is planned, booked or given at this time (microseconds since 1970), in
/// words; nothing where the record says nothing against it.
pub fn reasons_against_treatment(
    knowledge: &Knowledge,
    patient: &Map<String, Value>,
    at: i64,
) -> Vec<String> {
    let mut reasons = Vec::new();
    let died = patient.get("deceasedBoolean") == Some(&Value::Bool(true))
        || patient.contains_key("deceasedDateTime");
    if died {
        reasons.push("The patient has died.".to_owned());
    }
    if patient.get("active") == Some(&Value::Bool(false)) {
        reasons.push("The record of the patient is not active.".to_owned());
    }
    let mut links = items(patient, "link").iter();
    if links.any(|link| link.get("type").and_then(Value::as_str) == Some("replaced-by")) {
        let text = "The record of the patient was replaced by another one: use that.";
        reasons.push(text.to_owned());
    }
    if let Some(years) = age_asked(knowledge)
        && is_younger(patient, years, at)
    {
        reasons.push(format!("The patient is younger than {years}."));
    }
    reasons
}

/// The age that candidacy asks for.
fn age_asked(knowledge: &Knowledge) -> Option<i64> {
    let mut criteria = knowledge.criteria.iter();
    let age = criteria.find(|one| one.fact.judged_by == JudgedBy::Age)?;
    age.fact.at_least
}

/// Takes the latest birthday that the stated year or month allows.
fn is_younger(patient: &Map<String, Value>, years: i64, at: i64) -> bool {
    let birth = text(patient, "birthDate").and_then(date::range);
    birth.is_some_and(|(earliest, _)| whole_years(earliest, at).is_some_and(|age| age < years))
}

/// Whole years from one time to another.
pub fn whole_years(birth: i64, at: i64) -> Option<i64> {
    let date = |micros: i64| {
        let time = jiff::Timestamp::from_microsecond(micros).ok()?;
        Some(time.to_zoned(jiff::tz::TimeZone::UTC).date())
    };
    let (birth, at) = (date(birth)?, date(at)?);
    let had_birthday = (at.month(), at.day()) >= (birth.month(), birth.day());
    Some(i64::from(at.year()) - i64::from(birth.year()) - i64::from(!had_birthday))
}

/// Refuses what would plan or book something for such a patient.
///
/// # Errors
/// 422 with every reason.
pub fn refuse_treatment(
    knowledge: &Knowledge,
    patient: &Map<String, Value>,
    at: i64,
) -> Result<(), Failure> {
    let reasons = reasons_against_treatment(knowledge, patient, at);
    if reasons.is_empty() {
        return Ok(());
    }
    let issues = reasons
        .into_iter()
        .map(|reason| Issue::error(Kind::BusinessRule, reason).at("Patient"));
    Err(Failure::of_issues(Kind::BusinessRule, issues.collect()))
}

/// The patient as the commit leaves it: what comes along in it comes before what stands.
pub async fn patient_after(
    records: &Records<'_>,
    drafts: &[Draft],
    key: &ResourceKey,
) -> Result<Option<Map<String, Value>>, Failure> {
    if let Some(draft) = drafts.iter().find(|draft| draft.key == *key) {
        let content = draft.content.as_ref();
        return Ok(content.map(|resource| resource.content.clone()));
    }
    let found = records.find(key).await?;
    Ok(found.map(|found| found.resource.content))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn reasons(patient: &Value) -> usize {
        let knowledge = Knowledge::embedded().unwrap();
        let at = date::range("2026-11-30").unwrap().0;
        reasons_against_treatment(&knowledge, patient.as_object().unwrap(), at).len()
    }

    #[test]
    fn each_reason_counts_and_silence_is_none() {
        for (patient, expected) in [
            (json!({"birthDate": "1990-01-01"}), 0),
            (json!({"active": true, "deceasedBoolean": false}), 0),
            (json!({"deceasedBoolean": true}), 1),
            (json!({"deceasedDateTime": "2026-11"}), 1),
            (json!({"active": false}), 1),
            (json!({"link": [{"type": "replaces"}]}), 0),
            (
                json!({"link": [{"type": "refer"}, {"type": "replaced-by"}]}),
                1,
            ),
            (json!({"birthDate": "2008-12-01"}), 1),
            (json!({"birthDate": "2008-11-30"}), 0),
            (json!({"birthDate": "2009"}), 1),
            (json!({"birthDate": "2008"}), 0),
            (json!({"birthDate": "2099-01-01"}), 1),
            (
                json!({"birthDate": "2020-01-01", "active": false, "deceasedBoolean": true}),
                3,
            ),
        ] {
            assert_eq!(reasons(&patient), expected, "{patient}");
        }
    }
}
