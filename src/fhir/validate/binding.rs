//! Codes of required bindings. <https://hl7.org/fhir/R4/terminologies.html#required>
//!
//! In the base definitions these bind elements of the types code and CodeableConcept.

use serde_json::{Map, Value};

use super::place::Place;
use super::report::shown;
use super::structure::Walk;
use crate::fhir::definitions::ValueSet;
use crate::fhir::outcome::Kind;

/// More codes than this are not listed in a message.
const MOST_LISTED: usize = 12;

impl Walk<'_> {
    pub fn code_binding(&mut self, url: &str, key: &str, code: &str, place: &Place<'_>) {
        let Some(value_set) = self.definitions.value_set(url) else {
            return;
        };
        let fits = match value_set.is_written_out() {
            true => value_set.has_code(code),
            false => has_form(url, code),
        };
        if !fits {
            let text = format!(
                "{} has a code that is not in {url}: {}",
                shown(key),
                codes_to_use(url, value_set, false)
            );
            self.report.problem(Kind::CodeInvalid, place, text);
        }
    }

    /// One of the codings has to be in the value set.
    pub fn concept_binding(
        &mut self,
        url: &str,
        key: &str,
        concept: &Map<String, Value>,
        place: &Place<'_>,
    ) {
        let codings = concept.get("coding").and_then(Value::as_array);
        let mut codings = codings.into_iter().flatten();
        let Some(value_set) = self.definitions.value_set(url) else {
            return;
        };
        let says_why_not = concept.contains_key("extension")
            && !concept.contains_key("coding")
            && !concept.contains_key("text");
        let fits = codings.any(|coding| {
            let text = |name: &str| coding.get(name).and_then(Value::as_str);
            match (text("system"), text("code"), value_set.is_written_out()) {
                (Some(system), Some(code), true) => value_set.has(system, code),
                (_, Some(code), false) => has_form(url, code),
                (None, _, true) | (_, None, _) => false,
            }
        });
        if !fits && !says_why_not {
            let text = format!(
                "no coding of {} is in {url}: {}",
                shown(key),
                codes_to_use(url, value_set, true)
            );
            self.report.problem(Kind::CodeInvalid, place, text);
        }
    }
}

/// Where R4 does not publish the codes, their form is all that can be judged.
fn has_form(url: &str, code: &str) -> bool {
    match url {
        // BCP 13, RFC 6838: `text/plain; charset=UTF-8`, or the short names of
        // FHIR's own formats, which the conformance resources use.
        "http://hl7.org/fhir/ValueSet/mimetypes" => {
            let essence = code.split(';').next().unwrap_or(code).trim_end();
            let name = |part: &str| {
                let mark = |b: u8| b.is_ascii_alphanumeric() || b"!#$&-^_.+".contains(&b);
                part.starts_with(|c: char| c.is_ascii_alphanumeric()) && part.bytes().all(mark)
            };
            let halves = essence.split_once('/');
            matches!(code, "xml" | "json" | "ttl")
                || halves.is_some_and(|(class, subtype)| name(class) && name(subtype))
        }
        // ISO 4217
        "http://hl7.org/fhir/ValueSet/currencies" => {
            code.len() == 3 && code.bytes().all(|b| b.is_ascii_uppercase())
        }
        _ => true,
    }
}

fn codes_to_use(url: &str, value_set: &ValueSet, with_system: bool) -> String {
    let concepts: Vec<_> = value_set.concepts().collect();
    if concepts.is_empty() {
        return match url {
            "http://hl7.org/fhir/ValueSet/currencies" => "use one like USD".to_owned(),
            "http://hl7.org/fhir/ValueSet/mimetypes" => "use one like text/plain".to_owned(),
            _ => "add a coding with a code".to_owned(),
        };
    }
    if concepts.len() > MOST_LISTED {
        return "use one of its codes".to_owned();
    }
    let codes: Vec<String> = concepts
        .into_iter()
        .map(|(system, code)| match with_system {
            true => format!("{system}|{code}"),
            false => code.to_owned(),
        })
        .collect();
    format!("use {}", codes.join(", "))
}
