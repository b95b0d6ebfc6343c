//! The criteria of candidacy that block a course, on the day of the session.

use super::check::Check;
use crate::clinical::candidacy::{Status, judged};
use crate::clinical::knowledge::Effect;
use crate::clinical::linked_patients::PatientRecords;
use crate::clinical::medication::{Question, Rules};
use crate::fhir::engine::Engine;
use crate::fhir::outcome::{Failure, Kind};

const ID: &str = "candidacy";

pub async fn of_candidacy(
    rules: &Rules,
    engine: &Engine,
    patient: &PatientRecords<'_>,
    question: &Question,
) -> Result<Check, Failure> {
    let day = (question.at, question.at);
    let all = match judged(rules, engine, patient, question.setting, day).await {
        Ok(all) => all,
        Err(failure) if matches!(failure.kind, Kind::Forbidden | Kind::NotFound) => {
            return Ok(Check::unknown(
                ID,
                "Your access does not reach the patient.",
            ));
        }
        Err(failure) => return Err(failure),
    };
    let blocking = |status: Status| {
        let blocking = all.iter().filter(move |one| one.effect == Effect::Block);
        blocking.filter(move |one| one.status == status)
    };
    let named = |status: Status| {
        let ids: Vec<&str> = blocking(status)
            .map(|one| one.criterion.id.as_str())
            .collect();
        ids.join(", ")
    };
    let (against, open) = (named(Status::NotMet), named(Status::Unknown));
    let mut more = format!("{}/$ketamine-candidacy says why.", patient.reference());
    // What is recorded and does not settle it is for somebody to look at.
    for one in blocking(Status::Unknown).filter(|one| !one.evidence.is_empty()) {
        let (id, reasons) = (&one.criterion.id, one.reasons.join(" "));
        more.push_str(&format!(" {id}: {reasons}"));
    }
    Ok(if !against.is_empty() {
        Check::hold(ID, format!("Not met: {against}. {more}"))
    } else if !open.is_empty() {
        Check::unknown(ID, format!("Not known: {open}. {more}"))
    } else {
        let met = blocking(Status::Met).map(|one| one.criterion.id.as_str());
        let met: Vec<&str> = met.collect();
        Check::go(
            ID,
            format!("The blocking criteria are met: {}.", met.join(", ")),
        )
    })
}
