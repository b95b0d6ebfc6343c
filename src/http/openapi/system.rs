//! What concerns no single type, and the operation of Patient.
//! <https://hl7.org/fhir/R4/http.html#transaction>

use super::answer::{Answer, Content};
use super::body::Body;
use super::interaction::{
    BUNDLE_VIEW, HISTORY, Interaction, LAYOUT, PLAIN, SEARCH, SEARCH_FORM, SEARCH_TYPE, VIEW,
};

/// Below the base.
pub const OF_SYSTEM: [Interaction; 5] = [
    Interaction {
        name: "searchSystem",
        summary: "Search all types, or those of `_type`",
        text: "AuditEvents are found only where `_type` names them. https://hl7.org/fhir/R4/http.html#search",
        parameters: &[&["_type"], SEARCH, BUNDLE_VIEW],
        refusals: &[400, 413],
        ..SEARCH_TYPE
    },
    Interaction {
        name: "bundle",
        verb: "post",
        summary: "Batch or transaction",
        text: "A transaction happens as a whole or not at all: a refusal names the entry it comes from. The entries of a batch are judged one by one, and the answer is 200 whatever became of them. https://hl7.org/fhir/R4/http.html#transaction",
        parameters: &[LAYOUT, &["Prefer-return"]],
        body: Body::Bundle,
        answers: &[Answer::new(
            200,
            "A batch-response or transaction-response with one entry for each.",
            Content::Responses,
        )],
        refusals: &[400, 404, 409, 410, 412, 413, 415, 422],
        ..PLAIN
    },
    Interaction {
        name: "searchSystemByForm",
        summary: "Search all types, the parameters in a form",
        refusals: &[400, 413, 415],
        ..SEARCH_FORM
    },
    Interaction {
        name: "historyOfSystem",
        below: "/_history",
        summary: "Versions of everything, newest first",
        text: "AuditEvents are among them only where `_type` names them. https://hl7.org/fhir/R4/http.html#history",
        parameters: &[&["_type"], HISTORY, BUNDLE_VIEW],
        refusals: &[400],
        ..PLAIN
    },
    Interaction {
        name: "capabilities",
        below: "/metadata",
        summary: "What this service can do",
        text: "https://hl7.org/fhir/R4/http.html#capabilities",
        parameters: &[&["mode"], VIEW],
        answers: &[Answer::new(
            200,
            "The CapabilityStatement.",
            Content::Capabilities,
        )],
        refusals: &[400],
        ..PLAIN
    },
];

/// Below `/Patient/{id}`.
pub const EVERYTHING: [Interaction; 2] = [
    Interaction {
        name: "everything",
        below: "/$everything",
        summary: "The whole record of a patient",
        text: "The patient's compartment and what it refers to. https://hl7.org/fhir/R4/patient-operation-everything.html",
        parameters: &[
            &["start", "end", "_since", "_type", "_count", "_cursor"],
            BUNDLE_VIEW,
        ],
        refusals: &[400, 404, 410],
        ..PLAIN
    },
    Interaction {
        name: "everythingByParameters",
        verb: "post",
        below: "/$everything",
        summary: "The whole record of a patient, asked for with a Parameters resource",
        text: "https://hl7.org/fhir/R4/patient-operation-everything.html",
        parameters: &[LAYOUT],
        body: Body::Parameters,
        refusals: &[400, 404, 410, 413, 415],
        ..PLAIN
    },
];
