//! B1: for each search parameter two resources that it tells apart.

use serde_json::{Map, Value, json};
use unloop::fhir::definitions::ParamKind;
use unloop::fhir::search::catalogue::Param;
use unloop::fhir::search::path::{Path, Predicate, Step};

/// A resource, a value that finds it.
pub struct Sample {
    pub resource: Value,
    pub query: String,
}

/// A value of the type that the number tells from others, and what asks for it.
fn value_of(kind: ParamKind, leaf: &str, n: usize) -> Option<(Value, String)> {
    let word = ["Anna", "Berta"][n];
    let code = ["one", "two"][n];
    let coding = json!({"system": "http://s.example", "code": code, "display": word});
    let uri = format!("http://x.example/{code}/b");
    let id = ["v1", "v2"][n];
    let day = ["2024-01-05", "2020-01-05"][n];
    let number = json!([7, 9000][n]);
    let simple = |value: &str| (json!(value), value.to_owned());
    Some(match (kind, leaf) {
        (ParamKind::Token, "CodeableConcept") => (
            json!({"coding": [coding], "text": word}),
            format!("http://s.example|{code}"),
        ),
        (ParamKind::Token, "Coding") => (coding, format!("http://s.example|{code}")),
        (ParamKind::Token, "Identifier") => (
            json!({"system": "http://s.example", "value": id,
                "type": {"coding": [{"system": "http://t.example", "code": "T"}], "text": word}}),
            format!("http://s.example|{id}"),
        ),
        (ParamKind::Token, "ContactPoint") => (json!({"value": code}), code.to_owned()),
        (ParamKind::Token, "boolean") => (json!(n == 0), (n == 0).to_string()),
        (ParamKind::Token, "uri" | "canonical") => (json!(uri), uri),
        (ParamKind::Token, _) => simple(code),
        (ParamKind::String, "HumanName") => (json!({"family": word}), word.to_owned()),
        (ParamKind::String, "Address") => (json!({"city": word}), word.to_owned()),
        (ParamKind::String, _) => simple(word),
        (ParamKind::Date, "Period") => (json!({"start": day, "end": day}), day.to_owned()),
        (ParamKind::Date, "Timing") => (json!({"event": [day]}), day.to_owned()),
        (ParamKind::Date, "instant") => {
            let instant = format!("{day}T10:00:00Z");
            (json!(instant), instant)
        }
        (ParamKind::Date, _) => simple(day),
        (ParamKind::Number, _) => (number.clone(), number.to_string()),
        (ParamKind::Quantity, "Money") => (
            json!({"value": number, "currency": "EUR"}),
            number.to_string(),
        ),
        (ParamKind::Quantity, "Range") => (
            json!({"low": {"value": number}, "high": {"value": number}}),
            number.to_string(),
        ),
        (ParamKind::Quantity, _) => (json!({"value": number, "unit": "x"}), number.to_string()),
        (ParamKind::Uri, _) => (json!(uri), uri),
        (ParamKind::Reference, "canonical" | "uri") => (json!(uri), uri),
        _ => return None,
    })
}

/// A resource with one value where the path leads.
fn resource_with(resource_type: &str, path: &Path, value: Value) -> Value {
    let mut resource = json!({"resourceType": resource_type, "id": "r"});
    let mut place = &mut resource;
    let mut rest = path.steps.iter().peekable();
    let mut value = value;
    while let Some(step) = rest.next() {
        match step {
            Step::Field(name) | Step::Item(name, _) => {
                place = place
                    .as_object_mut()
                    .unwrap()
                    .entry(name.clone())
                    .or_insert_with(|| json!({}));
            }
            Step::Where(predicate) => {
                let target = if rest.peek().is_none() {
                    &mut value
                } else {
                    &mut *place
                };
                let members: &mut Map<String, Value> = target.as_object_mut().unwrap();
                match predicate {
                    Predicate::Equals { field, value } => {
                        members.insert(field.clone(), json!(value));
                    }
                    Predicate::HasExtension(url) => {
                        members.insert("extension".into(), json!([{"url": url}]));
                    }
                    Predicate::RefersTo(_) => {}
                }
            }
        }
    }
    *place = value;
    resource
}

pub fn samples(resource_type: &str, param: &Param, path: &Path) -> Option<[Sample; 2]> {
    let sample = |n: usize| {
        let (value, query) = match (param.kind, path.leaf.as_str()) {
            (ParamKind::Reference, "Reference") => reference(param, path, n),
            (kind, leaf) => value_of(kind, leaf, n)?,
        };
        let resource = resource_with(resource_type, path, value);
        Some(Sample { resource, query })
    };
    Some([sample(0)?, sample(1)?])
}

fn reference(param: &Param, path: &Path, n: usize) -> (Value, String) {
    let wanted = path.steps.iter().find_map(|step| match step {
        Step::Where(Predicate::RefersTo(name)) => Some(name.clone()),
        _ => None,
    });
    let target = wanted.or_else(|| {
        let targets = param.targets.iter().chain(&path.targets);
        let may = |t: &&String| path.targets.is_empty() || path.targets.contains(t);
        targets.filter(may).find(|t| param.may_refer_to(t)).cloned()
    });
    let target = target.unwrap_or_else(|| "Patient".to_owned());
    let text = format!("{target}/{}", ["v1", "v2"][n]);
    let value = ["v1", "v2"][n];
    let identifier = json!({"system": "http://s.example", "value": value});
    (json!({"reference": text, "identifier": identifier}), text)
}
