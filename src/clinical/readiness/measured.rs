//! Blood pressure, heart rate and oxygen saturation before the dose. The newest whole
//! reading of the last hour decides. A reading that may be later holds when it is worse
//! or not understood.

use super::check::{Check, State};
use super::moment::SessionMoment;
use crate::clinical::knowledge::{Entry, Knowledge, Place};
use crate::clinical::linked_patients::PatientRecords;
use crate::clinical::vitals::limits::{MeasuredWhen, crossed_limits};
use crate::clinical::vitals::measured::{
    BLOOD_PRESSURE, VitalReading, codes_of_reading, read_vital_signs,
};
use crate::fhir::operation::LIMITED_VIEW;
use crate::fhir::outcome::Failure;
use crate::fhir::record::ResourceKey;
use crate::fhir::resource::instant;

const MINUTE: i64 = 60_000_000;

/// The readings of one sign, and what they are judged by.
struct SignWindow<'w> {
    knowledge: &'w Knowledge,
    place: &'w Entry<Place>,
    moment: &'w SessionMoment,
    minutes: i64,
    readings: Vec<VitalReading>,
}

/// What one reading says for itself.
struct ReadingVerdict {
    state: State,
    text: String,
}

/// The check of one sign. Where the place does not ask for it, none at all says nothing
/// against the session.
pub async fn check_vital_sign(
    knowledge: &Knowledge,
    patient: &PatientRecords<'_>,
    place: &Entry<Place>,
    moment: &SessionMoment,
    sign: &'static str,
) -> Result<Check, Failure> {
    let fresh = if sign == BLOOD_PRESSURE {
        sign
    } else {
        "vital-signs"
    };
    let fresh = knowledge.freshness.iter().find(|one| one.id == fresh);
    let Some(fresh) = fresh else {
        let text = "The knowledge base does not say how fresh it has to be.";
        return Ok(Check::unknown(sign, text));
    };
    let codes = codes_of_reading(knowledge, sign);
    let from = moment.due().min(moment.now) - fresh.fact.minutes * MINUTE;
    let from = format!("ge{}", instant(from));
    let dated = [("combo-code", &*codes), ("date", &*from)];
    let seen = patient.search("Observation", &dated).await?;
    let undated = [("combo-code", &*codes), ("date:missing", "true")];
    let more = patient.search("Observation", &undated).await?;
    if seen.hidden || more.hidden {
        return Ok(Check::unknown(sign, LIMITED_VIEW));
    }
    let mut versions = seen.resources;
    versions.extend(more.resources);
    let window = SignWindow {
        knowledge,
        place,
        moment,
        minutes: fresh.fact.minutes,
        readings: read_vital_signs(knowledge, sign, &versions),
    };
    let asked = place.fact.signs.iter().any(|one| one == sign);
    Ok(window.judge(sign, asked, &fresh.fact.text))
}

impl SignWindow<'_> {
    fn judge(&self, sign: &'static str, asked: bool, rule: &str) -> Check {
        let decides = self
            .readings
            .iter()
            .filter(|one| one.is_whole() && self.moment.is_fresh(one, self.minutes));
        let decider = decides.max_by_key(|one| (one.time, one.version));
        let mut against: Vec<(State, String, Vec<ResourceKey>)> = Vec::new();
        for reading in &self.readings {
            let Some(verdict) = self.verdict_beside(reading, decider) else {
                continue;
            };
            against.push((verdict.state, verdict.text, reading.sources.clone()));
        }
        for state in [State::Hold, State::Unknown] {
            let (texts, sources): (Vec<_>, Vec<_>) = against
                .iter()
                .filter(|(found, _, _)| *found == state)
                .map(|(_, text, sources)| (text.clone(), sources.clone()))
                .unzip();
            if texts.is_empty() {
                continue;
            }
            let text = texts.join(" ");
            let check = match state {
                State::Hold => Check::hold(sign, text),
                _ => Check::unknown(sign, text),
            };
            return check.by(sources.into_iter().flatten());
        }
        match decider {
            Some(reading) => {
                let text = format!(
                    "{}, the last of {} readings that were looked at, is within the limits.",
                    self.said(reading),
                    self.readings.len()
                );
                Check::go(sign, text).by(reading.sources.clone())
            }
            None if asked => Check::unknown(sign, format!("None is recorded. {rule}")),
            None => Check::go(sign, "None is recorded, and none is asked for here."),
        }
    }

    /// What a reading has against the dose besides the one that decides; `None` where it
    /// has nothing, or is older.
    fn verdict_beside(
        &self,
        reading: &VitalReading,
        decider: Option<&VitalReading>,
    ) -> Option<ReadingVerdict> {
        let unknown = |text: String| {
            Some(ReadingVerdict {
                state: State::Unknown,
                text,
            })
        };
        let Some(time) = reading.time else {
            let verdict = self.verdict(reading, MeasuredWhen::BeforeDose)?;
            let text = format!("{} It does not say when it was measured.", verdict.text);
            return unknown(text);
        };
        if self.moment.is_in_the_future(self.knowledge, time) {
            let text =
                "A reading is dated in the future, so that it decides nothing. Correct its time.";
            return unknown(text.to_owned());
        }
        if let Some(dose) = self.moment.dose
            && time.0 > dose
        {
            // The dose is given: what follows it has limits of its own.
            let after = (time.0 <= self.moment.now)
                .then(|| self.verdict(reading, MeasuredWhen::AfterDose((time.0 - dose) / MINUTE)));
            return after
                .flatten()
                .filter(|verdict| verdict.state == State::Hold);
        }
        if !self.moment.may_be_of_the_window(time, self.minutes) {
            return None;
        }
        let later = decider
            .and_then(|decider| decider.time)
            .is_none_or(|decided| time.1 >= decided.0);
        if !later {
            return None;
        }
        self.verdict(reading, MeasuredWhen::BeforeDose)
    }

    /// What is wrong with one reading by itself.
    fn verdict(&self, reading: &VitalReading, when: MeasuredWhen) -> Option<ReadingVerdict> {
        let verdict = |state, text| Some(ReadingVerdict { state, text });
        if !reading.usable {
            let text = "One is not final, or implausible and confirmed by nobody. Confirm it or measure again.";
            return verdict(State::Unknown, text.to_owned());
        }
        let crossed = crossed_limits(self.knowledge, &reading.values, self.place, when);
        match crossed {
            Ok(crossed) => {
                if let Some(gravest) = crossed.first() {
                    let text = format!("{}: {}", self.said(reading), gravest.text);
                    return verdict(State::Hold, text);
                }
            }
            Err(text) if reading.lacks.is_empty() => return verdict(State::Unknown, text),
            Err(_) => {}
        }
        if !reading.lacks.is_empty() {
            let text = format!(
                "A reading lacks a value ({}). Measure again.",
                reading.lacks.join(", ")
            );
            return verdict(State::Unknown, text);
        }
        None
    }

    fn said(&self, reading: &VitalReading) -> String {
        let time = reading.time.map(|(low, _)| format!(" at {}", instant(low)));
        format!("{}{}", reading.shown(), time.unwrap_or_default())
    }
}
