//! The interactions of a resource type, written once for the types spelled out
//! and for all others. <https://hl7.org/fhir/R4/http.html>

use super::answer::{Answer, CREATED, Content, TAG, VERSION};
use super::body::Body;
use super::interaction::{
    BUNDLE_VIEW, HISTORY, Interaction, PLAIN, SEARCH_FORM, SEARCH_TYPE, VIEW,
};

const CACHED: &[&str] = &["If-None-Match", "If-Modified-Since"];
const WRITE: &[&str] = &["_format", "Prefer-return"];
const GUARDED: &[&str] = &["_format", "Prefer-return", "If-Match"];

const UPDATED: Answer =
    Answer::new(200, "A new version was written.", Content::Written).with(VERSION);
const MADE: Answer = Answer::new(201, "The resource was created.", Content::Written).with(CREATED);
const DELETED: Answer = Answer::new(
    204,
    "Deleted, or there was nothing to delete.",
    Content::Nothing,
)
.with(TAG);
const DELETED_SAID: Answer = Answer::new(
    200,
    "The same, with `Prefer: return=OperationOutcome`.",
    Content::Outcome,
)
.with(TAG);

/// Below the type.
pub const OF_TYPE: [Interaction; 13] = [
    SEARCH_TYPE,
    Interaction {
        name: "create",
        verb: "post",
        summary: "{}: create",
        text: "The service gives the id. https://hl7.org/fhir/R4/http.html#create",
        parameters: &[WRITE, &["If-None-Exist"]],
        body: Body::Resource,
        answers: &[
            MADE,
            Answer::new(
                200,
                "`If-None-Exist` matched this one; nothing was written.",
                Content::Written,
            )
            .with(VERSION),
        ],
        refusals: &[400, 404, 409, 412, 413, 415, 422],
        ..PLAIN
    },
    Interaction {
        name: "conditionalUpdate",
        verb: "put",
        summary: "{}: update what a condition names",
        text: "One match: it is updated. None: the resource is created. At least one search parameter is needed. https://hl7.org/fhir/R4/http.html#cond-update",
        parameters: &[GUARDED],
        criteria: true,
        body: Body::Resource,
        answers: &[UPDATED, MADE],
        refusals: &[400, 404, 409, 412, 413, 415, 422],
        ..PLAIN
    },
    Interaction {
        name: "conditionalPatch",
        verb: "patch",
        summary: "{}: patch what a condition names",
        text: "Without a match: 404. At least one search parameter is needed. https://hl7.org/fhir/R4/http.html#patch",
        parameters: &[GUARDED],
        criteria: true,
        body: Body::JsonPatch,
        answers: &[UPDATED],
        refusals: &[400, 404, 409, 410, 412, 413, 415, 422],
        ..PLAIN
    },
    Interaction {
        name: "conditionalDelete",
        verb: "delete",
        summary: "{}: delete what a condition names",
        text: "Deletes one resource; more than one match: 412. At least one search parameter is needed. https://hl7.org/fhir/R4/http.html#delete",
        parameters: &[GUARDED],
        criteria: true,
        answers: &[DELETED, DELETED_SAID],
        refusals: &[400, 404, 409, 412, 422],
        ..PLAIN
    },
    SEARCH_FORM,
    Interaction {
        name: "historyOfType",
        below: "/_history",
        summary: "{}: versions of all, newest first",
        text: "https://hl7.org/fhir/R4/http.html#history",
        parameters: &[HISTORY, BUNDLE_VIEW],
        ..PLAIN
    },
    Interaction {
        name: "read",
        below: "/{id}",
        summary: "{}: read the current version",
        text: "https://hl7.org/fhir/R4/http.html#read",
        parameters: &[CACHED, VIEW],
        answers: &[
            Answer::new(200, "The current version.", Content::Resource).with(VERSION),
            Answer::new(
                304,
                "The version the client has is current.",
                Content::Nothing,
            )
            .with(VERSION),
        ],
        refusals: &[400, 404, 410],
        ..PLAIN
    },
    Interaction {
        name: "update",
        verb: "put",
        below: "/{id}",
        summary: "{}: update, or create under this id",
        text: "The content is the whole resource and names the same id. https://hl7.org/fhir/R4/http.html#update",
        parameters: &[GUARDED, &["If-None-Match-any"]],
        body: Body::Resource,
        answers: &[UPDATED, MADE],
        refusals: &[400, 404, 409, 412, 413, 415, 422],
        ..PLAIN
    },
    Interaction {
        name: "patch",
        verb: "patch",
        below: "/{id}",
        summary: "{}: change parts",
        text: "https://hl7.org/fhir/R4/http.html#patch",
        parameters: &[GUARDED],
        body: Body::JsonPatch,
        answers: &[UPDATED],
        refusals: &[400, 404, 409, 410, 412, 413, 415, 422],
        ..PLAIN
    },
    Interaction {
        name: "delete",
        verb: "delete",
        below: "/{id}",
        summary: "{}: delete",
        text: "Past versions stay readable. Deleting what is not there succeeds. https://hl7.org/fhir/R4/http.html#delete",
        parameters: &[GUARDED],
        answers: &[DELETED, DELETED_SAID],
        refusals: &[400, 404, 409, 412, 422],
        ..PLAIN
    },
    Interaction {
        name: "historyOfInstance",
        below: "/{id}/_history",
        summary: "{}: versions of one, newest first",
        text: "https://hl7.org/fhir/R4/http.html#history",
        parameters: &[HISTORY, BUNDLE_VIEW],
        ..PLAIN
    },
    Interaction {
        name: "vread",
        below: "/{id}/_history/{version}",
        summary: "{}: read one version",
        text: "https://hl7.org/fhir/R4/http.html#vread",
        parameters: &[VIEW],
        answers: &[Answer::new(200, "The version.", Content::Resource).with(VERSION)],
        refusals: &[400, 404, 410],
        ..PLAIN
    },
];
