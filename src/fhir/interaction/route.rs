//! Every address below the base, on one page. HTTP requests and the entries of
//! a bundle are read here alike. <https://hl7.org/fhir/R4/http.html#summary>

use super::super::admission::refuse_closed;
use super::super::engine::Engine;
use super::super::operation::Target;
use super::super::outcome::{Failure, Kind};
use super::super::request::{Request, Verb};
use super::super::validate::id;
use crate::store::{HistoryOf, ResourceKey};

#[derive(Clone, Debug, PartialEq)]
pub enum Interaction {
    Capabilities,
    /// POST of a Bundle to the base.
    Bundle,
    Read(ResourceKey),
    Vread(ResourceKey, i64),
    Create(String),
    Update(ResourceKey),
    ConditionalUpdate(String),
    Patch(ResourceKey),
    ConditionalPatch(String),
    Delete(ResourceKey),
    ConditionalDelete(String),
    History(HistoryOf),
    Search(SearchIn),
    /// `Patient/{id}/$everything`
    Everything(ResourceKey),
    /// An operation that is registered for this target, by its name.
    Operation(Target, &'static str),
}

/// Where a search looks.
#[derive(Clone, Debug, PartialEq)]
pub enum SearchIn {
    System,
    Type(String),
    /// The compartment of this resource, one type of it or (`*`) all.
    Compartment(ResourceKey, Option<String>),
}

/// Finds the interaction, or says which methods the address has.
pub fn route(engine: &Engine, request: &Request) -> Result<Interaction, Failure> {
    let interaction = find(engine, request)?;
    let (written, is_deletion) = match &interaction {
        Interaction::Create(name)
        | Interaction::ConditionalUpdate(name)
        | Interaction::ConditionalPatch(name) => (name, false),
        Interaction::ConditionalDelete(name) => (name, true),
        Interaction::Update(key) | Interaction::Patch(key) => (&key.resource_type, false),
        Interaction::Delete(key) => (&key.resource_type, true),
        _ => return Ok(interaction),
    };
    refuse_closed(written, is_deletion)?;
    Ok(interaction)
}

fn find(engine: &Engine, request: &Request) -> Result<Interaction, Failure> {
    let segments: Vec<&str> = request.path.iter().map(String::as_str).collect();
    match segments.as_slice() {
        [] => system(request.verb),
        ["metadata"] => only(request.verb, Verb::Get, Interaction::Capabilities),
        ["_history"] => only(
            request.verb,
            Verb::Get,
            Interaction::History(HistoryOf::System),
        ),
        ["_search"] => only(
            request.verb,
            Verb::Post,
            Interaction::Search(SearchIn::System),
        ),
        [name] if name.starts_with('$') => operation(engine, request.verb, Target::System, name),
        [name, rest @ ..] => {
            known(engine, name)?;
            match rest {
                [] => of_type(request.verb, name),
                ["_history"] => only(
                    request.verb,
                    Verb::Get,
                    Interaction::History(HistoryOf::Type((*name).to_owned())),
                ),
                ["_search"] => only(
                    request.verb,
                    Verb::Post,
                    Interaction::Search(SearchIn::Type((*name).to_owned())),
                ),
                [code] if code.starts_with('$') => {
                    let target = Target::Type((*name).to_owned());
                    operation(engine, request.verb, target, code)
                }
                [id, rest @ ..] => of_instance(engine, request.verb, name, id, rest),
            }
        }
    }
}

fn system(verb: Verb) -> Result<Interaction, Failure> {
    match verb {
        Verb::Get => Ok(Interaction::Search(SearchIn::System)),
        Verb::Post => Ok(Interaction::Bundle),
        _ => Err(not_allowed(verb, &[Verb::Get, Verb::Post])),
    }
}

fn of_type(verb: Verb, name: &str) -> Result<Interaction, Failure> {
    let name = name.to_owned();
    Ok(match verb {
        Verb::Get => Interaction::Search(SearchIn::Type(name)),
        Verb::Post => Interaction::Create(name),
        Verb::Put => Interaction::ConditionalUpdate(name),
        Verb::Patch => Interaction::ConditionalPatch(name),
        Verb::Delete => Interaction::ConditionalDelete(name),
    })
}

fn of_instance(
    engine: &Engine,
    verb: Verb,
    name: &str,
    logical_id: &str,
    rest: &[&str],
) -> Result<Interaction, Failure> {
    if !id::is_legal(logical_id) {
        let (kind, what) = match verb {
            Verb::Put => (Kind::Value, "A resource cannot have this id."),
            _ => (Kind::NotFound, "There is no resource with this id."),
        };
        let text = format!("{what} An id has 1 to 64 letters, digits, '-' and '.'.");
        return Err(Failure::new(kind, text));
    }
    let key = ResourceKey::new(name, logical_id);
    match rest {
        [] => match verb {
            Verb::Get => Ok(Interaction::Read(key)),
            Verb::Put => Ok(Interaction::Update(key)),
            Verb::Patch => Ok(Interaction::Patch(key)),
            Verb::Delete => Ok(Interaction::Delete(key)),
            Verb::Post => Err(not_allowed(
                verb,
                &[Verb::Get, Verb::Put, Verb::Patch, Verb::Delete],
            )),
        },
        ["_history"] => only(
            verb,
            Verb::Get,
            Interaction::History(HistoryOf::Instance(key)),
        ),
        ["_history", version] => match version.parse::<i64>() {
            Ok(version) if version > 0 => only(verb, Verb::Get, Interaction::Vread(key, version)),
            _ => Err(Failure::new(
                Kind::NotFound,
                format!("There is no such version of {key}. Versions are numbered 1, 2, 3 …"),
            )),
        },
        ["$everything"] if name == "Patient" => match verb {
            Verb::Get | Verb::Post => Ok(Interaction::Everything(key)),
            _ => Err(not_allowed(verb, &[Verb::Get, Verb::Post])),
        },
        [code] if code.starts_with('$') => operation(engine, verb, Target::Instance(key), code),
        [member] | [member, "_search"] => {
            let search = compartment(engine, key, member)?;
            let by = if rest.len() == 1 {
                Verb::Get
            } else {
                Verb::Post
            };
            only(verb, by, Interaction::Search(search))
        }
        _ => Err(Failure::new(
            Kind::NotFound,
            "There is nothing at this address. See /metadata for what there is.",
        )),
    }
}

/// "Operations that affect the state are invoked by POST only."
/// <https://hl7.org/fhir/R4/operations.html#executing>
fn operation(
    engine: &Engine,
    verb: Verb,
    target: Target,
    code: &str,
) -> Result<Interaction, Failure> {
    let registered = engine.operations.iter().map(|one| one.definition());
    let found = registered
        .filter(|definition| code.strip_prefix('$') == Some(definition.name))
        .find(|definition| definition.is_for(&target));
    let Some(definition) = found else {
        return Err(no_operation());
    };
    match verb {
        Verb::Post => {}
        Verb::Get if !definition.affects_state => {}
        _ if definition.affects_state => return Err(not_allowed(verb, &[Verb::Post])),
        _ => return Err(not_allowed(verb, &[Verb::Get, Verb::Post])),
    }
    Ok(Interaction::Operation(target, definition.name))
}

fn compartment(engine: &Engine, key: ResourceKey, member: &str) -> Result<SearchIn, Failure> {
    let Some(compartment) = engine.definitions.compartment(&key.resource_type) else {
        return Err(Failure::new(
            Kind::NotFound,
            format!(
                "{} has no compartment. Patient, Encounter, Practitioner, RelatedPerson and Device have.",
                key.resource_type
            ),
        ));
    };
    if member == "*" {
        return Ok(SearchIn::Compartment(key, None));
    }
    known(engine, member)?;
    if !compartment.members.contains_key(member) {
        return Err(Failure::new(
            Kind::NotFound,
            format!(
                "{member} is never in the compartment of a {}.",
                key.resource_type
            ),
        ));
    }
    Ok(SearchIn::Compartment(key, Some(member.to_owned())))
}

/// Refuses a type this service does not have.
pub fn known(engine: &Engine, name: &str) -> Result<(), Failure> {
    if engine.exposes(name) {
        return Ok(());
    }
    let text = if engine.definitions.is_resource_type(name) {
        format!("This service does not keep {name} resources. See /metadata for those it keeps.")
    } else {
        "This is not a resource type of FHIR R4. Type names are case-sensitive: Patient.".to_owned()
    };
    Err(Failure::new(Kind::NotFound, text))
}

fn only(verb: Verb, wanted: Verb, interaction: Interaction) -> Result<Interaction, Failure> {
    if verb == wanted {
        Ok(interaction)
    } else {
        Err(not_allowed(verb, &[wanted]))
    }
}

fn not_allowed(verb: Verb, allowed: &[Verb]) -> Failure {
    let names: Vec<_> = allowed.iter().map(|verb| verb.code()).collect();
    let text = format!(
        "{} is not possible at this address; it has {}.",
        verb.code(),
        names.join(", ")
    );
    Failure::not_allowed(text, allowed)
}

fn no_operation() -> Failure {
    Failure::new(
        Kind::NotFound,
        "There is no such operation here. See /metadata for the operations of each type.",
    )
}
