//! What a FHIRPath Patch does to a document: members and items in the JSON form,
//! with the `_name` beside a primitive. <https://hl7.org/fhir/R4/json.html>

use serde_json::{Map, Value};

use super::super::definitions::{Definitions, Element, TypeDefinition, TypeKind};

/// From the resource to an element: members, and places in lists.
pub type Way = Vec<Step>;

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    Member(String),
    Place(usize),
}

/// A value to write.
#[derive(Clone, Debug, PartialEq)]
pub enum Given {
    /// The type as it stands behind `value`, and the value.
    Value(String, Value),
    /// What has no type of its own, by its elements.
    Parts(Vec<(String, Given)>),
}

type Done<T> = Result<T, String>;

/// The members of an object on the way.
fn object<'v>(map: &'v mut Map<String, Value>, way: &[Step]) -> Option<&'v mut Map<String, Value>> {
    match way {
        [] => Some(map),
        [Step::Member(name), Step::Place(place), rest @ ..] => {
            let item = map.get_mut(name)?.as_array_mut()?.get_mut(*place)?;
            object(item.as_object_mut()?, rest)
        }
        [Step::Member(name), rest @ ..] => object(map.get_mut(name)?.as_object_mut()?, rest),
        [Step::Place(_), ..] => None,
    }
}

/// The type of an object on the way.
fn type_of<'d>(
    definitions: &'d Definitions,
    of: Option<&'d TypeDefinition>,
    map: &Map<String, Value>,
    way: &[Step],
) -> Option<&'d TypeDefinition> {
    let own = || definitions.type_definition(map.get("resourceType")?.as_str()?);
    let of = of.filter(|of| of.kind != TypeKind::Resource).or_else(own)?;
    let (name, place, rest) = match way {
        [] => return Some(of),
        [Step::Member(name), Step::Place(place), rest @ ..] => (name, Some(*place), rest),
        [Step::Member(name), rest @ ..] => (name, None, rest),
        [Step::Place(_), ..] => return None,
    };
    let (_, type_name) = of.properties.get(name)?;
    let value = map.get(name)?;
    let value = match place {
        Some(place) => value.get(place)?,
        None => value,
    };
    let inner = definitions.type_definition(type_name)?;
    type_of(definitions, Some(inner), value.as_object()?, rest)
}

/// The object that has the element, its member, and the place in a list.
fn parent(way: &[Step]) -> Option<(&[Step], &str, Option<usize>)> {
    match way {
        [parent @ .., Step::Member(name), Step::Place(place)] => {
            Some((parent, name.as_str(), Some(*place)))
        }
        [parent @ .., Step::Member(name)] => Some((parent, name.as_str(), None)),
        _ => None,
    }
}

const GONE: &str = "the element cannot be reached";
const WHOLE: &str = "the path names the resource itself";

pub fn add(
    definitions: &Definitions,
    document: &mut Map<String, Value>,
    way: &[Step],
    name: &str,
    given: &Given,
) -> Done<()> {
    if let Some(of) = type_of(definitions, None, document, way) {
        let map = object(document, way).ok_or(GONE)?;
        return add_to(definitions, of, map, name, given);
    }
    let of = definitions.type_definition(PRIMITIVE_MEMBERS);
    let map = beside(document, way).zip(of);
    let (map, of) = map.ok_or("the path names no element that has others")?;
    add_to(definitions, of, map, name, given)
}

/// The type that has `id` and `extension` alone, which is what stands beside a primitive.
const PRIMITIVE_MEMBERS: &str = "Element";

/// The `_name` object beside a primitive, made where there is none.
fn beside<'v>(
    document: &'v mut Map<String, Value>,
    way: &[Step],
) -> Option<&'v mut Map<String, Value>> {
    let (above, name, place) = parent(way)?;
    let map = object(document, above)?;
    let value = map.get(name)?;
    let length = value.as_array().map_or(0, Vec::len);
    let value = place.map_or(Some(value), |place| value.get(place))?;
    if value.is_object() || value.is_array() {
        return None;
    }
    let beside = map.entry(format!("_{name}")).or_insert(Value::Null);
    let beside = match place {
        None => beside,
        Some(place) => {
            if !beside.is_array() {
                *beside = Value::Array(Vec::new());
            }
            let items = beside.as_array_mut()?;
            items.resize(length.max(items.len()), Value::Null);
            items.get_mut(place)?
        }
    };
    if beside.is_null() {
        *beside = Value::Object(Map::new());
    }
    beside.as_object_mut()
}

fn add_to(
    definitions: &Definitions,
    of: &TypeDefinition,
    map: &mut Map<String, Value>,
    name: &str,
    given: &Given,
) -> Done<()> {
    let name = name.strip_suffix("[x]").unwrap_or(name);
    let found = of.elements.iter().enumerate().find(|(_, e)| e.name == name);
    let (index, element) = found.ok_or_else(|| format!("{} has no element {name}", of.name))?;
    let (property, value) = written(definitions, of, element, given)?;
    let is_it = |key: &str| {
        let base = key.strip_prefix('_').unwrap_or(key);
        of.properties
            .get(base)
            .is_some_and(|(own, _)| *own == index)
    };
    if !element.array {
        if map.keys().any(|key| is_it(key)) {
            return Err(format!("there is a {name} already; replace it"));
        }
        map.insert(property, value);
        return Ok(());
    }
    let list = map
        .entry(property.clone())
        .or_insert_with(|| Value::Array(Vec::new()));
    list.as_array_mut().ok_or(GONE)?.push(value);
    let length = list.as_array().map_or(0, Vec::len);
    if let Some(beside) = map
        .get_mut(&format!("_{property}"))
        .and_then(Value::as_array_mut)
    {
        beside.resize(length, Value::Null);
    }
    Ok(())
}

/// The property of the element with this value, and the value.
fn written(
    definitions: &Definitions,
    of: &TypeDefinition,
    element: &Element,
    given: &Given,
) -> Done<(String, Value)> {
    match given {
        Given::Value(type_name, value) => {
            let property = match element.choice {
                true => format!("{}{type_name}", element.name),
                false => element.name.clone(),
            };
            if !of.properties.contains_key(&property) {
                return Err(format!("{} is never a {type_name}", element.name));
            }
            Ok((property, value.clone()))
        }
        Given::Parts(parts) => {
            let inner = element.types.first().filter(|_| !element.choice);
            let inner = inner.and_then(|name| definitions.type_definition(name));
            let inner = inner.filter(|inner| inner.kind != TypeKind::Primitive);
            let inner = inner
                .ok_or_else(|| format!("{} has a type of its own: give a value", element.name))?;
            let mut map = Map::new();
            for (name, given) in parts {
                add_to(definitions, inner, &mut map, name, given)?;
            }
            Ok((element.name.clone(), map.into()))
        }
    }
}

/// The element of a member, and how its value is written.
fn rewritten(
    definitions: &Definitions,
    document: &Map<String, Value>,
    way: &[Step],
    name: &str,
    given: &Given,
) -> Done<(String, Value)> {
    let of = type_of(definitions, None, document, way).ok_or(GONE)?;
    let (index, _) = of.properties.get(name).ok_or(GONE)?;
    let element = of.elements.get(*index).ok_or(GONE)?;
    written(definitions, of, element, given)
}

pub fn replace(
    definitions: &Definitions,
    document: &mut Map<String, Value>,
    way: &[Step],
    given: &Given,
) -> Done<()> {
    let (above, name, place) = parent(way).ok_or(WHOLE)?;
    let (property, value) = rewritten(definitions, document, above, name, given)?;
    let map = object(document, above).ok_or(GONE)?;
    let beside = format!("_{name}");
    let Some(place) = place else {
        map.shift_remove(&beside);
        if property != name {
            map.shift_remove(name);
        }
        map.insert(property, value);
        return Ok(());
    };
    let mut item = |name: &str, value: Value| {
        let item = map.get_mut(name).and_then(|list| list.get_mut(place));
        item.map(|item| *item = value)
    };
    item(name, value).ok_or(GONE)?;
    item(&beside, Value::Null);
    tidy(map, &beside);
    Ok(())
}

pub fn delete(document: &mut Map<String, Value>, way: &[Step]) -> Done<()> {
    let (above, name, place) = parent(way).ok_or(WHOLE)?;
    let map = object(document, above).ok_or(GONE)?;
    for name in [name, &format!("_{name}")] {
        match place {
            None => {
                map.shift_remove(name);
            }
            Some(place) => {
                let list = map.get_mut(name).and_then(Value::as_array_mut);
                if let Some(list) = list.filter(|list| place < list.len()) {
                    list.remove(place);
                }
                tidy(map, name);
            }
        }
    }
    // What has nothing left is no element.
    if map.is_empty() && !above.is_empty() {
        return delete(document, above);
    }
    Ok(())
}

/// A list of nothing is no list.
fn tidy(map: &mut Map<String, Value>, name: &str) {
    let list = map.get(name).and_then(Value::as_array);
    if list.is_some_and(|list| list.iter().all(Value::is_null)) {
        map.shift_remove(name);
    }
}

/// The list that the elements are: all of its items, in order.
pub fn list_of(document: &mut Map<String, Value>, ways: &[Way]) -> Done<Way> {
    const NO_LIST: &str = "the path names no list with all of its items";
    let (above, name, _) = ways.first().and_then(|way| parent(way)).ok_or(NO_LIST)?;
    let mut list = above.to_vec();
    list.push(Step::Member(name.to_owned()));
    let all = ways
        .iter()
        .enumerate()
        .all(|(place, way)| way.split_last() == Some((&Step::Place(place), list.as_slice())));
    let map = object(document, above).ok_or(GONE)?;
    let lengths = [name, &format!("_{name}")].map(|name| map.get(name)?.as_array().map(Vec::len));
    let whole = lengths.into_iter().flatten().max() == Some(ways.len());
    (all && whole)
        .then_some(list)
        .ok_or_else(|| NO_LIST.to_owned())
}

pub fn insert(
    definitions: &Definitions,
    document: &mut Map<String, Value>,
    list: &[Step],
    index: usize,
    given: &Given,
) -> Done<()> {
    let (above, name, _) = parent(list).ok_or(WHOLE)?;
    let (_, value) = rewritten(definitions, document, above, name, given)?;
    let map = object(document, above).ok_or(GONE)?;
    let beside = format!("_{name}");
    for (name, value) in [(name, value), (beside.as_str(), Value::Null)] {
        let Some(items) = map.get_mut(name).and_then(Value::as_array_mut) else {
            continue;
        };
        if index > items.len() {
            return Err(format!(
                "there is no place {index} in a list of {}",
                items.len()
            ));
        }
        items.insert(index, value);
    }
    Ok(())
}

pub fn relocate(
    document: &mut Map<String, Value>,
    list: &[Step],
    source: usize,
    destination: usize,
) -> Done<()> {
    let (above, name, _) = parent(list).ok_or(WHOLE)?;
    let map = object(document, above).ok_or(GONE)?;
    for name in [name, &format!("_{name}")] {
        let Some(items) = map.get_mut(name).and_then(Value::as_array_mut) else {
            continue;
        };
        if source.max(destination) >= items.len() {
            return Err(format!("the list has {} items", items.len()));
        }
        let item = items.remove(source);
        items.insert(destination, item);
    }
    Ok(())
}
