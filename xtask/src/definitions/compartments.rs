//! The compartments as lines: `compartment Patient`, then per member type its
//! name and the parameters that make it a member.
//! <https://hl7.org/fhir/R4/compartmentdefinition.html>

use std::collections::BTreeMap;

use serde_json::Value;

use super::bundle::{list, required, texts};
use crate::Result;

pub fn table(definitions: &[&Value]) -> Result<String> {
    let mut compartments = BTreeMap::new();
    for definition in definitions {
        let mut members = BTreeMap::new();
        for member in list(definition, "resource") {
            let params = texts(member, "param");
            if !params.is_empty() {
                members.insert(required(member, "code")?, params);
            }
        }
        compartments.insert(required(definition, "code")?, members);
    }
    let mut out = String::new();
    for (code, members) in compartments {
        out.push_str(&format!("compartment {code}\n"));
        for (name, params) in members {
            out.push_str(&format!("  {name} {}\n", params.join(" ")));
        }
    }
    Ok(out)
}
