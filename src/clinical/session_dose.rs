//! The first dose of ketamine that was given in a session, and how it was given.
//! <https://hl7.org/fhir/R4/medicationadministration.html>

use serde_json::{Map, Value};

use super::knowledge::{DoseRoute, Entry, Knowledge};
use super::linked_patients::PatientRecords;
use super::medication::gather::gather;
use super::medication::{AGENTS, Rules};
use super::observation::is_coding;
use crate::fhir::engine::Engine;
use crate::fhir::outcome::Failure;
use crate::fhir::record::ResourceKey;
use crate::fhir::resource::instant;
use crate::fhir::search::date;
use crate::fhir::search::path::{items, text};

const SNOMED: &str = "http://snomed.info/sct";

/// Approved for the nose only, wherever nobody says how it was given.
const NASAL_DRUG: (&str, &str) = ("esketamine", "nasal");

#[derive(Clone, Debug)]
pub struct GivenDose {
    /// Microseconds since 1970.
    pub at: i64,
    pub key: ResourceKey,
    /// The id of an entry of the knowledge base; `None` where nobody says it, or it is
    /// none that is known.
    pub route: Option<String>,
}

/// The first one between two times (microseconds since 1970), as far as the caller sees.
pub async fn load_first_dose(
    rules: &Rules,
    engine: &Engine,
    patient: &PatientRecords<'_>,
    (from, to): (i64, i64),
) -> Result<Option<GivenDose>, Failure> {
    let (from, to) = (format!("ge{}", instant(from)), format!("le{}", instant(to)));
    let criteria = [("effective-time", &*from), ("effective-time", &*to)];
    let seen = patient
        .search("MedicationAdministration", &criteria)
        .await?;
    let contents = seen.resources.iter().map(|one| &one.resource.content);
    let shelf = gather(engine, patient.records(), &[], contents).await?;
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
        let drug = drugs.find(|drug| AGENTS.contains(drug)).filter(|_| given)?;
        Some(GivenDose {
            at: begun(content)?,
            key: one.key.clone(),
            route: read_route(&rules.knowledge, content, drug),
        })
    });
    Ok(doses.min_by_key(|dose| dose.at))
}

fn begun(content: &Map<String, Value>) -> Option<i64> {
    let period = content.get("effectivePeriod").and_then(Value::as_object);
    let start = period.and_then(|period| text(period, "start"));
    let at = start.or_else(|| text(content, "effectiveDateTime"))?;
    Some(date::range(at)?.0)
}

fn read_route(knowledge: &Knowledge, content: &Map<String, Value>, drug: &str) -> Option<String> {
    let dosage = content.get("dosage").and_then(Value::as_object);
    let Some(route) = dosage.and_then(|dosage| dosage.get("route")?.as_object()) else {
        let (only, nose) = NASAL_DRUG;
        return (drug == only).then(|| nose.to_owned());
    };
    let known = knowledge.routes.iter().find(|known| {
        items(route, "coding").iter().any(|coding| {
            let mut codes = known.fact.snomed.iter();
            codes.any(|code| is_coding(coding, SNOMED, code))
        })
    });
    known.map(|known| known.id.clone())
}

/// What follows from the route; nothing where it is not known.
pub fn route_of_dose<'k>(
    knowledge: &'k Knowledge,
    dose: Option<&GivenDose>,
) -> Option<&'k Entry<DoseRoute>> {
    let route = dose?.route.as_deref()?;
    knowledge.routes.iter().find(|known| known.id == route)
}
