//! Every refusal: its status, its issue codes and when it comes. Statuses and
//! codes are those of [`Kind`]. <https://hl7.org/fhir/R4/http.html#Status-Codes>

use serde_json::{Map, Value, json};

use super::reference;
use crate::fhir::outcome::{Failure, Kind};

/// The component for refusals that are not named at an operation.
const ANY: &str = "Failure";

/// Name of the component; kinds of one status, and when each comes.
const FAILURES: [(&str, &[(Kind, &str)]); 18] = [
    (
        "BadRequest",
        &[
            (
                Kind::Structure,
                "The content is not JSON, is not the resource of the address, or has an unknown element or one of the wrong JSON type.",
            ),
            (
                Kind::Value,
                "A parameter, a header or an element has a value that is not allowed.",
            ),
            (
                Kind::CodeInvalid,
                "A code is not in the value set that its element is bound to.",
            ),
            (
                Kind::NotSupported,
                "A parameter or modifier is not known here.",
            ),
            (
                Kind::Required,
                "Content, a required element, an id or a search condition is missing.",
            ),
        ],
    ),
    (
        "Unauthenticated",
        &[(
            Kind::Unauthenticated,
            "There is no bearer token, or it does not count. `WWW-Authenticate` says which.",
        )],
    ),
    (
        "Forbidden",
        &[(Kind::Forbidden, "The caller may not do this.")],
    ),
    (
        "NotFound",
        &[(
            Kind::NotFound,
            "There is no such resource, version, type or address.",
        )],
    ),
    (
        "MethodNotAllowed",
        &[(
            Kind::MethodNotAllowed,
            "The address does not have this method.",
        )],
    ),
    (
        "NotAcceptable",
        &[(
            Kind::NotAcceptable,
            "`Accept` or `_format` asks for something else than FHIR JSON of R4.",
        )],
    ),
    (
        "Conflict",
        &[(
            Kind::Conflict,
            "Other requests kept writing the same resource, or the id belongs to another one. Nothing was written.",
        )],
    ),
    (
        "Gone",
        &[(
            Kind::Deleted,
            "The resource was deleted, or this version is its deletion. Earlier versions stay readable.",
        )],
    ),
    (
        "PreconditionFailed",
        &[
            (
                Kind::VersionConflict,
                "`If-Match` names another version than the current one, or `If-None-Match: *` met an existing resource.",
            ),
            (
                Kind::MultipleMatches,
                "The condition matches more than one resource.",
            ),
        ],
    ),
    (
        "TooSlow",
        &[(
            Kind::TooSlow,
            "The content did not arrive in time. Nothing was written.",
        )],
    ),
    (
        "TooMany",
        &[(
            Kind::TooMany,
            "Too many requests of this caller or address; Retry-After says when to try again.",
        )],
    ),
    (
        "TooLarge",
        &[(
            Kind::TooLarge,
            "The content, its nesting, its number of entries or the result of includes is over a limit.",
        )],
    ),
    (
        "UriTooLong",
        &[(
            Kind::UriTooLong,
            "The address is too long. Search by POST to `_search`.",
        )],
    ),
    (
        "UnsupportedMediaType",
        &[(
            Kind::UnsupportedMediaType,
            "`Content-Type` is missing or is not the one this method takes.",
        )],
    ),
    (
        "BusinessRule",
        &[(
            Kind::BusinessRule,
            "The content is well formed and breaks a rule, or the patch cannot be applied. Nothing was written.",
        )],
    ),
    (
        "Internal",
        &[(
            Kind::Internal,
            "A fault of the service. The content says nothing of its inside.",
        )],
    ),
    (
        "Unavailable",
        &[(
            Kind::Unavailable,
            "The database does not answer. Try again.",
        )],
    ),
    (ANY, &[]),
];

pub fn responses() -> Map<String, Value> {
    let responses = FAILURES.iter().map(|(name, kinds)| {
        let response = match kinds.first() {
            Some((first, when)) => response(&describe(kinds), Some((*first, when))),
            None => response("Any other refusal, such as 403 or 405.", None),
        };
        ((*name).to_owned(), response)
    });
    responses.collect()
}

/// Points at the component of this status.
pub fn refusal(status: u16) -> Value {
    let named = FAILURES.iter().find(|(_, kinds)| {
        let first = kinds.first();
        first.is_some_and(|(kind, _)| kind.status() == status)
    });
    reference("responses", named.map_or(ANY, |(name, _)| name))
}

pub fn any_other() -> Value {
    reference("responses", ANY)
}

fn describe(kinds: &[(Kind, &str)]) -> String {
    let lines = kinds
        .iter()
        .map(|(kind, when)| format!("`{}`: {when}", kind.code()));
    lines.collect::<Vec<_>>().join("\n\n")
}

fn response(description: &str, example: Option<(Kind, &str)>) -> Value {
    let mut media = json!({"schema": reference("schemas", "OperationOutcome")});
    if let (Some((kind, text)), Some(media)) = (example, media.as_object_mut()) {
        media.insert("example".to_owned(), Failure::new(kind, text).to_json());
    }
    json!({"description": description, "content": {"application/fhir+json": media}})
}
