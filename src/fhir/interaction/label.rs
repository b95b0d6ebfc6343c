//! What operators may know of a request: names from short, fixed lists, never
//! an id or a value. Interactions are called as in
//! <https://hl7.org/fhir/R4/valueset-system-restful-interaction.html>.

use serde_json::Value;

use super::super::definitions::Definitions;
use super::super::engine::Engine;
use super::super::operation::Target;
use super::super::request::{Content, Request};
use super::route::{Interaction, SearchIn, route};
use crate::store::HistoryOf;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Label {
    /// `read`, `search-type`, …
    pub interaction: &'static str,
    pub resource_type: Option<&'static str>,
    /// Below the base, with its parts named: `/{type}/{id}`.
    pub route: &'static str,
}

/// `None` where the request leads to no interaction.
pub fn label(engine: &Engine, request: &Request) -> Option<Label> {
    let interaction = route(engine, request).ok()?;
    let (name, template) = names(&interaction, request);
    Some(Label {
        interaction: name,
        resource_type: type_of(&interaction).and_then(|name| known_type(engine.definitions, name)),
        route: template,
    })
}

/// The same name, for as long as the program runs.
pub fn known_type(definitions: &'static Definitions, name: &str) -> Option<&'static str> {
    let types = &definitions.resource_types;
    let index = types
        .binary_search_by(|known| known.as_str().cmp(name))
        .ok()?;
    types.get(index).map(String::as_str)
}

fn names(interaction: &Interaction, request: &Request) -> (&'static str, &'static str) {
    match interaction {
        Interaction::Capabilities => ("capabilities", "/metadata"),
        Interaction::Bundle => (kind_of_bundle(&request.content), "/"),
        Interaction::Read(_) => ("read", "/{type}/{id}"),
        Interaction::Vread(..) => ("vread", "/{type}/{id}/_history/{vid}"),
        Interaction::Create(_) => ("create", "/{type}"),
        Interaction::Update(_) => ("update", "/{type}/{id}"),
        Interaction::ConditionalUpdate(_) => ("update", "/{type}"),
        Interaction::Patch(_) => ("patch", "/{type}/{id}"),
        Interaction::ConditionalPatch(_) => ("patch", "/{type}"),
        Interaction::Delete(_) => ("delete", "/{type}/{id}"),
        Interaction::ConditionalDelete(_) => ("delete", "/{type}"),
        Interaction::History(HistoryOf::System | HistoryOf::Others(_) | HistoryOf::Types(_)) => {
            ("history-system", "/_history")
        }
        Interaction::History(HistoryOf::Type(_)) => ("history-type", "/{type}/_history"),
        Interaction::History(HistoryOf::Instance(_)) => {
            ("history-instance", "/{type}/{id}/_history")
        }
        Interaction::Search(SearchIn::System) => ("search-system", "/"),
        Interaction::Search(SearchIn::Type(_)) => ("search-type", "/{type}"),
        Interaction::Search(SearchIn::Compartment(..)) => {
            ("search-compartment", "/{compartment}/{id}/{type}")
        }
        Interaction::Everything(_) => ("everything", "/{type}/{id}/$everything"),
        Interaction::Operation(Target::System, name) => (name, "/${operation}"),
        Interaction::Operation(Target::Type(_), name) => (name, "/{type}/${operation}"),
        Interaction::Operation(Target::Instance(_), name) => (name, "/{type}/{id}/${operation}"),
    }
}

fn kind_of_bundle(content: &Content) -> &'static str {
    let Content::Resource(bundle) = content else {
        return "batch";
    };
    match bundle.get("type").and_then(Value::as_str) {
        Some("transaction") => "transaction",
        _ => "batch",
    }
}

fn type_of(interaction: &Interaction) -> Option<&str> {
    match interaction {
        Interaction::Capabilities
        | Interaction::Bundle
        | Interaction::Operation(Target::System, _)
        | Interaction::History(HistoryOf::System | HistoryOf::Others(_) | HistoryOf::Types(_))
        | Interaction::Search(SearchIn::System) => None,
        Interaction::Read(key)
        | Interaction::Vread(key, _)
        | Interaction::Update(key)
        | Interaction::Patch(key)
        | Interaction::Delete(key)
        | Interaction::History(HistoryOf::Instance(key))
        | Interaction::Everything(key)
        | Interaction::Operation(Target::Instance(key), _) => Some(&key.resource_type),
        Interaction::Create(name)
        | Interaction::ConditionalUpdate(name)
        | Interaction::ConditionalPatch(name)
        | Interaction::ConditionalDelete(name)
        | Interaction::Operation(Target::Type(name), _)
        | Interaction::History(HistoryOf::Type(name))
        | Interaction::Search(SearchIn::Type(name)) => Some(name),
        Interaction::Search(SearchIn::Compartment(key, member)) => {
            Some(member.as_deref().unwrap_or(&key.resource_type))
        }
    }
}
