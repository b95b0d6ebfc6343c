//! What an allergy is to, as far as its codes and names tell. The question is only
//! whether it may be ketamine: of another substance nothing more has to be known.

use serde_json::{Map, Value};

use super::resolve::{Resolution, Resolver};
use crate::fhir::search::path::{items, text};

impl Resolver<'_> {
    /// Whether an allergy's concept is understood, and what it is about.
    pub fn allergen(&self, concept: &Map<String, Value>) -> (Resolution, bool) {
        let mut resolution = Resolution::default();
        let mut rest = Vec::new();
        let mut understood = Vec::new();
        for coding in items(concept, "coding").iter().filter_map(Value::as_object) {
            let known = self.coding(coding, &mut resolution)
                || self.says_none(coding, "AllergyIntolerance");
            let display = text(coding, "display").unwrap_or_default();
            let (reading, whole) = self.names.read_allergen(display);
            resolution.add_reading(self.knowledge, &reading);
            understood.push(whole || known && reading.rest.is_empty());
            rest.extend(reading.rest);
        }
        if let Some(said) = text(concept, "text") {
            let (reading, whole) = self.names.read_allergen(said);
            resolution.add_reading(self.knowledge, &reading);
            understood.push(whole);
            rest.extend(reading.rest);
        }
        resolution.suggestions = self.names.suggestions(&rest);
        let all = !understood.is_empty() && understood.iter().all(|one| *one);
        (resolution, all)
    }

    /// Whether the code says that there is nothing to list.
    pub fn says_none(&self, coding: &Map<String, Value>, about: &str) -> bool {
        let system = text(coding, "system").unwrap_or_default();
        let code = text(coding, "code").unwrap_or_default();
        let mut known = self.knowledge.none_known.iter();
        known.any(|one| {
            one.fact.about == about
                && one.fact.code == code
                && one.fact.systems.iter().any(|known| known == system)
        })
    }
}
