//! References as one text for each target.
//! <https://hl7.org/fhir/R4/search.html#reference>, <https://hl7.org/fhir/R4/references.html#literal>

use serde_json::{Map, Value};

use super::path::text;
use crate::fhir::literal_reference::{LiteralReference, OwnAddress, is_type_name, read_reference};
use crate::fhir::validate::id;
use crate::store::ResourceKey;

/// The address of this service; references below it are relative ones.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Base {
    prefix: String,
    pub own: Option<OwnAddress>,
}

impl Base {
    pub fn new(url: &str) -> Self {
        Self {
            prefix: format!("{}/", url.trim_end_matches('/')),
            own: OwnAddress::from_base_url(url),
        }
    }

    /// What a text refers to, in whichever way it is written.
    pub fn read<'t>(&self, text: &'t str) -> LiteralReference<'t> {
        read_reference(self.own.as_ref(), text)
    }

    /// `Type/id` of a local record, without its version; other addresses as they are.
    /// Nothing for what is contained.
    pub fn target(&self, text: &str) -> Option<String> {
        match self.read(text) {
            LiteralReference::Contained => None,
            LiteralReference::Local(key, _) => Some(key.to_string()),
            LiteralReference::Elsewhere(address) => Some(unversioned(&address).to_owned()),
            // Stored before it was refused: found by its text.
            LiteralReference::Criteria(..) | LiteralReference::Wrong(_) => {
                let text = unversioned(text.trim());
                (!text.is_empty()).then(|| text.to_owned())
            }
        }
    }

    /// The same for a text that is canonical already, as all are that are stored.
    pub fn normalise<'t>(&self, reference: &'t str) -> Option<&'t str> {
        let reference = reference.trim();
        if reference.is_empty() || reference.starts_with('#') {
            return None;
        }
        let reference = reference.strip_prefix(&self.prefix).unwrap_or(reference);
        Some(unversioned(reference))
    }
}

fn unversioned(reference: &str) -> &str {
    reference
        .split_once("/_history/")
        .map_or(reference, |(reference, _version)| reference)
}

/// `Patient` of `Patient/1` and of `http://example.org/fhir/Patient/1`.
pub fn literal_type(reference: &str) -> Option<&str> {
    let mut segments = unversioned(reference).rsplit('/');
    let _id = segments.next()?;
    segments
        .next()
        .filter(|name| name.starts_with(|c: char| c.is_ascii_uppercase()))
}

/// The type of a Reference's target, as far as the Reference tells.
pub fn type_of(reference: &Map<String, Value>) -> Option<&str> {
    text(reference, "reference")
        .and_then(literal_type)
        .or_else(|| text(reference, "type"))
}

/// `Type/id` of something on this service.
pub fn local(normalised: &str) -> Option<ResourceKey> {
    let (resource_type, id) = normalised.split_once('/')?;
    (is_type_name(resource_type) && id::is_legal(id)).then(|| ResourceKey::new(resource_type, id))
}

/// What one value of a reference parameter points at.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Targets {
    pub texts: Vec<String>,
    /// The logical identifier: system (or nothing) and value.
    pub identifier: Option<(String, String)>,
}

/// The targets of a Reference, a canonical, a uri or an inline resource.
pub fn targets(base: &Base, leaf: &str, value: &Value) -> Targets {
    match value {
        Value::String(canonical) => of_canonical(base, canonical),
        Value::Object(resource) if leaf == "Resource" => Targets {
            texts: text(resource, "resourceType")
                .zip(text(resource, "id"))
                .map(|(resource_type, id)| format!("{resource_type}/{id}"))
                .into_iter()
                .collect(),
            identifier: None,
        },
        Value::Object(reference) => of_reference(base, reference),
        _ => Targets::default(),
    }
}

fn of_reference(base: &Base, reference: &Map<String, Value>) -> Targets {
    let identifier = reference.get("identifier").and_then(Value::as_object);
    Targets {
        texts: text(reference, "reference")
            .and_then(|text| base.target(text))
            .into_iter()
            .collect(),
        identifier: identifier.and_then(|identifier| {
            let system = text(identifier, "system").unwrap_or_default();
            Some((system.to_owned(), text(identifier, "value")?.to_owned()))
        }),
    }
}

/// A canonical is found with and without its version.
fn of_canonical(base: &Base, canonical: &str) -> Targets {
    let (url, version) = match canonical.split_once('|') {
        Some((url, version)) => (url, Some(version)),
        None => (canonical, None),
    };
    let url = base.target(url);
    let whole = url
        .as_ref()
        .zip(version)
        .map(|(url, version)| format!("{url}|{version}"));
    Targets {
        texts: whole.into_iter().chain(url).collect(),
        identifier: None,
    }
}

/// A canonical is found with and without its version.
pub fn with_and_without_version(canonical: &str) -> impl Iterator<Item = &str> {
    let bare = canonical.split_once('|').map(|(url, _version)| url);
    std::iter::once(canonical).chain(bare)
}
