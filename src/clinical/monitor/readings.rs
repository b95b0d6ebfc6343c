//! What was measured and noticed during a session.

use std::cmp::Ordering;

use serde_json::{Map, Value};

use crate::clinical::knowledge::{Entry, Knowledge, Place, Sign};
use crate::clinical::linked_patients::PatientRecords;
use crate::clinical::medication::Rules;
use crate::clinical::medication::gather::gather;
use crate::clinical::observation::{LOINC, compare, effective, is_usable, quantity, shown};
use crate::clinical::readiness::check::State;
use crate::clinical::readiness::pressure;
use crate::fhir::engine::Engine;
use crate::fhir::operation::records::Version;
use crate::fhir::outcome::Failure;
use crate::fhir::record::ResourceKey;
use crate::fhir::resource::instant;
use crate::fhir::search::date;
use crate::fhir::search::path::text;

pub struct Readings {
    /// Usable ones in the order of time.
    pub of_sign: Vec<(i64, Version)>,
    /// Not final, or implausible and confirmed by nobody.
    pub open: Vec<ResourceKey>,
    pub hidden: bool,
}

/// Between two times.
pub struct Window<'w> {
    pub patient: &'w PatientRecords<'w>,
    pub from: i64,
    pub to: i64,
}

impl Window<'_> {
    pub async fn readings(&self, sign: &Entry<Sign>) -> Result<Readings, Failure> {
        let codes: Vec<String> = std::iter::once(&sign.fact.loinc)
            .chain(&sign.fact.also)
            .map(|code| format!("{LOINC}|{code}"))
            .collect();
        let codes = codes.join(",");
        let seen = self.search("Observation", &[("code", &codes)]).await?;
        let status = |one: &Version| {
            let status = text(&one.resource.content, "status");
            !matches!(status, Some("entered-in-error" | "cancelled"))
        };
        let standing = seen.resources.into_iter().filter(status);
        let (usable, open): (Vec<_>, Vec<_>) =
            standing.partition(|one| is_usable(&one.resource.content));
        let mut of_sign: Vec<(i64, Version)> = usable
            .into_iter()
            .filter_map(|one| Some((effective(&one.resource.content)?.0, one)))
            .collect();
        of_sign.sort_by_key(|(at, _)| *at);
        Ok(Readings {
            of_sign,
            open: open.into_iter().map(|one| one.key).collect(),
            hidden: seen.hidden,
        })
    }

    async fn search(
        &self,
        name: &str,
        more: &[(&str, &str)],
    ) -> Result<crate::fhir::operation::Seen, Failure> {
        let from = format!("ge{}", instant(self.from));
        let to = format!("le{}", instant(self.to));
        let time = if name == "MedicationAdministration" {
            "effective-time"
        } else {
            "date"
        };
        let mut criteria = vec![(time, &*from), (time, &*to)];
        criteria.extend_from_slice(more);
        self.patient.search(name, &criteria).await
    }

    /// When ketamine was first given.
    pub async fn dose(
        &self,
        rules: &Rules,
        engine: &Engine,
        agents: &[&str],
    ) -> Result<Option<(i64, ResourceKey)>, Failure> {
        let seen = self.search("MedicationAdministration", &[]).await?;
        let contents = seen.resources.iter().map(|one| &one.resource.content);
        let shelf = gather(engine, self.patient.records(), &[], contents).await?;
        let doses = seen.resources.iter().filter_map(|one| {
            let content = &one.resource.content;
            let given = matches!(
                text(content, "status"),
                Some("in-progress" | "completed" | "on-hold" | "stopped")
            );
            let medicine = rules.medicine(content, &shelf);
            let mut drugs = medicine
                .ingredients
                .iter()
                .filter_map(|one| one.drug.as_deref());
            let ketamine = drugs.any(|drug| agents.contains(&drug));
            (given && ketamine).then_some((begun(content)?, one.key.clone()))
        });
        Ok(doses.min_by_key(|(at, _)| *at))
    }

    /// What happened within the window, or nobody says when.
    pub async fn adverse_events(&self) -> Result<(Vec<Version>, bool), Failure> {
        let seen = self.patient.search("AdverseEvent", &[]).await?;
        let matters = |one: &Version| {
            let content = &one.resource.content;
            let times = ["date", "detected", "recordedDate"];
            let time = times
                .iter()
                .find_map(|name| date::range(text(content, name)?));
            let within = time.is_none_or(|(low, high)| low <= self.to && self.from <= high);
            within && text(content, "actuality") == Some("actual")
        };
        Ok((
            seen.resources.into_iter().filter(matters).collect(),
            seen.hidden,
        ))
    }
}

fn begun(content: &Map<String, Value>) -> Option<i64> {
    let period = content.get("effectivePeriod").and_then(Value::as_object);
    let start = period.and_then(|period| text(period, "start"));
    let at = start.or_else(|| text(content, "effectiveDateTime"))?;
    Some(date::range(at)?.0)
}

/// What is wrong with a reading; nothing where it is within the limits.
pub fn beyond(
    knowledge: &Knowledge,
    sign: &str,
    content: &Map<String, Value>,
    place: &Entry<Place>,
) -> Option<String> {
    match sign {
        "blood-pressure" => {
            let (state, reason) = pressure(knowledge, content, place);
            (state != State::Go).then_some(reason)
        }
        "oxygen-saturation" => saturation(knowledge, content),
        _ => None,
    }
}

/// The limits of saturation hold wherever it is measured; the lowest is the gravest.
fn saturation(knowledge: &Knowledge, content: &Map<String, Value>) -> Option<String> {
    let mut limits: Vec<_> = knowledge
        .limits
        .iter()
        .filter_map(|limit| Some((limit.fact.oxygen_saturation?, limit)))
        .collect();
    limits.sort_by_key(|(bound, _)| *bound);
    let Some(quantity) = quantity(content) else {
        return Some("The reading has no value. Measure again.".to_owned());
    };
    limits
        .into_iter()
        .find_map(|(bound, limit)| match compare(quantity, bound, "%") {
            Some(Ordering::Less) => Some(format!(
                "{} is below the limit {} ({bound} %). {}",
                shown(quantity),
                limit.id,
                limit.fact.action
            )),
            Some(_) => None,
            None => Some("The reading cannot be compared with the limit. Measure in %.".to_owned()),
        })
}
