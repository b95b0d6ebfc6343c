//! Operations that are more than an interaction, and how rooms above register
//! theirs. <https://hl7.org/fhir/R4/operations.html>

pub mod access_log;
pub mod arguments;
pub mod everything;
pub mod invoke;
pub mod lastn;
pub mod limits;
pub mod output;
pub mod records;
pub mod stats;
pub mod validate;

pub use access_log::AccessLog;
pub use arguments::Arguments;
pub use limits::LIMITED_VIEW;
pub use output::Part;
pub use records::{Records, Seen, Version};
pub use validate::Validate;

use std::sync::{Mutex, PoisonError};

use super::answer::Answer;
use super::audit::Shown;
use super::authority::Authority;
use super::engine::Engine;
use super::outcome::{Failure, Kind};
use crate::store::ResourceKey;

/// The operations that every engine has, for documents.
pub static OPERATIONS: &[&Definition] = &[&access_log::ACCESS_LOG, &validate::VALIDATE];

/// What an operation is called on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Target {
    System,
    Type(String),
    Instance(ResourceKey),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Level {
    System,
    Type,
    Instance,
}

/// One parameter that goes in. <https://hl7.org/fhir/R4/operationdefinition.html>
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Parameter {
    pub name: &'static str,
    /// A FHIR datatype, or `Resource`; with `*` behind it where it repeats.
    pub kind: &'static str,
    pub required: bool,
    /// Where not empty, the values that it may have.
    pub codes: &'static [&'static str],
    pub text: &'static str,
}

impl Parameter {
    pub fn repeats(&self) -> bool {
        self.kind.ends_with('*')
    }

    pub fn datatype(&self) -> &'static str {
        self.kind.trim_end_matches('*')
    }
}

/// Stands for all search parameters of the type.
pub const SEARCH: Parameter = Parameter {
    name: "search",
    kind: "Search*",
    required: false,
    codes: &[],
    text: "The search parameters of the type.",
};

/// A resource as it was sent, valid or not.
pub const UNCHECKED: Parameter = Parameter {
    name: "resource",
    kind: "Resource",
    required: false,
    codes: &[],
    text: "The content, valid or not.",
};

/// Whatever a resource is, as the official definitions say it.
pub const EVERY_TYPE: &[&str] = &["Resource"];

impl Parameter {
    /// One that may have any value of its kind.
    pub const fn of(
        name: &'static str,
        kind: &'static str,
        required: bool,
        text: &'static str,
    ) -> Self {
        Self {
            name,
            kind,
            required,
            codes: &[],
            text,
        }
    }
}

/// What the CapabilityStatement, the OpenAPI document and the router know.
#[derive(Debug)]
pub struct Definition {
    /// Without the dollar sign.
    pub name: &'static str,
    /// The canonical URL of the OperationDefinition.
    pub url: &'static str,
    pub title: &'static str,
    pub text: &'static str,
    /// The resource types of the levels Type and Instance.
    pub types: &'static [&'static str],
    pub levels: &'static [Level],
    pub affects_state: bool,
    pub parameters: &'static [Parameter],
}

impl Definition {
    pub fn is_for(&self, target: &Target) -> bool {
        let (level, name) = match target {
            Target::System => (Level::System, None),
            Target::Type(name) => (Level::Type, Some(name.as_str())),
            Target::Instance(key) => (Level::Instance, Some(key.resource_type.as_str())),
        };
        self.levels.contains(&level) && name.is_none_or(|name| self.concerns(name))
    }

    pub fn concerns(&self, resource_type: &str) -> bool {
        self.types == EVERY_TYPE || self.types.contains(&resource_type)
    }
}

/// One call, its input checked against the definition.
pub struct Call<'c> {
    pub engine: &'c Engine,
    pub authority: &'c dyn Authority,
    pub target: Target,
    pub arguments: Arguments,
    /// What was read for the caller.
    pub shown: &'c Mutex<Vec<Shown>>,
}

impl<'c> Call<'c> {
    /// What the caller may read.
    pub fn records(&self) -> Records<'c> {
        self.quiet_records().telling(self.shown)
    }

    /// The same; what of it is shown is said by [`Self::show`].
    pub fn quiet_records(&self) -> Records<'c> {
        Records::of(self.engine, self.authority)
    }

    /// Tells the audit trail what the answer shows.
    pub fn show<'v>(&self, versions: impl IntoIterator<Item = &'v Version>) {
        let mut shown = self.shown.lock().unwrap_or_else(PoisonError::into_inner);
        shown.extend(versions.into_iter().map(Shown::from));
    }

    /// The resource that it is called on.
    pub fn instance(&self) -> Result<&ResourceKey, Failure> {
        match &self.target {
            Target::Instance(key) => Ok(key),
            _ => Err(Failure::new(
                Kind::NotFound,
                "The operation is one of a single resource: call it behind the resource's id.",
            )),
        }
    }
}

/// An operation reads through the caller's [`Authority`] ([`Call::records`]),
/// so that it never shows what a search would not.
#[async_trait::async_trait]
pub trait Operation: Send + Sync {
    fn definition(&self) -> &'static Definition;

    async fn run(&self, call: Call<'_>) -> Result<Answer, Failure>;
}
