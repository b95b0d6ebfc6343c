//! The form of an interaction, and what several have in common.
//! <https://hl7.org/fhir/R4/http.html>

use super::answer::{Answer, Content};
use super::body::Body;

/// One method at one address below a place.
pub struct Interaction {
    /// Begins the operationId.
    pub name: &'static str,
    pub verb: &'static str,
    /// Behind the path of the place.
    pub below: &'static str,
    /// `{}` stands for the type.
    pub summary: &'static str,
    pub text: &'static str,
    /// Components of parameters, in groups.
    pub parameters: &'static [&'static [&'static str]],
    /// Takes the search parameters of the type.
    pub criteria: bool,
    pub body: Body,
    pub answers: &'static [Answer],
    /// Statuses of refusals besides those of every interaction.
    pub refusals: &'static [u16],
}

pub const LAYOUT: &[&str] = &["_format", "_pretty"];
pub const VIEW: &[&str] = &["resource-summary", "_elements", "_format", "_pretty"];
pub const BUNDLE_VIEW: &[&str] = &["_summary", "_elements", "_format", "_pretty"];
pub const HISTORY: &[&str] = &["_since", "_at", "_count", "_cursor"];
pub const SEARCH: &[&str] = &[
    "_sort",
    "_count",
    "_include",
    "_revinclude",
    "_total",
    "_contained",
    "_list",
    "_cursor",
    "Prefer-handling",
];
pub const PAGE: Answer = Answer::new(200, "A page; `next` leads on.", Content::Page);

/// Most members of most interactions.
pub const PLAIN: Interaction = Interaction {
    name: "",
    verb: "get",
    below: "",
    summary: "",
    text: "",
    parameters: &[],
    criteria: false,
    body: Body::None,
    answers: &[PAGE],
    refusals: &[400, 404],
};

pub const SEARCH_TYPE: Interaction = Interaction {
    name: "search",
    summary: "{}: search",
    text: "https://hl7.org/fhir/R4/http.html#search",
    parameters: &[SEARCH, BUNDLE_VIEW],
    criteria: true,
    refusals: &[400, 404, 413],
    ..PLAIN
};

pub const SEARCH_FORM: Interaction = Interaction {
    name: "searchByForm",
    verb: "post",
    below: "/_search",
    summary: "{}: search, the parameters in a form",
    text: "Keeps the parameters out of addresses and logs. https://hl7.org/fhir/R4/http.html#search",
    parameters: &[&["Prefer-handling"]],
    body: Body::Form,
    refusals: &[400, 404, 413, 415],
    ..PLAIN
};
