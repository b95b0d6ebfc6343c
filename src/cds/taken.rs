//! What the patient takes and is allergic to: as the caller sends it along, as the
//! EHR's server has it, as it stands here. What was not seen is named, never
//! passed over.

use futures_util::future::{join_all, try_join_all};
use serde_json::{Map, Value};

use super::ask::{ask, named, value};
use super::call::Asked;
use super::check::{Checked, check, read};
use super::ehr::with_products;
use crate::clinical::medication::NOTHING_RECORDED;
use crate::fhir::outcome::Failure;
use crate::fhir::request::{Content, Verb};
use crate::fhir::search::path::{items, text};

/// Entries of one list that are looked at.
const MOST: usize = 100;

/// A list: how discovery calls it, what it has, and what people call it.
pub struct List {
    pub key: &'static str,
    pub resource_type: &'static str,
    pub name: &'static str,
}

pub const LISTS: [List; 5] = [
    List {
        key: "medications",
        resource_type: "MedicationStatement",
        name: "Medicines taken",
    },
    List {
        key: "requests",
        resource_type: "MedicationRequest",
        name: "Prescriptions",
    },
    List {
        key: "administrations",
        resource_type: "MedicationAdministration",
        name: "Doses given",
    },
    List {
        key: "dispenses",
        resource_type: "MedicationDispense",
        name: "Medicines dispensed",
    },
    List {
        key: "allergies",
        resource_type: "AllergyIntolerance",
        name: "Allergies",
    },
];

#[derive(Debug, Default)]
pub struct Taken {
    pub medicines: Vec<Checked>,
    /// What was not looked at, and why.
    pub open: Vec<String>,
    /// Any list has a medicine, or says that there is none.
    recorded: bool,
}

/// Everything that was found, and why anything was not.
pub async fn taken(asked: &Asked<'_>) -> Result<Taken, Failure> {
    let mut taken = gathered(asked).await?;
    if !taken.recorded && taken.open.is_empty() {
        taken.open.push(NOTHING_RECORDED.to_owned());
    }
    Ok(taken)
}

async fn gathered(asked: &Asked<'_>) -> Result<Taken, Failure> {
    let mut taken = Taken::default();
    let mut wanted = Vec::new();
    for list in &LISTS {
        match asked.prefetched(list.key) {
            Some(bundle) => taken.add(asked, list, bundle).await?,
            None => wanted.push(list),
        }
    }
    let Some(ehr) = &asked.ehr else {
        taken.add_ours(asked, &wanted).await?;
        return Ok(taken);
    };
    let patient = asked.patient()?;
    let questions = wanted
        .iter()
        .map(|list| ehr.search(asked.servers, list.resource_type, patient));
    for (list, answer) in wanted.iter().zip(join_all(questions).await) {
        match answer {
            Ok(bundle) => taken.add(asked, list, &bundle).await?,
            Err(why) => taken.open.push(format!("{}: {why}.", list.name)),
        }
    }
    let all: Vec<&List> = LISTS.iter().collect();
    taken.add_ours(asked, &all).await?;
    Ok(taken)
}

impl Taken {
    /// What somebody else's list has.
    async fn add(
        &mut self,
        asked: &Asked<'_>,
        list: &List,
        bundle: &Map<String, Value>,
    ) -> Result<(), Failure> {
        let of_type =
            |one: &&Map<String, Value>| text(one, "resourceType") == Some(list.resource_type);
        let all: Vec<&Map<String, Value>> = resources(bundle).filter(of_type).collect();
        self.recorded |= list.resource_type != "AllergyIntolerance" && !all.is_empty();
        let more = items(bundle, "link").iter().any(is_next);
        if more || all.len() > MOST || resources(bundle).any(is_warning) {
            let name = list.name;
            self.open
                .push(format!("{name}: the list that came is not complete."));
        }
        let mut bundles = vec![bundle];
        bundles.extend(asked.bundles());
        let checks = all
            .into_iter()
            .take(MOST)
            .map(|one| check(asked, with_products(one, &bundles, asked.ehr.is_none())));
        for checked in try_join_all(checks).await?.into_iter().flatten() {
            self.insert(checked);
        }
        Ok(())
    }

    /// What stands here, of these lists.
    async fn add_ours(&mut self, asked: &Asked<'_>, lists: &[&List]) -> Result<(), Failure> {
        if lists.is_empty() {
            return Ok(());
        }
        let Some(patient) = asked.patient_here().await? else {
            return Ok(());
        };
        let path = ["Patient", &patient, "$medication-compatibility"];
        let answer = ask(asked.engine, asked.caller, Verb::Get, &path, Content::None).await?;
        let Ok(answer) = answer else {
            self.open
                .push("The patient's medicines are not known here.".to_owned());
            return Ok(());
        };
        for medicine in named(&answer, "medicine") {
            let source = value(medicine, "source").and_then(|source| source.get("reference"));
            let source = source.and_then(Value::as_str).unwrap_or_default();
            let source = source.split('/').next().unwrap_or_default();
            if lists.iter().any(|list| list.resource_type == source) {
                self.insert(read(medicine));
            }
        }
        let mut notices = named(&answer, "notice");
        let nothing = notices.any(|one| {
            let said = one.get("valueString").and_then(Value::as_str);
            said == Some(NOTHING_RECORDED)
        });
        self.recorded |= !nothing;
        if !nothing && value(&answer, "complete") != Some(&Value::Bool(true)) {
            self.open
                .push("Not all medicines of the patient are checked.".to_owned());
        }
        Ok(())
    }

    /// Two servers may know of the same.
    fn insert(&mut self, checked: Checked) {
        if !self.medicines.contains(&checked) {
            self.medicines.push(checked);
        }
    }
}

pub fn resources(bundle: &Map<String, Value>) -> impl Iterator<Item = &Map<String, Value>> {
    let entries = items(bundle, "entry").iter();
    entries.filter_map(|entry| entry.get("resource")?.as_object())
}

fn is_next(link: &Value) -> bool {
    link.get("relation").and_then(Value::as_str) == Some("next")
}

/// A server says in a searchset what it could not do.
/// <https://hl7.org/fhir/R4/search.html#outcomes>
fn is_warning(resource: &Map<String, Value>) -> bool {
    let harmless = |issue: &Value| {
        let severity = issue.get("severity").and_then(Value::as_str);
        severity == Some("information")
    };
    text(resource, "resourceType") == Some("OperationOutcome")
        && !items(resource, "issue").iter().all(harmless)
}
