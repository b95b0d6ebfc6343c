//! The invariants as lines: the path of a type or element, then `key expression`,
//! indented. Only those whose breach is an error, each where it is first said.
//! <https://hl7.org/fhir/R4/elementdefinition-definitions.html#ElementDefinition.constraint>

use std::collections::{BTreeMap, HashSet};

use serde_json::Value;

use super::bundle::{last_segment, list, required, text};
use crate::Result;

/// Every element of the data repeats these two.
const EVERYWHERE: &[(&str, &str)] = &[("ele-1", "Element"), ("ext-1", "Extension")];

pub fn table(structures: &[&Value]) -> Result<String> {
    let mut by_path: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    let mut known = HashSet::new();
    for structure in structures {
        let elements = structure.get("snapshot").map(|s| list(s, "element"));
        for element in elements.unwrap_or_default() {
            let path = required(element, "path")?;
            for constraint in list(element, "constraint") {
                let key = required(constraint, "key")?;
                if !is_own(structure, path, constraint) || !known.insert((path, key)) {
                    continue;
                }
                let expression = required(constraint, "expression")?;
                let words: Vec<&str> = expression.split_whitespace().collect();
                let line = format!("  {key} {}\n", words.join(" "));
                by_path.entry(path).or_default().push(line);
            }
        }
    }
    let block = |(path, lines): (&str, Vec<String>)| format!("{path}\n{}", lines.concat());
    Ok(by_path.into_iter().map(block).collect())
}

fn is_own(structure: &Value, path: &str, constraint: &Value) -> bool {
    let key = text(constraint, "key");
    let repeated = EVERYWHERE.iter().find(|(own, _)| Some(*own) == key);
    let here = repeated.is_none_or(|(_, at)| *at == path);
    let source = text(constraint, "source").map(last_segment);
    let own = source.is_none_or(|source| text(structure, "type") == Some(source));
    here && own && text(constraint, "severity") == Some("error")
}
