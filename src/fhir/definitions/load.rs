//! Reads the generated data files. All are lines: a header, then what belongs
//! to it, indented by two spaces.

use std::collections::BTreeMap;

use super::load_search::search_params;
use super::load_types::types;
use super::load_value_sets::value_sets;
use super::model::{Compartment, Definitions};

/// What is wrong with a data file: the line.
#[derive(Debug)]
pub struct BadLine(#[allow(dead_code, reason = "shown by Debug")] pub String);

impl BadLine {
    pub fn of(line: &str) -> Self {
        Self(line.to_owned())
    }
}

pub fn definitions(
    types_text: &str,
    search_text: &str,
    compartments_text: &str,
    value_sets_text: &'static str,
) -> Result<Definitions, BadLine> {
    let (types, lineage) = types(types_text)?;
    Ok(Definitions {
        search_params: search_params(search_text, &lineage)?,
        resource_types: lineage.into_keys().collect(),
        types,
        compartments: compartments(compartments_text)?,
        value_sets: value_sets(value_sets_text)?,
    })
}

fn compartments(text: &str) -> Result<Vec<Compartment>, BadLine> {
    let mut compartments: Vec<Compartment> = Vec::new();
    for line in text.lines() {
        if let Some(code) = line.strip_prefix("compartment ") {
            compartments.push(Compartment {
                code: code.to_owned(),
                members: BTreeMap::new(),
            });
            continue;
        }
        let mut words = line.split_whitespace().map(str::to_owned);
        let (Some(compartment), Some(name)) = (compartments.last_mut(), words.next()) else {
            return Err(BadLine::of(line));
        };
        compartment.members.insert(name, words.collect());
    }
    Ok(compartments)
}
