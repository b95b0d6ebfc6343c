//! The answer to one request, still without its transport.

use super::audit::{Event, Shown};
use super::outcome::{Failure, Issue, outcome};
use super::request::Verb;
use super::resource;
use crate::store::{ResourceKey, Stored};

#[derive(Clone, Debug, Default, PartialEq)]
pub struct Answer {
    pub status: u16,
    /// FHIR JSON.
    pub content: Option<String>,
    /// For `ETag`.
    pub version: Option<i64>,
    /// For `Last-Modified`, microseconds since 1970.
    pub updated: Option<i64>,
    /// For `Allow`.
    pub allowed: Vec<Verb>,
    /// Relative to the base: `Patient/1/_history/2`.
    pub location: Option<String>,
    /// The versions that the content shows.
    pub shown: Vec<Shown>,
    /// A commit has recorded it in the audit trail.
    pub recorded: bool,
    /// What is still to be recorded before anybody sees the answer.
    pub events: Vec<Event>,
}

impl Answer {
    pub fn content(status: u16, content: String) -> Self {
        Self {
            status,
            content: Some(content),
            ..Self::default()
        }
    }

    /// A stored version as it is.
    pub fn stored(status: u16, stored: &Stored) -> Self {
        Self {
            status,
            content: resource::render(stored),
            version: Some(stored.version),
            updated: Some(stored.updated),
            location: Some(location(&stored.key, stored.version)),
            shown: vec![stored.into()],
            ..Self::default()
        }
    }

    /// The same, with what its content shows.
    pub fn showing<'s>(mut self, rows: impl IntoIterator<Item = &'s Stored>) -> Self {
        self.shown.extend(rows.into_iter().map(Shown::from));
        self
    }

    pub fn issues(status: u16, issues: &[Issue]) -> Self {
        Self::content(status, outcome(issues).to_string())
    }
}

impl From<Failure> for Answer {
    fn from(failure: Failure) -> Self {
        let answer = Self::content(failure.status(), failure.to_json().to_string());
        Self {
            allowed: failure.allowed,
            ..answer
        }
    }
}

/// The address of one version, relative to the base.
pub fn location(key: &ResourceKey, version: i64) -> String {
    format!("{key}/_history/{version}")
}

/// `W/"3"`, <https://hl7.org/fhir/R4/http.html#versioning>
pub fn etag(version: i64) -> String {
    format!("W/\"{version}\"")
}
