//! The records that an operation or a rule judges by, and whether they are all
//! that there is.

use std::sync::{Mutex, PoisonError};

use super::super::audit::Shown;
use super::super::authority::{Authority, Permission};
use super::super::engine::{Engine, now, unavailable};
use super::super::index::refusal;
use super::super::interaction::read::{gone, not_found, visible};
use super::super::interaction::search;
use super::super::outcome::{Failure, Kind};
use super::super::resource::{Resource, parse_stored};
use super::super::search::key::hash;
use super::super::search::reference::Base;
use super::super::search::{Query, compile};
use super::limits::is_limited;
use crate::store::{
    Comparison, Filter, Guard, PositionValue, ResourceKey, Scope, SearchPlan, Stored,
};

/// Rows of one question to the store.
const PAGE: usize = 500;
/// Whoever has more than this has no answer that could be relied on.
const MOST: usize = 20_000;

/// What a search found.
#[derive(Clone, Debug, Default)]
pub struct Seen {
    pub resources: Vec<Version>,
    /// The caller's rights do not reach everything that could match. Whether there is
    /// anything beyond them is not asked.
    pub hidden: bool,
}

/// A resource and the version that was read.
#[derive(Clone, Debug)]
pub struct Version {
    pub key: ResourceKey,
    pub version: i64,
    pub resource: Resource,
}

impl From<&Version> for Shown {
    fn from(version: &Version) -> Self {
        Self {
            key: version.key.clone(),
            version: version.version,
        }
    }
}

/// Reads as the caller may, or (for a rule) all there is: whether a write is
/// right does not depend on what its writer may see.
#[derive(Clone, Copy)]
pub struct Records<'r> {
    engine: &'r Engine,
    authority: Option<&'r dyn Authority>,
    /// What is read on behalf of a caller, for the audit trail.
    shown: Option<&'r Mutex<Vec<Shown>>>,
}

impl<'r> Records<'r> {
    pub fn of(engine: &'r Engine, authority: &'r dyn Authority) -> Self {
        Self {
            engine,
            authority: Some(authority),
            shown: None,
        }
    }

    /// The same, and whatever is read is told.
    pub fn telling(self, shown: &'r Mutex<Vec<Shown>>) -> Self {
        Self {
            shown: Some(shown),
            ..self
        }
    }

    fn tell(&self, stored: &Stored) {
        if let Some(shown) = self.shown {
            let mut shown = shown.lock().unwrap_or_else(PoisonError::into_inner);
            shown.push(stored.into());
        }
    }

    pub fn all(engine: &'r Engine) -> Self {
        Self {
            engine,
            authority: None,
            shown: None,
        }
    }

    /// Whether resources of the type can be searched by this parameter.
    pub fn has_parameter(&self, resource_type: &str, name: &str) -> bool {
        self.engine.catalogue.param(resource_type, name).is_some()
    }

    /// What this service calls itself in references.
    pub fn base(&self) -> Base {
        Base::new(&self.engine.settings.base_url)
    }

    fn scope(&self, permission: Permission, resource_type: &str) -> Result<Scope, Failure> {
        match self.authority {
            Some(authority) => authority.scope(permission, Some(resource_type)),
            None => Ok(Scope::everything()),
        }
    }

    /// The current version; 404 and 410 as a read answers them.
    pub async fn read(&self, key: &ResourceKey) -> Result<Version, Failure> {
        let found = match self.authority {
            Some(authority) => visible(self.engine, authority, Permission::Read, key).await?,
            None => {
                let keys = std::slice::from_ref(key);
                let found = self.engine.store.read(&Scope::everything(), keys).await;
                let found = found.map_err(|error| unavailable(&error))?;
                found.into_iter().next().flatten()
            }
        };
        let stored = found.ok_or_else(|| not_found(key))?;
        self.tell(&stored);
        let resource = parse_stored(&stored)?.ok_or_else(|| gone(&stored))?;
        Ok(Version {
            key: stored.key,
            version: stored.version,
            resource,
        })
    }

    /// The current version where there is one that may be seen.
    pub async fn find(&self, key: &ResourceKey) -> Result<Option<Version>, Failure> {
        match self.read(key).await {
            Ok(version) => Ok(Some(version)),
            Err(failure) => match failure.kind {
                Kind::NotFound | Kind::Deleted | Kind::Forbidden => Ok(None),
                _ => Err(failure),
            },
        }
    }

    /// All resources of the type that meet the criteria. A type that the
    /// caller may not search is one whose resources are hidden.
    pub async fn search(
        &self,
        resource_type: &str,
        criteria: &[(&str, &str)],
    ) -> Result<Seen, Failure> {
        let scope = match self.scope(Permission::Search, resource_type) {
            Ok(scope) => scope,
            Err(failure) if failure.kind == Kind::Forbidden => {
                return Ok(Seen {
                    hidden: true,
                    ..Seen::default()
                });
            }
            Err(failure) => return Err(failure),
        };
        let base = Base::new(&self.engine.settings.base_url);
        let catalogue = &self.engine.catalogue;
        let hidden = is_limited(catalogue, &base, &scope, resource_type, criteria);
        let mut plan = self.plan(resource_type, criteria, scope)?;
        if let Some(gap) = self.engine.index.gap_of(&plan) {
            // What is judged by some of the records is judged wrongly.
            return Err(refusal(
                &gap,
                "not all records that this rests on can be found",
            ));
        }
        let mut seen = Seen {
            hidden,
            ..Seen::default()
        };
        loop {
            let found = self.engine.store.search(&plan).await;
            let found = found.map_err(|error| unavailable(&error))?;
            for stored in &found.rows {
                self.tell(stored);
                if let Some(resource) = parse_stored(stored)? {
                    seen.resources.push(Version {
                        key: stored.key.clone(),
                        version: stored.version,
                        resource,
                    });
                }
            }
            plan.after = found.positions.last().cloned();
            if !found.more || plan.after.is_none() {
                break;
            }
            if seen.resources.len() >= MOST {
                return Err(too_many(resource_type));
            }
        }
        Ok(seen)
    }

    /// The resources of the type behind this id, in the order of ids; and whether
    /// there are more.
    pub async fn page(
        &self,
        resource_type: &str,
        after: &str,
        limit: usize,
    ) -> Result<(Vec<Version>, bool), Failure> {
        let scope = self.scope(Permission::Search, resource_type)?;
        let mut plan = self.plan(resource_type, &[], scope)?;
        plan.limit = limit;
        plan.after = (!after.is_empty()).then(|| vec![PositionValue::Text(after.to_owned())]);
        let found = self.engine.store.search(&plan).await;
        let found = found.map_err(|error| unavailable(&error))?;
        let mut page = Vec::new();
        for stored in &found.rows {
            self.tell(stored);
            if let Some(resource) = parse_stored(stored)? {
                page.push(Version {
                    key: stored.key.clone(),
                    version: stored.version,
                    resource,
                });
            }
        }
        Ok((page, found.more))
    }

    /// The condition that nothing but these meets the criteria. Two writes that
    /// share the lock are judged one after the other.
    pub fn none_guard(
        &self,
        resource_type: &str,
        criteria: &[(&str, &str)],
        known: &[String],
        lock: &str,
    ) -> Result<Guard, Failure> {
        let scope = self.scope(Permission::Search, resource_type)?;
        let mut plan = self.plan(resource_type, criteria, scope)?;
        if !known.is_empty() {
            let known = Filter::Is(Comparison::Id(known.to_vec()));
            let others = Filter::Not(Box::new(known));
            plan.filter = Filter::All(vec![plan.filter, others]);
        }
        plan.limit = 1;
        Ok(Guard::NoMatch {
            plan: Box::new(plan),
            locks: vec![hash(&["condition", lock]).0],
        })
    }

    fn plan(
        &self,
        resource_type: &str,
        criteria: &[(&str, &str)],
        scope: Scope,
    ) -> Result<SearchPlan, Failure> {
        let pairs: Vec<(String, String)> = criteria
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect();
        let settings = self.engine.search_settings(false);
        let catalogue = &self.engine.catalogue;
        let query = match self.authority {
            Some(authority) => search::query(
                self.engine,
                authority,
                Some(resource_type),
                &pairs,
                &settings,
            )?,
            None => Query::parse(catalogue, Some(resource_type), &pairs, &settings)?,
        };
        let mut plan = compile(catalogue, &query, None, scope, now())?;
        plan.limit = PAGE;
        Ok(plan)
    }
}

fn too_many(resource_type: &str) -> Failure {
    let text =
        format!("There are more {resource_type} resources than this operation reads ({MOST}).");
    Failure::new(Kind::TooLarge, text)
}
