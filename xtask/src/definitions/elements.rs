//! One ElementDefinition as one line:
//! `name min..max types [S][M] [=value-set]`, S for summary, M for modifier.
//! <https://hl7.org/fhir/R4/elementdefinition.html>

use serde_json::Value;

use super::bundle::{last_segment, list, required, text, texts};
use crate::Result;

/// The name an element has below its parent: `Patient.contact.name` -> `name`.
pub fn name(path: &str) -> &str {
    path.rsplit('.').next().unwrap_or(path)
}

/// `nested`: the element has children of its own and is a type by its path.
pub fn line(element: &Value, nested: bool) -> Result<String> {
    let path = required(element, "path")?;
    let min = element
        .get("min")
        .and_then(Value::as_u64)
        .ok_or_else(|| format!("{path} has no min"))?;
    let max = required(element, "max")?;
    let mut line = format!("{} {min}..{max} {}", name(path), types(element, nested)?);
    let flags: String = [('S', "isSummary"), ('M', "isModifier")]
        .iter()
        .filter(|(_, key)| element.get(key).and_then(Value::as_bool) == Some(true))
        .map(|(flag, _)| *flag)
        .collect();
    if !flags.is_empty() {
        line.push(' ');
        line.push_str(&flags);
    }
    if let Some(value_set) = required_binding(element) {
        line.push_str(" =");
        line.push_str(value_set);
    }
    Ok(line)
}

fn types(element: &Value, nested: bool) -> Result<String> {
    let path = required(element, "path")?;
    if let Some(reference) = text(element, "contentReference") {
        return Ok(reference.trim_start_matches('#').to_owned());
    }
    if nested {
        return Ok(path.to_owned());
    }
    let types: Vec<String> = list(element, "type")
        .iter()
        .map(|t| type_with_targets(path, t))
        .collect::<Result<_>>()?;
    match types.is_empty() {
        true => Err(format!("{path} has no type")),
        false => Ok(types.join(",")),
    }
}

/// `Reference(Patient|Group)`
fn type_with_targets(path: &str, value: &Value) -> Result<String> {
    let code = match required(value, "code")? {
        system if system.starts_with("http://hl7.org/fhirpath/") => fhir_type(value)
            // xhtml.id alone comes without the extension that says so.
            .or((name(path) == "id").then_some("string"))
            .ok_or_else(|| format!("{path} has no FHIR type"))?,
        code => code,
    };
    let targets: Vec<&str> = texts(value, "targetProfile")
        .into_iter()
        .map(last_segment)
        .collect();
    match targets.is_empty() {
        true => Ok(code.to_owned()),
        false => Ok(format!("{code}({})", targets.join("|"))),
    }
}

/// <http://hl7.org/fhir/StructureDefinition/structuredefinition-fhir-type>
fn fhir_type(value: &Value) -> Option<&str> {
    list(value, "extension")
        .iter()
        .find_map(|e| text(e, "valueUrl").or_else(|| text(e, "valueUri")))
}

/// Canonical URL of the value set, without a version.
pub fn required_binding(element: &Value) -> Option<&str> {
    let binding = element.get("binding")?;
    if text(binding, "strength")? != "required" {
        return None;
    }
    text(binding, "valueSet")?.split('|').next()
}
