//! The types as lines: `kind name [: parent] [abstract]`, then the elements that
//! are not the parent's, indented. A parent stands before its children.
//! <https://hl7.org/fhir/R4/structuredefinition.html>

use std::collections::{HashMap, HashSet};

use serde_json::Value;

use super::bundle::{last_segment, list, required, text};
use super::elements;
use crate::Result;

/// The element lines of a type by name.
type Lines = HashMap<String, HashSet<String>>;

pub fn table(structures: &[&Value]) -> Result<String> {
    let parents: HashMap<&str, &str> = structures
        .iter()
        .filter_map(|s| Some((text(s, "type")?, parent(s)?)))
        .collect();
    let mut ordered = Vec::new();
    for structure in structures {
        let name = required(structure, "type")?;
        ordered.push((
            !is_abstract(structure),
            depth(name, &parents),
            name,
            structure,
        ));
    }
    ordered.sort_by_key(|(concrete, depth, name, _)| (*concrete, *depth, *name));
    let mut out = String::new();
    let mut known = Lines::new();
    for (.., structure) in ordered {
        write_structure(structure, &mut known, &mut out)?;
    }
    Ok(out)
}

fn write_structure(structure: &Value, known: &mut Lines, out: &mut String) -> Result<()> {
    let name = required(structure, "type")?;
    let kind = match required(structure, "kind")? {
        "resource" => "resource",
        "complex-type" => "complex",
        "primitive-type" => "primitive",
        other => return Err(format!("{name} is of kind {other}")),
    };
    let mark = if is_abstract(structure) {
        " abstract"
    } else {
        ""
    };
    let elements = structure
        .get("snapshot")
        .map(|s| list(s, "element"))
        .ok_or_else(|| format!("{name} has no snapshot"))?;
    let nested = nested_paths(elements);
    let heading = Heading {
        kind,
        path: name,
        parent: parent(structure),
        mark,
    };
    write_type(&heading, elements, known, out)?;
    for element in elements {
        let path = required(element, "path")?;
        if path != name && nested.contains(path) {
            let parent = list(element, "type").iter().find_map(|t| text(t, "code"));
            let heading = Heading {
                kind: "backbone",
                path,
                parent,
                mark: "",
            };
            write_type(&heading, elements, known, out)?;
        }
    }
    Ok(())
}

/// The line above a type's elements.
struct Heading<'a> {
    kind: &'a str,
    path: &'a str,
    parent: Option<&'a str>,
    mark: &'a str,
}

fn write_type(
    heading: &Heading<'_>,
    elements: &[Value],
    known: &mut Lines,
    out: &mut String,
) -> Result<()> {
    let Heading {
        kind,
        path,
        parent,
        mark,
    } = *heading;
    let nested = nested_paths(elements);
    let from = parent.map_or(String::new(), |p| format!(" : {p}"));
    out.push_str(&format!("{kind} {path}{from}{mark}\n"));
    let mut lines = HashSet::new();
    for element in elements {
        let child = required(element, "path")?;
        let is_child = child.rsplit_once('.').is_some_and(|(of, _)| of == path);
        // The value of a primitive is the JSON value itself.
        if !is_child || (kind == "primitive" && elements::name(child) == "value") {
            continue;
        }
        let line = elements::line(element, nested.contains(child))?;
        let inherited = parent
            .and_then(|p| known.get(p))
            .is_some_and(|of| of.contains(&line));
        if !inherited {
            out.push_str(&format!("  {line}\n"));
        }
        lines.insert(line);
    }
    known.insert(path.to_owned(), lines);
    Ok(())
}

/// Paths of elements that have children.
fn nested_paths(elements: &[Value]) -> HashSet<&str> {
    elements
        .iter()
        .filter_map(|e| text(e, "path")?.rsplit_once('.'))
        .map(|(of, _)| of)
        .collect()
}

fn is_abstract(structure: &Value) -> bool {
    structure.get("abstract").and_then(Value::as_bool) == Some(true)
}

fn parent(structure: &Value) -> Option<&str> {
    text(structure, "baseDefinition").map(last_segment)
}

fn depth(name: &str, parents: &HashMap<&str, &str>) -> usize {
    std::iter::successors(parents.get(name), |p| parents.get(*p)).count()
}
