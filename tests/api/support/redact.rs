//! Answers without what differs from run to run.

use serde_json::Value;

use super::Reply;

const HEADERS: [&str; 4] = ["Content-Type", "ETag", "Location", "Content-Location"];

/// Status, headers and content with identities, times and addresses blanked.
pub fn redacted(reply: &Reply) -> String {
    let mut text = format!("{}\n", reply.status);
    for name in HEADERS {
        if reply.headers.contains_key(name) {
            text.push_str(&format!("{name}: {}\n", blanked(reply.header(name))));
        }
    }
    if !reply.text.is_empty() {
        let mut content = reply.json();
        blank(&mut content);
        text.push_str(&serde_json::to_string_pretty(&content).unwrap());
    }
    text
}

fn blank(value: &mut Value) {
    match value {
        Value::String(text) => *text = blanked(text),
        Value::Array(items) => items.iter_mut().for_each(blank),
        Value::Object(members) => {
            for (name, member) in members.iter_mut() {
                if matches!(name.as_str(), "lastUpdated" | "lastModified") {
                    *member = "[time]".into();
                } else {
                    blank(member);
                }
            }
        }
        _ => {}
    }
}

fn blanked(text: &str) -> String {
    let mut text = text.to_owned();
    if let Some(start) = text.find("http://127.0.0.1:") {
        let end = text[start..]
            .find("/fhir")
            .map_or(text.len(), |at| start + at);
        text.replace_range(start..end, "[host]");
    }
    if let Some(start) = text.find("_cursor=") {
        text.replace_range(start + "_cursor=".len().., "[cursor]");
    }
    while let Some(start) = (0..text.len()).find(|start| is_uuid(text.get(*start..start + 36))) {
        text.replace_range(start..start + 36, "[id]");
    }
    text
}

fn is_uuid(text: Option<&str>) -> bool {
    text.is_some_and(|text| uuid::Uuid::try_parse(text).is_ok() && text.contains('-'))
}
