//! patch with FHIRPath Patch: a Parameters resource of operations, each on what
//! a FHIRPath names. <https://hl7.org/fhir/R4/fhirpatch.html>

use serde_json::{Map, Value};

use super::super::definitions::Definitions;
use super::super::fhirpath::{Content, Evaluator, Expression, Item, Node};
use super::super::outcome::{Failure, Kind};
use super::patch::{MOST_OPERATIONS, too_many_operations};
use super::patch_edit::{self, Given, Step, Way};
use crate::budget;

/// Elements that one path may name: each is looked for in the whole document.
const MOST_NAMED: usize = 2_000;

#[derive(Debug)]
pub struct Operation {
    path: String,
    expression: Expression,
    change: Change,
}

#[derive(Debug)]
enum Change {
    Add { name: String, value: Given },
    Insert { index: usize, value: Given },
    Delete,
    Replace(Given),
    Move { source: usize, destination: usize },
}

/// The operations of a Parameters resource of sound structure.
pub fn read(parameters: &Map<String, Value>) -> Result<Vec<Operation>, Failure> {
    let list = parameters.get("parameter").and_then(Value::as_array);
    let list = list.map_or(&[][..], Vec::as_slice);
    if list.len() > MOST_OPERATIONS {
        return Err(too_many_operations());
    }
    let operations = list.iter().enumerate().map(|(number, parameter)| {
        operation(parameter).map_err(|text| {
            let place = format!("Parameters.parameter[{number}]");
            Failure::at(Kind::Structure, place, text)
        })
    });
    operations.collect()
}

fn operation(parameter: &Value) -> Result<Operation, String> {
    if parameter.get("name").and_then(Value::as_str) != Some("operation") {
        return Err("Each parameter of a FHIRPath Patch is named operation.".to_owned());
    }
    let text = |name: &str| {
        let value = part(parameter, name).and_then(simple);
        let missing = || format!("The operation has no {name}.");
        value.and_then(Value::as_str).ok_or_else(missing)
    };
    let number = |name: &str| {
        let value = part(parameter, name).and_then(simple);
        let number = value.and_then(Value::as_u64);
        let missing = || format!("The operation has no {name}, which is a whole number from 0.");
        number
            .and_then(|n| usize::try_from(n).ok())
            .ok_or_else(missing)
    };
    let value = || {
        let value = part(parameter, "value").and_then(given);
        value.ok_or_else(|| {
            "The operation has no value, or one with extensions beside it.".to_owned()
        })
    };
    let change = match text("type")? {
        "add" => Change::Add {
            name: text("name")?.to_owned(),
            value: value()?,
        },
        "insert" => Change::Insert {
            index: number("index")?,
            value: value()?,
        },
        "delete" => Change::Delete,
        "replace" => Change::Replace(value()?),
        "move" => Change::Move {
            source: number("source")?,
            destination: number("destination")?,
        },
        _ => return Err("The type is add, insert, delete, replace or move.".to_owned()),
    };
    let path = text("path")?.to_owned();
    let expression = Expression::parse(&path);
    let expression = expression.map_err(|error| format!("The path is no FHIRPath: {error}."))?;
    Ok(Operation {
        path,
        expression,
        change,
    })
}

fn part<'v>(parameter: &'v Value, name: &str) -> Option<&'v Value> {
    let parts = parameter.get("part")?.as_array()?.iter();
    let mut named = parts.filter(|part| part.get("name").and_then(Value::as_str) == Some(name));
    named.next()
}

fn simple(part: &Value) -> Option<&Value> {
    let mut members = part.as_object()?.iter();
    let (_, value) = members.find(|(name, _)| name.starts_with("value"))?;
    Some(value)
}

/// "The value of the element": of a type, a resource, or parts where the type has no name.
fn given(part: &Value) -> Option<Given> {
    let members = part.as_object()?;
    if let Some(resource) = members.get("resource") {
        return Some(Given::Value(String::new(), resource.clone()));
    }
    if let Some(parts) = members.get("part").and_then(Value::as_array) {
        let parts = parts.iter().map(|part| {
            let name = part.get("name")?.as_str()?.to_owned();
            Some((name, given(part)?))
        });
        return parts.collect::<Option<Vec<_>>>().map(Given::Parts);
    }
    if members.keys().any(|name| name.starts_with("_value")) {
        // Half of the value would be lost.
        return None;
    }
    let mut values = members.iter();
    values.find_map(|(name, value)| {
        let of_type = name.strip_prefix("value")?.to_owned();
        Some(Given::Value(of_type, value.clone()))
    })
}

/// The document with every operation done to it, or none.
pub fn apply(
    definitions: &Definitions,
    mut document: Map<String, Value>,
    operations: &[Operation],
) -> Result<Map<String, Value>, Failure> {
    let mut steps = None;
    for (number, operation) in operations.iter().enumerate() {
        budget::charge_operation()?;
        let found = ways(definitions, &document, operation, &mut steps);
        let done = found.and_then(|ways| change(definitions, &mut document, operation, &ways));
        done.map_err(|problem| {
            let text = format!(
                "Operation {number} of the patch (path \"{}\") cannot be applied: {problem}. Nothing was changed.",
                operation.path
            );
            Failure::new(Kind::BusinessRule, text)
        })?;
    }
    Ok(document)
}

/// Where the elements are that the path names. All operations share what one
/// evaluation may cost.
fn ways(
    definitions: &Definitions,
    document: &Map<String, Value>,
    operation: &Operation,
    steps: &mut Option<u32>,
) -> Result<Vec<Way>, String> {
    let root = Node::resource(definitions, document).ok_or("the resource has no type")?;
    let evaluator = Evaluator::new(definitions, root, root);
    if let Some(steps) = *steps {
        evaluator.allow(steps);
    }
    let found = operation.expression.evaluate(&evaluator, Item::Node(root));
    *steps = Some(evaluator.steps());
    let found = found.map_err(|error| error.to_string())?;
    if found.len() > 1
        && matches!(
            operation.change,
            Change::Add { .. } | Change::Delete | Change::Replace(_)
        )
    {
        return Err("the path names more than one element".to_owned());
    }
    if found.len() > MOST_NAMED {
        return Err(format!("the path names more than {MOST_NAMED} elements"));
    }
    let way = |item: &Item<'_>| match item {
        Item::Node(node) => way_to(document, node),
        _ => None,
    };
    let outside = "the path names something that is no element of the resource";
    found
        .iter()
        .map(|item| way(item).ok_or(outside.to_owned()))
        .collect()
}

fn way_to(document: &Map<String, Value>, node: &Node<'_>) -> Option<Way> {
    let is_it = |value: &Value| match (node.content, node.sibling) {
        (Content::Object(map), _) => value.as_object().is_some_and(|own| std::ptr::eq(own, map)),
        (Content::Value(own), _) => std::ptr::eq(own, value),
        (Content::Absent, Some(map)) => value.as_object().is_some_and(|own| std::ptr::eq(own, map)),
        (Content::Absent, None) => false,
    };
    if matches!(node.content, Content::Object(map) if std::ptr::eq(map, document)) {
        return Some(Way::new());
    }
    let mut way = Way::new();
    descend(document, &is_it, &mut way).then_some(way)
}

fn descend(map: &Map<String, Value>, is_it: &dyn Fn(&Value) -> bool, way: &mut Way) -> bool {
    for (name, value) in map {
        // A primitive without a value stands beside where it would.
        way.push(Step::Member(
            name.strip_prefix('_').unwrap_or(name).to_owned(),
        ));
        let within = |value: &Value, way: &mut Way| {
            is_it(value)
                || value
                    .as_object()
                    .is_some_and(|map| descend(map, is_it, way))
        };
        let found = match value {
            Value::Array(items) => items.iter().enumerate().any(|(place, item)| {
                way.push(Step::Place(place));
                let found = within(item, way);
                if !found {
                    way.pop();
                }
                found
            }),
            value => within(value, way),
        };
        if found {
            return true;
        }
        way.pop();
    }
    false
}

fn change(
    definitions: &Definitions,
    document: &mut Map<String, Value>,
    operation: &Operation,
    ways: &[Way],
) -> Result<(), String> {
    let one = || ways.first().ok_or("the path names no element");
    match &operation.change {
        Change::Add { name, value } => patch_edit::add(definitions, document, one()?, name, value),
        // "If there is nothing to delete, that is no error."
        Change::Delete => match ways.first() {
            Some(way) => patch_edit::delete(document, way),
            None => Ok(()),
        },
        Change::Replace(value) => patch_edit::replace(definitions, document, one()?, value),
        Change::Insert { index, value } => {
            let list = patch_edit::list_of(document, ways)?;
            patch_edit::insert(definitions, document, &list, *index, value)
        }
        Change::Move {
            source,
            destination,
        } => {
            let list = patch_edit::list_of(document, ways)?;
            patch_edit::relocate(document, &list, *source, *destination)
        }
    }
}
