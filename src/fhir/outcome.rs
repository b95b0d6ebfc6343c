//! What went wrong, in the terms of OperationOutcome, and the one table from
//! kind of failure to HTTP status.
//!
//! <https://hl7.org/fhir/R4/operationoutcome.html>,
//! <https://hl7.org/fhir/R4/http.html#Status-Codes>

use serde_json::{Value, json};

use super::request::Verb;
use crate::budget::BudgetExceeded;

/// A closed list: every refusal of the service is one of these.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// The content is not JSON, or not this resource.
    Structure,
    /// An element, a parameter or a header has a value that is not allowed.
    Value,
    /// A code that the binding of its element does not allow.
    CodeInvalid,
    /// A parameter, modifier, prefix or operation that is not supported.
    NotSupported,
    /// Something required is missing.
    Required,
    /// Nothing there, and there never was.
    NotFound,
    /// It was deleted.
    Deleted,
    /// An interaction that this address does not have.
    MethodNotAllowed,
    /// `If-Match` or `If-None-Match` did not hold.
    VersionConflict,
    /// A condition matches more than one resource.
    MultipleMatches,
    /// A conditional reference matches nothing.
    NoMatch,
    /// `If-None-Exist` and friends lost a race against another write too often, or
    /// what is asked for is taken.
    Conflict,
    /// The content is well formed and breaks a rule.
    BusinessRule,
    /// Body, nesting, entries or address over a limit.
    TooLarge,
    UriTooLong,
    /// `Content-Type` that is not FHIR JSON.
    UnsupportedMediaType,
    /// `Accept` or `_format` that is not FHIR JSON.
    NotAcceptable,
    /// No token, or one that does not count.
    Unauthenticated,
    Forbidden,
    /// More requests than this caller or address may send.
    TooMany,
    /// The content did not arrive in time.
    TooSlow,
    /// The work for one request is more than this service does.
    TooCostly,
    /// The database does not answer. Try again.
    Unavailable,
    /// A fault of this service. Its text says nothing of the inside.
    Internal,
}

impl Kind {
    /// The HTTP status of a failure of this kind.
    pub const fn status(self) -> u16 {
        match self {
            Self::Structure
            | Self::Value
            | Self::CodeInvalid
            | Self::NotSupported
            | Self::Required => 400,
            Self::Unauthenticated => 401,
            Self::Forbidden => 403,
            Self::NotFound => 404,
            Self::MethodNotAllowed => 405,
            Self::NotAcceptable => 406,
            Self::Conflict => 409,
            Self::Deleted => 410,
            Self::VersionConflict | Self::MultipleMatches | Self::NoMatch => 412,
            Self::TooSlow => 408,
            Self::TooLarge => 413,
            Self::UriTooLong => 414,
            Self::UnsupportedMediaType => 415,
            Self::BusinessRule | Self::TooCostly => 422,
            Self::TooMany => 429,
            Self::Internal => 500,
            Self::Unavailable => 503,
        }
    }

    /// <https://hl7.org/fhir/R4/valueset-issue-type.html>
    pub fn code(self) -> &'static str {
        match self {
            Self::Structure => "structure",
            Self::Value => "value",
            Self::CodeInvalid => "code-invalid",
            Self::NotSupported
            | Self::MethodNotAllowed
            | Self::UnsupportedMediaType
            | Self::NotAcceptable => "not-supported",
            Self::Required => "required",
            Self::NotFound | Self::NoMatch => "not-found",
            Self::Deleted => "deleted",
            Self::VersionConflict | Self::Conflict => "conflict",
            Self::MultipleMatches => "multiple-matches",
            Self::BusinessRule => "business-rule",
            Self::TooLarge | Self::UriTooLong => "too-long",
            Self::Unauthenticated => "login",
            Self::Forbidden => "forbidden",
            Self::TooMany => "throttled",
            Self::TooSlow => "timeout",
            Self::TooCostly => "too-costly",
            Self::Unavailable => "transient",
            Self::Internal => "exception",
        }
    }
}

/// One problem: what, where (a FHIRPath, a parameter or a header) and the remedy.
#[derive(Clone, Debug, PartialEq)]
pub struct Issue {
    pub severity: Severity,
    pub code: &'static str,
    /// FHIRPath of the place in the content.
    pub expression: Option<String>,
    pub text: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Severity {
    Error,
    Warning,
    Information,
}

impl Issue {
    pub fn error(kind: Kind, text: impl Into<String>) -> Self {
        Self {
            severity: Severity::Error,
            code: kind.code(),
            expression: None,
            text: text.into(),
        }
    }

    pub fn warning(kind: Kind, text: impl Into<String>) -> Self {
        Self {
            severity: Severity::Warning,
            ..Self::error(kind, text)
        }
    }

    pub fn at(mut self, expression: impl Into<String>) -> Self {
        self.expression = Some(expression.into());
        self
    }

    fn to_json(&self) -> Value {
        let severity = match self.severity {
            Severity::Error => "error",
            Severity::Warning => "warning",
            Severity::Information => "information",
        };
        let mut issue = json!({
            "severity": severity,
            "code": self.code,
            "diagnostics": self.text,
        });
        if let (Some(expression), Some(members)) = (&self.expression, issue.as_object_mut()) {
            members.insert("expression".to_owned(), json!([expression]));
        }
        issue
    }
}

/// A refusal. Carries at least one issue.
#[derive(Clone, Debug, PartialEq)]
pub struct Failure {
    pub kind: Kind,
    pub issues: Vec<Issue>,
    /// What the address has instead, where it does not have the method.
    pub allowed: Vec<Verb>,
}

impl Failure {
    pub fn new(kind: Kind, text: impl Into<String>) -> Self {
        Self::of_issues(kind, vec![Issue::error(kind, text)])
    }

    /// An address that has only these methods.
    pub fn not_allowed(text: impl Into<String>, allowed: &[Verb]) -> Self {
        Self {
            allowed: allowed.to_vec(),
            ..Self::new(Kind::MethodNotAllowed, text)
        }
    }

    pub fn at(kind: Kind, expression: impl Into<String>, text: impl Into<String>) -> Self {
        Self::of_issues(kind, vec![Issue::error(kind, text).at(expression)])
    }

    pub fn of_issues(kind: Kind, issues: Vec<Issue>) -> Self {
        Self {
            kind,
            issues,
            allowed: Vec::new(),
        }
    }

    pub fn status(&self) -> u16 {
        self.kind.status()
    }

    pub fn to_json(&self) -> Value {
        outcome(&self.issues)
    }
}

/// What a request has used up, and what would help.
impl From<BudgetExceeded> for Failure {
    fn from(exceeded: BudgetExceeded) -> Self {
        let (kind, text) = match exceeded {
            BudgetExceeded::Nodes(most) => (
                Kind::TooLarge,
                format!(
                    "The content has more than {most} values. Split it, or ask the operator to raise UNLOOP_MAX_NODES."
                ),
            ),
            BudgetExceeded::Operations(most) => (
                Kind::TooCostly,
                format!("The patches have more than {most} operations together. Send fewer at a time."),
            ),
            BudgetExceeded::Rows(most) => (
                Kind::TooCostly,
                format!("This needs more than {most} rows. Ask for less at a time: narrow the search or send smaller batches."),
            ),
            BudgetExceeded::RecordBytes(most) => (
                Kind::TooCostly,
                format!(
                    "The answer would need more than {most} bytes of records. Ask in smaller batches, lower _count or name fewer includes."
                ),
            ),
            BudgetExceeded::Statement | BudgetExceeded::Time => (
                Kind::TooCostly,
                "The question costs more time than one request may take. Narrow it: name a type and a patient, fewer includes without :iterate, or a shorter time."
                    .to_owned(),
            ),
            BudgetExceeded::Memory => (
                Kind::Unavailable,
                "The requests under way hold as much memory as they may. Try again in a moment.".to_owned(),
            ),
            BudgetExceeded::Busy => (
                Kind::Unavailable,
                "Other expensive questions are being answered. Try again in a moment, or narrow the question.".to_owned(),
            ),
        };
        Self::new(kind, text)
    }
}

/// An OperationOutcome resource with these issues.
pub fn outcome(issues: &[Issue]) -> Value {
    json!({
        "resourceType": "OperationOutcome",
        "issue": issues.iter().map(Issue::to_json).collect::<Vec<_>>(),
    })
}
