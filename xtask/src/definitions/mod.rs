//! From the published R4 bundles to the compact tables the service reads.
//! Facts only; what the official data says stands, also where it is odd.
//!
//! <https://hl7.org/fhir/R4/downloads.html>

mod bundle;
mod compartments;
mod elements;
mod invariants;
mod search;
mod types;
mod value_sets;

use std::path::Path;

use crate::Result;

/// Where the tables are kept, from the project's root.
pub const DATA_FOLDER: &str = "src/fhir/definitions/data";
/// Where the published bundles are looked for, from the project's root.
pub const DEFAULT_SOURCE: &str = "../shared/fhir/definitions";

pub struct Tables {
    types: String,
    search: String,
    compartments: String,
    value_sets: String,
    invariants: String,
}

impl Tables {
    /// (file name, text)
    pub fn files(&self) -> [(&'static str, &str); 5] {
        [
            ("types.txt", &self.types),
            ("search.txt", &self.search),
            ("compartments.txt", &self.compartments),
            ("value_sets.txt", &self.value_sets),
            ("invariants.txt", &self.invariants),
        ]
    }
}

pub fn generate(from: &Path) -> Result<Tables> {
    let mut resources = bundle::read(&from.join("profiles-resources.json.gz"))?;
    let compartments = bundle::of_type(&resources, "CompartmentDefinition");
    let compartments = compartments::table(&compartments)?;
    resources.extend(bundle::read(&from.join("profiles-types.json.gz"))?);
    let parameters = bundle::read(&from.join("search-parameters.json.gz"))?;
    let terminology = bundle::read(&from.join("valuesets.json.gz"))?;
    let structures = bundle::of_type(&resources, "StructureDefinition");
    let names: Vec<&str> = structures
        .iter()
        .filter_map(|s| s.get("type")?.as_str())
        .collect();
    Ok(Tables {
        types: types::table(&structures)?,
        search: search::table(&bundle::of_type(&parameters, "SearchParameter"), &names)?,
        compartments,
        value_sets: value_sets::table(&structures, &terminology)?,
        invariants: invariants::table(&structures)?,
    })
}
