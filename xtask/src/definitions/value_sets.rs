//! The value sets of required bindings as lines: `value-set url`, then indented
//! `system code...` for each code system. One without codes cannot be written
//! out: the official package does not have the codes of its system.
//! <https://hl7.org/fhir/R4/valueset.html>

use std::collections::{BTreeSet, HashMap};

use serde_json::Value;

use super::bundle::{last_segment, list, of_type, required, text};
use super::elements::required_binding;
use crate::Result;

pub fn table(structures: &[&Value], terminology: &[Value]) -> Result<String> {
    let value_sets = by_url(of_type(terminology, "ValueSet"));
    let systems = by_url(of_type(terminology, "CodeSystem"));
    let mut out = String::new();
    for url in bound(structures) {
        out.push_str(&format!("value-set {url}\n"));
        let compose = value_sets.get(url).and_then(|v| v.get("compose"));
        let Some(compose) = compose else {
            continue;
        };
        if compose.get("exclude").is_some() {
            return Err(format!("{url} excludes codes, which is not computed"));
        }
        for include in list(compose, "include") {
            out.push_str(&line(url, include, &systems)?);
        }
    }
    Ok(out)
}

/// The value sets that a type in the data binds as required.
fn bound<'a>(structures: &[&'a Value]) -> BTreeSet<&'a str> {
    let snapshots = structures.iter().filter_map(|s| s.get("snapshot"));
    snapshots
        .flat_map(|s| list(s, "element"))
        .filter_map(required_binding)
        .collect()
}

fn by_url(definitions: Vec<&Value>) -> HashMap<&str, &Value> {
    let urls = definitions
        .into_iter()
        .filter_map(|d| Some((text(d, "url")?, d)));
    urls.collect()
}

fn line(url: &str, include: &Value, systems: &HashMap<&str, &Value>) -> Result<String> {
    for part in ["filter", "valueSet"] {
        if include.get(part).is_some() {
            return Err(format!("{url} includes by {part}, which is not computed"));
        }
    }
    let system = required(include, "system")?;
    let mut codes = BTreeSet::new();
    let whole = systems.get(system).map_or(&[][..], |s| list(s, "concept"));
    match list(include, "concept") {
        [] => collect(whole, &mut codes)?,
        chosen => collect(chosen, &mut codes)?,
    }
    if let Some(code) = codes.iter().find(|code| code.contains(' ')) {
        return Err(format!("{}: a space in the code {code}", last_segment(url)));
    }
    if codes.is_empty() {
        return Ok(String::new());
    }
    let codes: Vec<&str> = codes.into_iter().collect();
    Ok(format!("  {system} {}\n", codes.join(" ")))
}

/// Concepts contain their more special ones.
fn collect<'a>(concepts: &'a [Value], codes: &mut BTreeSet<&'a str>) -> Result<()> {
    for concept in concepts {
        codes.insert(required(concept, "code")?);
        collect(list(concept, "concept"), codes)?;
    }
    Ok(())
}
