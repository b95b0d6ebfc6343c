//! The tag on what is implausible, and how somebody confirms it.
//!
//! The flag is a tag, because it says nothing of the patient and a system that
//! does not know it loses nothing; it is made anew at every write. A
//! confirmation is the other tag with a note that has author, time and text. It
//! is kept when an update without it has the same values, and ends with them.

use serde_json::{Map, Value, json};

use crate::clinical::observation::{CONFIRMED, IMPLAUSIBLE, has_tag, quality, quality_tags};
use crate::fhir::outcome::{Failure, Kind};
use crate::fhir::search::path::{items, text};

/// Whether somebody stands for the values of the new content.
pub fn confirmation(
    new: &Map<String, Value>,
    stored: Option<&Map<String, Value>>,
) -> Result<bool, Failure> {
    let asked = has_tag(new, CONFIRMED);
    let fresh = notes(new).any(|note| stored.is_none_or(|old| !notes(old).any(|was| was == note)));
    let Some(old) = stored else {
        return if asked { demand(fresh) } else { Ok(false) };
    };
    if !same_values(old, new) {
        // A tag that came along from the values before means nothing.
        return Ok(asked && fresh);
    }
    if has_tag(old, CONFIRMED) {
        return Ok(asked || !has_tag(new, IMPLAUSIBLE));
    }
    if asked { demand(fresh) } else { Ok(false) }
}

fn demand(fresh: bool) -> Result<bool, Failure> {
    if fresh {
        return Ok(true);
    }
    Err(Failure::at(
        Kind::BusinessRule,
        "Observation.note",
        "Whoever confirms an implausible value says so in a new note with author, time and text.",
    ))
}

/// Notes that say who wrote them, when and what.
fn notes(content: &Map<String, Value>) -> impl Iterator<Item = &Value> {
    items(content, "note").iter().filter(|note| {
        let Some(note) = note.as_object() else {
            return false;
        };
        let said = text(note, "text").is_some_and(|text| !text.trim().is_empty());
        let signed = note.contains_key("authorReference") || note.contains_key("authorString");
        said && signed && note.contains_key("time")
    })
}

fn same_values(old: &Map<String, Value>, new: &Map<String, Value>) -> bool {
    let values = |content: &Map<String, Value>| {
        let components = items(content, "component").iter();
        let components: Vec<_> = components
            .map(|one| (one.get("code").cloned(), one.get("valueQuantity").cloned()))
            .collect();
        let names = [
            "code",
            "valueQuantity",
            "effectiveDateTime",
            "effectivePeriod",
        ];
        (names.map(|name| content.get(name).cloned()), components)
    };
    values(old) == values(new)
}

/// Whether it carries a tag of the kind.
pub fn is_marked(content: &Map<String, Value>) -> bool {
    quality_tags(content).next().is_some()
}

/// Sets the tag that holds, and takes the others of its kind away.
pub fn set(content: &mut Map<String, Value>, code: Option<&str>) {
    let system = quality();
    let mut tags: Vec<Value> = content
        .get("meta")
        .and_then(Value::as_object)
        .map(|meta| items(meta, "tag").to_vec())
        .unwrap_or_default();
    let before = tags.clone();
    tags.retain(|tag| tag.get("system").and_then(Value::as_str) != Some(&system));
    tags.extend(code.map(|code| json!({"system": system, "code": code})));
    if tags == before {
        return;
    }
    let meta = content.entry("meta").or_insert_with(|| json!({}));
    if let Some(meta) = meta.as_object_mut() {
        if tags.is_empty() {
            meta.remove("tag");
        } else {
            meta.insert("tag".to_owned(), tags.into());
        }
        if meta.is_empty() {
            content.remove("meta");
        }
    }
}

/// The notes of a confirmation that an update without them would have dropped.
pub fn keep_notes(new: &mut Map<String, Value>, old: &Map<String, Value>) {
    if notes(new).next().is_some() {
        return;
    }
    let kept: Vec<Value> = notes(old).cloned().collect();
    if kept.is_empty() {
        return;
    }
    let all = new.entry("note").or_insert_with(|| json!([]));
    if let Some(all) = all.as_array_mut() {
        all.extend(kept);
    }
}
