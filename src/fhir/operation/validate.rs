//! `$validate`: would this content be accepted? Nothing is stored.
//! <https://hl7.org/fhir/R4/resource-operation-validate.html>

use serde_json::Value;

use super::super::answer::Answer;
use super::super::authority::Permission;
use super::super::outcome::{Failure, Issue, Kind, Severity, outcome};
use super::super::resource::Resource;
use super::super::search::path::items;
use super::super::validate;
use super::{Call, Definition, EVERY_TYPE, Level, Operation, Parameter, Target, UNCHECKED};
use crate::store::ResourceKey;

pub static VALIDATE: Definition = Definition {
    name: "validate",
    url: "http://hl7.org/fhir/OperationDefinition/Resource-validate",
    title: "Whether content is valid",
    text: "All problems of a resource against the base definitions of R4 (structure, cardinality, formats, required bindings, reference targets, invariants), as an OperationOutcome with status 200; with mode create, update or delete also whether the token may do so and the identity fits. Without content the stored resource is judged. Profiles are not checked: whoever asks for one is told so by an error. Clinical rules speak at the write itself.",
    types: EVERY_TYPE,
    levels: &[Level::Type, Level::Instance],
    affects_state: false,
    parameters: &[
        UNCHECKED,
        Parameter {
            name: "mode",
            kind: "code",
            required: false,
            codes: &["create", "update", "delete", "profile"],
            text: "What the content is meant for.",
        },
        Parameter::of(
            "profile",
            "canonical",
            false,
            "The profile to judge by; the base definition of the type is the only one there is.",
        ),
    ],
};

pub struct Validate;

#[async_trait::async_trait]
impl Operation for Validate {
    fn definition(&self) -> &'static Definition {
        &VALIDATE
    }

    async fn run(&self, call: Call<'_>) -> Result<Answer, Failure> {
        let (name, key) = match &call.target {
            Target::Type(name) => (name.as_str(), None),
            Target::Instance(key) => (key.resource_type.as_str(), Some(key)),
            Target::System => return Err(nothing_to_judge()),
        };
        let mode = call.arguments.text("mode").unwrap_or_default();
        permitted(&call, name, mode)?;
        let mut issues = match (call.arguments.resource(UNCHECKED.name), key) {
            (Some(resource), _) => of_content(&call, resource, name, key, mode),
            (None, Some(key)) => of_stored(&call, key, mode).await?,
            (None, None) => return Err(nothing_to_judge()),
        };
        issues.extend(of_profile(&call, name));
        if issues.iter().all(|issue| issue.severity != Severity::Error) {
            issues.push(Issue {
                severity: Severity::Information,
                code: "informational",
                expression: None,
                text: format!("No problem found: the content is a {name} of R4."),
            });
        }
        Ok(Answer::content(200, outcome(&issues).to_string()))
    }
}

fn nothing_to_judge() -> Failure {
    Failure::new(
        Kind::Required,
        "$validate needs the resource in the content, or the address of a stored one.",
    )
}

/// "Validating that the content would be acceptable as a create to the server
/// (e.g. no business rule violations)": by whoever asks.
fn permitted(call: &Call<'_>, name: &str, mode: &str) -> Result<(), Failure> {
    let allowed = |permission| call.authority.scope(permission, Some(name)).map(|_| ());
    match mode {
        "create" => allowed(Permission::Create),
        "update" => allowed(Permission::Update),
        "delete" => allowed(Permission::Delete),
        _ => allowed(Permission::Read)
            .or_else(|_| allowed(Permission::Create))
            .or_else(|_| allowed(Permission::Update)),
    }
}

fn of_content(
    call: &Call<'_>,
    resource: &Resource,
    name: &str,
    key: Option<&ResourceKey>,
    mode: &str,
) -> Vec<Issue> {
    let mut issues = validate::check(call.engine.definitions, &resource.content);
    if resource.resource_type != name {
        let text = format!("The address is that of {name}, the content is not.");
        issues.push(Issue::error(Kind::Structure, text).at("resourceType"));
    }
    match (mode, key, resource.id()) {
        ("update", _, None) => {
            let text = "An update names the resource: give its id.";
            issues.push(Issue::error(Kind::Required, text).at(format!("{name}.id")));
        }
        ("update", Some(key), Some(id)) if id != key.id => {
            let text = "The id differs from that of the address.";
            issues.push(Issue::error(Kind::Value, text).at(format!("{name}.id")));
        }
        _ => {}
    }
    let meta = resource.content.get("meta").and_then(Value::as_object);
    let profiles = meta.into_iter().flat_map(|meta| items(meta, "profile"));
    issues.extend(profiles.filter_map(Value::as_str).map(|profile| {
        let text = format!("Whether the content keeps to {profile} was not checked.");
        Issue::warning(Kind::NotSupported, text).at(format!("{name}.meta.profile"))
    }));
    issues
}

/// "Delete: the resource id is supplied by the address."
async fn of_stored(call: &Call<'_>, key: &ResourceKey, mode: &str) -> Result<Vec<Issue>, Failure> {
    let version = call.records().read(key).await?;
    if mode == "delete" {
        return Ok(Vec::new());
    }
    let name = key.resource_type.as_str();
    Ok(of_content(call, &version.resource, name, Some(key), mode))
}

/// An answer without an error would say that the profile is kept to.
fn of_profile(call: &Call<'_>, name: &str) -> Option<Issue> {
    let profile = call.arguments.text("profile")?;
    let (url, _version) = profile.split_once('|').unwrap_or((profile, ""));
    if url.strip_prefix("http://hl7.org/fhir/StructureDefinition/") == Some(name) {
        return None;
    }
    let text = "Profiles are not checked here, so that nothing is said about this one; the base definition was checked.";
    Some(Issue::error(Kind::NotSupported, text))
}
