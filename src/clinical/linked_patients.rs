//! All records of one person: of the patient asked about and of every patient
//! that `Patient.link` joins to it, in both directions and over chains.
//! <https://hl7.org/fhir/R4/patient-definitions.html#Patient.link>
//!
//! The clinical room searches by patient only through [`PatientRecords`]
//! (`tests/tidy` refuses others), so that no judgement forgets a merged record.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use crate::fhir::operation::{Records, Seen, Version};
use crate::fhir::outcome::{Failure, Kind};
use crate::fhir::record::ResourceKey;
use crate::fhir::search::path::{items, text};
use crate::fhir::search::reference::{self, Base};

/// More patients than this are no person whose records could be joined by hand.
const MOST_PATIENTS: usize = 64;

/// Values of one search parameter; the search allows 500.
const VALUES_AT_ONCE: usize = 200;

/// A patient, the patients that are linked to it, and how their records are found.
pub struct PatientRecords<'r> {
    records: Records<'r>,
    base: Base,
    /// The patient that was asked about, where the caller may read it.
    patient: Option<Version>,
    /// The other patients of the set that the caller may see.
    linked: Vec<Version>,
    /// All patients of the set, also those that cannot be read.
    keys: Vec<ResourceKey>,
    /// `(system, value)` of the patients that can be read.
    identifiers: Vec<(String, String)>,
    has_unseen_links: bool,
}

impl<'r> PatientRecords<'r> {
    /// Reads the patient and follows its links.
    ///
    /// # Errors
    /// 404 and 410 where the patient itself cannot be read.
    pub async fn load(records: Records<'r>, patient: &ResourceKey) -> Result<Self, Failure> {
        let patient = records.read(patient).await?;
        let mut all = Self::of_unseen(records, patient.key.clone());
        all.has_unseen_links = false;
        all.patient = Some(patient.clone());
        let mut waiting = vec![patient];
        while let Some(next) = waiting.pop() {
            all.follow_links_of(&next, &mut waiting).await?;
            all.follow_links_to(&next, &mut waiting).await?;
            all.identifiers
                .extend(identifiers_of(&next.resource.content));
            if Some(&next.key) != all.keys.first() {
                all.linked.push(next);
            }
        }
        all.identifiers.sort();
        all.identifiers.dedup();
        Ok(all)
    }

    /// The same; a patient that the caller may not read has records that are hidden.
    pub async fn load_or_unseen(
        records: Records<'r>,
        patient: &ResourceKey,
    ) -> Result<Self, Failure> {
        match Self::load(records, patient).await {
            Err(failure) => match failure.kind {
                Kind::NotFound | Kind::Deleted | Kind::Forbidden => {
                    Ok(Self::of_unseen(records, patient.clone()))
                }
                _ => Err(failure),
            },
            loaded => loaded,
        }
    }

    fn of_unseen(records: Records<'r>, key: ResourceKey) -> Self {
        Self {
            records,
            base: records.base(),
            patient: None,
            linked: Vec::new(),
            keys: vec![key],
            identifiers: Vec::new(),
            has_unseen_links: true,
        }
    }

    /// The patient that was asked about, where the caller may read it.
    pub fn patient(&self) -> Option<&Version> {
        self.patient.as_ref()
    }

    /// `Patient/id` of the patient that was asked about.
    pub fn reference(&self) -> String {
        self.keys
            .first()
            .map(ToString::to_string)
            .unwrap_or_default()
    }

    /// Every patient of the set that the caller may see, the one asked about first.
    pub fn all_patients(&self) -> impl Iterator<Item = &Version> {
        self.patient.iter().chain(&self.linked)
    }

    /// There is a linked patient whose records the caller may not see, or cannot.
    pub fn has_unseen_links(&self) -> bool {
        self.has_unseen_links
    }

    /// For what is not found by the patient: products, answers to findings.
    pub fn records(&self) -> &Records<'r> {
        &self.records
    }

    /// All resources of the type about any patient of the set that meet the
    /// criteria, in the order of ids. `hidden` also where a linked patient is unseen.
    pub async fn search(
        &self,
        resource_type: &str,
        criteria: &[(&str, &str)],
    ) -> Result<Seen, Failure> {
        let known = |name: &&str| self.records.has_parameter(resource_type, name);
        // AdverseEvent has no parameter `patient`.
        let name = ["patient", "subject"].into_iter().find(known);
        let name = name.unwrap_or("patient");
        let references: Vec<String> = self.keys.iter().map(ToString::to_string).collect();
        let mut found = BTreeMap::new();
        let mut hidden = self.has_unseen_links;
        let mut add = |seen: Seen, counts: &dyn Fn(&Version) -> bool| {
            hidden |= seen.hidden;
            let counted = seen.resources.into_iter().filter(|one| counts(one));
            found.extend(counted.map(|one| (one.key.clone(), one)));
        };
        let references = references.join(",");
        let mut by_reference = vec![(name, references.as_str())];
        by_reference.extend_from_slice(criteria);
        let seen = self.records.search(resource_type, &by_reference).await?;
        add(seen, &|_| true);
        // `patient` is often "subject.where(resolve() is Patient)", and a
        // reference by identifier does not tell the type of its target.
        let wide = ["subject", "actor", "patient"].into_iter().find(known);
        let name = format!("{}:identifier", wide.unwrap_or(name));
        for some in self.identifiers.chunks(VALUES_AT_ONCE) {
            let tokens: Vec<String> = some.iter().map(token).collect();
            let tokens = tokens.join(",");
            let mut by_identifier = vec![(name.as_str(), tokens.as_str())];
            by_identifier.extend_from_slice(criteria);
            let seen = self.records.search(resource_type, &by_identifier).await?;
            add(seen, &|one| {
                let content = Value::Object(one.resource.content.clone());
                self.names_by_identifier(&content)
            });
        }
        Ok(Seen {
            resources: found.into_values().collect(),
            hidden,
        })
    }

    /// The patients that this one names.
    async fn follow_links_of(
        &mut self,
        patient: &Version,
        waiting: &mut Vec<Version>,
    ) -> Result<(), Failure> {
        for link in items(&patient.resource.content, "link") {
            let other = link.get("other").and_then(Value::as_object);
            let target = other.and_then(|other| text(other, "reference"));
            let key = target
                .and_then(|target| self.base.normalise(target))
                .and_then(reference::local);
            let Some(key) = key else {
                let found = match other.and_then(|other| other.get("identifier")) {
                    Some(Value::Object(named)) => self.find_identified(named, waiting).await?,
                    _ => false,
                };
                let kind = link.get("type").and_then(Value::as_str);
                // Another system's record that may be consulted is not part of this one;
                // a record that has been merged is, wherever it is.
                self.has_unseen_links |= !found && matches!(kind, Some("replaces" | "replaced-by"));
                continue;
            };
            if key.resource_type != "Patient" || !self.has_room_for(&key) {
                continue;
            }
            self.keys.push(key.clone());
            match self.records.read(&key).await {
                Ok(version) => waiting.push(version),
                // What refers to a deleted patient is found all the same.
                Err(failure) if failure.kind == Kind::Deleted => {}
                Err(failure) if matches!(failure.kind, Kind::NotFound | Kind::Forbidden) => {
                    self.has_unseen_links = true;
                }
                Err(failure) => return Err(failure),
            }
        }
        Ok(())
    }

    /// Whether there are patients with this identifier, which then belong to the set.
    async fn find_identified(
        &mut self,
        identifier: &Map<String, Value>,
        waiting: &mut Vec<Version>,
    ) -> Result<bool, Failure> {
        let Some(named) = identifier_of(identifier) else {
            return Ok(false);
        };
        self.add_found(("identifier", &token(&named)), waiting)
            .await
    }

    /// The patients that name this one, by its id or by an identifier.
    async fn follow_links_to(
        &mut self,
        patient: &Version,
        waiting: &mut Vec<Version>,
    ) -> Result<(), Failure> {
        let target = patient.key.to_string();
        self.add_found(("link", &target), waiting).await?;
        let identifiers = identifiers_of(&patient.resource.content);
        for some in identifiers.chunks(VALUES_AT_ONCE) {
            let tokens: Vec<String> = some.iter().map(token).collect();
            self.add_found(("link:identifier", &tokens.join(",")), waiting)
                .await?;
        }
        Ok(())
    }

    /// Whether any patient is found.
    async fn add_found(
        &mut self,
        criterion: (&str, &str),
        waiting: &mut Vec<Version>,
    ) -> Result<bool, Failure> {
        let seen = self.records.search("Patient", &[criterion]).await?;
        self.has_unseen_links |= seen.hidden;
        let found = !seen.resources.is_empty();
        for version in seen.resources {
            if self.has_room_for(&version.key) {
                self.keys.push(version.key.clone());
                waiting.push(version);
            }
        }
        Ok(found)
    }

    /// Whether the patient is new to the set; past the bound it stays unseen.
    fn has_room_for(&mut self, key: &ResourceKey) -> bool {
        if self.keys.contains(key) {
            return false;
        }
        let full = self.keys.len() >= MOST_PATIENTS;
        self.has_unseen_links |= full;
        !full
    }

    /// Whether any reference inside names a patient of the set by an identifier and
    /// by no record of this service: such a one says itself whom it means.
    fn names_by_identifier(&self, value: &Value) -> bool {
        match value {
            Value::Object(members) => {
                let identifier = members.get("identifier").and_then(Value::as_object);
                let named = identifier.and_then(identifier_of);
                let known = named.is_some_and(|named| self.identifiers.contains(&named));
                let literal = text(members, "reference")
                    .and_then(|target| self.base.normalise(target))
                    .and_then(reference::local);
                known && literal.is_none()
                    || members
                        .values()
                        .any(|inner| self.names_by_identifier(inner))
            }
            Value::Array(all) => all.iter().any(|inner| self.names_by_identifier(inner)),
            _ => false,
        }
    }
}

fn identifiers_of(patient: &Map<String, Value>) -> Vec<(String, String)> {
    let all = items(patient, "identifier").iter();
    let all = all.filter_map(Value::as_object).filter_map(identifier_of);
    all.collect()
}

/// `(system, value)`; the system is empty where none is given.
fn identifier_of(identifier: &Map<String, Value>) -> Option<(String, String)> {
    let system = text(identifier, "system").unwrap_or_default();
    let value = text(identifier, "value")?;
    Some((system.to_owned(), value.to_owned()))
}

/// `system|value` as a value of a search parameter.
fn token((system, value): &(String, String)) -> String {
    let escaped = |part: &str| -> String {
        let mut escaped = String::new();
        for character in part.chars() {
            if matches!(character, '\\' | ',' | '$' | '|') {
                escaped.push('\\');
            }
            escaped.push(character);
        }
        escaped
    };
    format!("{}|{}", escaped(system), escaped(value))
}
