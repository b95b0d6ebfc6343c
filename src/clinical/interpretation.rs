//! What the service says of a value where its sender says nothing. Its own words
//! carry a code of a system of its own, so that they follow the value; a sender's
//! are never touched.
//! <https://hl7.org/fhir/R4/observation-definitions.html#Observation.interpretation>

use serde_json::{Map, Value, json};

use crate::fhir::search::path::items;

/// Takes back what the service said earlier, by the system of its codes.
pub fn withdraw(holder: &mut Map<String, Value>, system: &str) {
    let is_own = |concept: &Value| {
        let concept = concept.as_object();
        let mut codings = concept
            .into_iter()
            .flat_map(|concept| items(concept, "coding"));
        codings.any(|coding| coding.get("system").and_then(Value::as_str) == Some(system))
    };
    if let Some(Value::Array(concepts)) = holder.get_mut("interpretation") {
        concepts.retain(|concept| !is_own(concept));
        if concepts.is_empty() {
            holder.remove("interpretation");
        }
    }
}

/// Says it with these codings, unless something is said already.
pub fn say(holder: &mut Map<String, Value>, codings: Value) {
    if !holder.contains_key("interpretation") {
        let concept = json!([{"coding": codings}]);
        holder.insert("interpretation".to_owned(), concept);
    }
}
