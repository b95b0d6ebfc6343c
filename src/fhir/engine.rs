//! The engine: definitions, rules and a store, and the one way a write goes.

use std::sync::{Arc, OnceLock};

use serde_json::Value;

use super::admission::{admit, refuse_closed};
use super::audit::{Event, Trail, record};
use super::authority::Authority;
use super::cursor::CursorKey;
use super::definitions::Definitions;
use super::index::Index;
use super::interaction::condition;
use super::interaction::create::ATTEMPTS;
use super::judge::judge;
use super::operation::{AccessLog, Operation, Validate};
use super::outcome::{Failure, Issue, Kind};
use super::resource::{Resource, render_parts};
use super::rule::{self, Rule};
use super::search::Catalogue;
use super::write_error::WriteError;
use super::{search, validate};
use crate::store::{
    AuditRow, Change, Commit, Conflict, Guard, IndexRows, Method, RegistryChange, ResourceKey,
    Store, StoreError, Version, Write,
};

/// Bounds on what a client may ask. Over one of them: 413 or 414.
#[derive(Clone, Debug)]
pub struct Limits {
    /// Nested objects and arrays in one document.
    pub depth: usize,
    /// Entries of a batch or transaction.
    pub entries: usize,
    /// Results per page when `_count` is missing, and at most.
    pub default_page: usize,
    pub max_page: usize,
    /// Bytes of one document, also of what a patch makes.
    pub document: usize,
    /// Values of one document, also of what a patch makes.
    pub nodes: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            depth: 64,
            entries: 10_000,
            default_page: 20,
            max_page: 1000,
            document: 16 << 20,
            nodes: 500_000,
        }
    }
}

pub struct Settings {
    /// Absolute, without a slash at the end: `http://127.0.0.1:8080/fhir`.
    pub base_url: String,
    /// The exposed types; empty: all.
    pub types: Vec<String>,
    pub limits: Limits,
    pub cursors: CursorKey,
}

/// One resource about to be written; `content` is `None` for a deletion. Attempts
/// share it until a rule changes it.
#[derive(Clone, Debug)]
pub struct Draft {
    pub key: ResourceKey,
    pub method: Method,
    pub guard: Guard,
    pub content: Option<Arc<Resource>>,
}

pub struct Engine {
    pub store: Arc<dyn Store>,
    pub definitions: &'static Definitions,
    pub catalogue: Catalogue,
    pub settings: Settings,
    /// The CapabilityStatement, built at the first question.
    pub capabilities: OnceLock<String>,
    pub operations: Vec<Box<dyn Operation>>,
    /// How the audit trail becomes AuditEvents.
    pub trail: Trail,
    /// Whether searches find all that there is.
    pub index: Index,
    rules: Vec<Box<dyn Rule>>,
}

/// What a commit did. The versions stand in the order of the drafts given;
/// drafts that a rule added follow.
pub struct Written {
    pub drafts: Vec<Draft>,
    pub bodies: Vec<Option<String>>,
    pub versions: Vec<Version>,
    pub warnings: Vec<Issue>,
    /// Which of the drafts given the caller may read.
    pub shown: Vec<bool>,
}

impl Written {
    /// The resource as it is read from now on, with its version and time; `None` for a
    /// deletion.
    pub fn stored(&self, index: usize) -> Option<Value> {
        let (draft, version) = (self.drafts.get(index)?, self.versions.get(index)?);
        let body = self.bodies.get(index)?.as_deref()?;
        let text = render_parts(&draft.key, version.version, version.updated, body);
        serde_json::from_str(&text).ok()
    }
}

impl Engine {
    pub fn new(
        store: Arc<dyn Store>,
        definitions: &'static Definitions,
        settings: Settings,
        rules: Vec<Box<dyn Rule>>,
    ) -> Self {
        Self {
            store,
            definitions,
            catalogue: Catalogue::new(definitions, &settings.base_url),
            settings,
            capabilities: OnceLock::new(),
            operations: vec![Box::new(AccessLog), Box::new(Validate)],
            trail: Trail::default(),
            index: Index::default(),
            rules,
        }
    }

    /// The same engine with these operations besides its own.
    #[must_use]
    pub fn with_operations(mut self, operations: Vec<Box<dyn Operation>>) -> Self {
        self.operations.extend(operations);
        self
    }

    /// How searches are read; `lenient` ignores unknown parameters.
    pub fn search_settings(&self, lenient: bool) -> search::Settings {
        search::Settings {
            default_count: self.settings.limits.default_page,
            max_count: self.settings.limits.max_page,
            lenient,
        }
    }

    /// Whether this service has resources of the type.
    pub fn exposes(&self, resource_type: &str) -> bool {
        self.definitions.is_resource_type(resource_type)
            && (self.settings.types.is_empty()
                || self.settings.types.iter().any(|t| t == resource_type))
    }

    /// The exposed types, sorted.
    pub fn exposed_types(&self) -> Vec<&'static str> {
        self.definitions
            .resource_types
            .iter()
            .map(String::as_str)
            .filter(|name| self.exposes(name))
            .collect()
    }

    /// Refuses content that is not valid R4.
    pub fn check(&self, resource: &Resource) -> Result<(), Failure> {
        let issues = validate::check(self.definitions, &resource.content);
        if issues.is_empty() {
            return Ok(());
        }
        Err(Failure::of_issues(Kind::Structure, issues))
    }

    /// The only way into the store: rules, judgement, index rows, one commit.
    /// What rules add is the service's own and is not held to the caller's rights.
    pub async fn write(
        &self,
        authority: &dyn Authority,
        drafts: Vec<Draft>,
    ) -> Result<Written, WriteError> {
        self.write_beside(authority, drafts, Beside::default())
            .await
    }

    /// The same, with what else belongs into the commit.
    pub async fn write_beside(
        &self,
        authority: &dyn Authority,
        mut drafts: Vec<Draft>,
        beside: Beside,
    ) -> Result<Written, WriteError> {
        let own = drafts.len();
        for (change, draft) in drafts.iter_mut().enumerate() {
            admit(self, draft).map_err(|failure| WriteError::Refused { change, failure })?;
        }
        for _ in 1..ATTEMPTS {
            let attempt = self.attempt(authority, &drafts, beside.clone());
            match attempt.await? {
                Attempt::Done(written) => return Ok(written),
                Attempt::Lost { change, again, .. } if again || change >= own => {}
                Attempt::Lost {
                    change, conflict, ..
                } => {
                    return Err(WriteError::Conflict { change, conflict });
                }
                Attempt::Refused { change, failure } => {
                    return Err(WriteError::Refused { change, failure });
                }
            }
        }
        Err(condition::contended().into())
    }

    async fn attempt(
        &self,
        authority: &dyn Authority,
        given: &[Draft],
        beside: Beside,
    ) -> Result<Attempt, Failure> {
        let mut drafts = given.to_vec();
        let mut changes: Vec<Change> = drafts.iter().map(|draft| self.change(draft)).collect();
        let mut verdicts = Vec::with_capacity(given.len());
        for (number, (draft, change)) in drafts.iter_mut().zip(&mut changes).enumerate() {
            let verdict = match judge(self, authority, draft, index_of(change)).await {
                Ok(verdict) => verdict,
                Err(failure) => {
                    return Ok(Attempt::Refused {
                        change: number,
                        failure,
                    });
                }
            };
            change.guard = verdict.guard.clone();
            draft.guard = verdict.guard.clone();
            verdicts.push(verdict);
        }
        let mut review =
            rule::review(self, &self.rules, authority, &mut drafts, &mut verdicts).await?;
        let refused = review.as_mut().and_then(|review| review.refused.take());
        if let Some((change, failure)) = refused {
            return Ok(Attempt::Refused { change, failure });
        }
        if let Some(review) = &review {
            changes = self.renew(changes, given, &drafts);
            changes.extend(review.rests_on.iter().map(rule::keep));
        }
        for draft in &drafts {
            refuse_closed(&draft.key.resource_type, draft.content.is_none())?;
        }
        let bodies = changes.iter().map(body_of).collect();
        let touches_access = changes.iter().any(|change| decides_access(&change.key));
        let mut audit = beside.told;
        if let Some(event) = Event::writing(self, &drafts) {
            let base = &self.settings.base_url;
            audit.extend(record::rows(base, &authority.actor(), &event));
        }
        let commit = Commit {
            changes,
            registry: beside.registry,
            touches_access,
            audit,
            ..Commit::default()
        };
        match self.store.commit(commit).await {
            Ok(versions) => Ok(Attempt::Done(Written {
                drafts,
                bodies,
                versions,
                warnings: review.unwrap_or_default().issues,
                shown: verdicts.iter().map(|verdict| verdict.shown).collect(),
            })),
            Err(StoreError::Conflict { change, conflict }) => Ok(Attempt::Lost {
                change,
                conflict,
                again: verdicts.get(change).is_some_and(|verdict| verdict.again),
            }),
            Err(StoreError::Registry { .. }) => Err(Failure::new(
                Kind::Conflict,
                "Somebody else changed the same entry. Nothing was written; look again.",
            )),
            Err(error) => Err(unavailable(&error)),
        }
    }

    /// The changes as rules left the drafts. To find what a resource is found
    /// by is dear, so it is not done again where its content is as it was given.
    fn renew(&self, changes: Vec<Change>, given: &[Draft], drafts: &[Draft]) -> Vec<Change> {
        let mut before = changes.into_iter().zip(given);
        let renew = |draft: &Draft| match before.next() {
            Some((change, given)) if given.content == draft.content => Change {
                key: draft.key.clone(),
                method: draft.method,
                guard: draft.guard.clone(),
                write: change.write,
            },
            _ => self.change(draft),
        };
        drafts.iter().map(renew).collect()
    }

    fn change(&self, draft: &Draft) -> Change {
        let write = match &draft.content {
            Some(resource) => Write::Put {
                body: resource.body(),
                index: self
                    .catalogue
                    .extract(&draft.key.resource_type, &resource.content),
            },
            None => Write::Delete,
        };
        Change {
            key: draft.key.clone(),
            method: draft.method,
            guard: draft.guard.clone(),
            write,
        }
    }
}

/// Types by whose state callers are let in: a change of them must be seen by
/// every instance at the next request. A grant rests on Consents and on its
/// Practitioner, a user of the practice on a Practitioner or a PractitionerRole.
/// A Patient lets nobody in: what is in a compartment, by `Patient.link` too, is
/// asked of the index with every request. A RelatedPerson opens nothing.
fn decides_access(key: &ResourceKey) -> bool {
    let types = ["Consent", "Practitioner", "PractitionerRole"];
    types.contains(&key.resource_type.as_str())
}

/// What a commit does besides writing resources.
#[derive(Clone, Debug, Default)]
pub struct Beside {
    pub registry: Vec<RegistryChange>,
    /// What the audit trail has to say of that.
    pub told: Vec<AuditRow>,
}

enum Attempt {
    Done(Written),
    /// The caller may not make this change.
    Refused {
        change: usize,
        failure: Failure,
    },
    /// The guard of a change did not hold. `again`: it was not the client's.
    Lost {
        change: usize,
        conflict: Conflict,
        again: bool,
    },
}

fn index_of(change: &Change) -> Option<&IndexRows> {
    match &change.write {
        Write::Put { index, .. } => Some(index),
        Write::Delete | Write::Keep => None,
    }
}

fn body_of(change: &Change) -> Option<String> {
    match &change.write {
        Write::Put { body, .. } => Some(body.clone()),
        Write::Delete | Write::Keep => None,
    }
}

/// The store's own troubles: the log has the details, the client what to do.
pub fn unavailable(error: &StoreError) -> Failure {
    if let StoreError::Exceeded(exceeded) = error {
        return (*exceeded).into();
    }
    tracing::error!(%error, "the store failed");
    match error {
        StoreError::Unavailable(_) => Failure::new(
            Kind::Unavailable,
            "The database does not answer now. Nothing is known to be written; try again.",
        ),
        _ => Failure::new(
            Kind::Internal,
            "The service failed. The operator's log has the details.",
        ),
    }
}

/// Microseconds since 1970.
pub fn now() -> i64 {
    jiff::Timestamp::now().as_microsecond()
}
