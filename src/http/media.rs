//! Media types. <https://hl7.org/fhir/R4/http.html#mime-type>

use crate::fhir::outcome::{Failure, Kind};

pub const FHIR_JSON: &str = "application/fhir+json";

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ContentKind {
    Resource,
    JsonPatch,
    /// RFC 7396, also where a PATCH brings plain JSON.
    MergePatch,
    Form,
}

/// What a `Content-Type` announces.
pub fn content_kind(content_type: Option<&str>) -> Result<ContentKind, Failure> {
    let Some(content_type) = content_type else {
        return Err(unsupported("The request has content, but no Content-Type"));
    };
    let (essence, parameters) = essence(content_type);
    let kind = match essence.as_str() {
        "application/fhir+json" | "application/json" | "text/json" => ContentKind::Resource,
        "application/json-patch+json" => ContentKind::JsonPatch,
        "application/merge-patch+json" => ContentKind::MergePatch,
        "application/x-www-form-urlencoded" => ContentKind::Form,
        _ => return Err(unsupported("This Content-Type is not supported")),
    };
    let foreign = |name: &str, fits: &dyn Fn(&str) -> bool| {
        parameters
            .iter()
            .any(|(key, value)| key == name && !fits(value))
    };
    if foreign("charset", &|value| value.eq_ignore_ascii_case("utf-8")) {
        return Err(unsupported("The content must be UTF-8"));
    }
    if foreign("fhirversion", &is_r4) {
        return Err(unsupported("This service speaks FHIR 4.0 only"));
    }
    Ok(kind)
}

/// JSON that is not said to be FHIR's.
pub fn is_plain_json(content_type: Option<&str>) -> bool {
    content_type
        .is_some_and(|value| matches!(essence(value).0.as_str(), "application/json" | "text/json"))
}

/// FHIR's own formats, also the one that is not spoken here.
pub fn is_fhir(content_type: &str) -> bool {
    let (essence, _) = essence(content_type);
    let prefixes = [
        "application/fhir+",
        "application/json-patch",
        "application/merge-patch",
    ];
    prefixes.iter().any(|prefix| essence.starts_with(prefix))
}

/// Whether one range of an `Accept` names JSON, in FHIR or not.
pub fn names_fhir_json(range: &str) -> bool {
    let (essence, _) = essence(range);
    matches!(
        essence.as_str(),
        "application/fhir+json"
            | "application/json+fhir"
            | "application/json"
            | "text/json"
            | "json"
    )
}

fn unsupported(what: &str) -> Failure {
    Failure::new(
        Kind::UnsupportedMediaType,
        format!(
            "{what}. Send application/fhir+json (PATCH: application/json-patch+json or application/merge-patch+json; _search: application/x-www-form-urlencoded)."
        ),
    )
}

fn is_r4(version: &str) -> bool {
    version == "4.0" || version == "4.0.1"
}

/// Whether JSON may be answered. `_format` outweighs `Accept`.
pub fn check_accepted(format: Option<&str>, accept: Option<&str>) -> Result<(), Failure> {
    if let Some(format) = format {
        let (essence, parameters) = essence(format);
        return match essence.as_str() {
            "json"
            | "application/json"
            | "application/fhir+json"
            | "application/fhir json"
            | "text/json"
                if version_fits(&parameters) =>
            {
                Ok(())
            }
            _ => Err(not_acceptable("_format")),
        };
    }
    let Some(accept) = accept.filter(|accept| !accept.trim().is_empty()) else {
        return Ok(());
    };
    let fits = accept.split(',').any(|range| {
        let (essence, parameters) = essence(range);
        let refused = parameters
            .iter()
            .any(|(key, value)| key == "q" && value.parse::<f32>().is_ok_and(|q| q == 0.0));
        !refused
            && version_fits(&parameters)
            && matches!(
                essence.as_str(),
                "*/*"
                    | "application/*"
                    | "application/json"
                    | "application/fhir+json"
                    | "application/json+fhir"
                    | "application/json-patch+json"
                    | "application/merge-patch+json"
                    | "text/*"
                    | "text/json"
                    | "json"
            )
    });
    if fits {
        Ok(())
    } else {
        Err(not_acceptable("Accept"))
    }
}

fn version_fits(parameters: &[(String, String)]) -> bool {
    parameters
        .iter()
        .all(|(key, value)| key != "fhirversion" || is_r4(value))
}

fn not_acceptable(name: &str) -> Failure {
    Failure::new(
        Kind::NotAcceptable,
        format!(
            "{name} asks for something else than JSON. This service answers application/fhir+json; fhirVersion=4.0."
        ),
    )
}

/// The type in lower case and its parameters.
fn essence(media_type: &str) -> (String, Vec<(String, String)>) {
    let mut parts = media_type.split(';');
    let essence = parts.next().unwrap_or_default().trim().to_ascii_lowercase();
    let parameters = parts
        .filter_map(|part| part.split_once('='))
        .map(|(key, value)| {
            let value = value.trim().trim_matches('"').to_owned();
            (key.trim().to_ascii_lowercase(), value)
        })
        .collect();
    (essence, parameters)
}
