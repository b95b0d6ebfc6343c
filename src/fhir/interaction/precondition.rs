//! `If-Match` and `If-None-Match` of writes, with `*` and lists of tags.
//! <https://www.rfc-editor.org/rfc/rfc9110#section-13.1>, <https://hl7.org/fhir/R4/http.html#concurrency>
//!
//! FHIR sends weak tags where HTTP would want strong ones, so both are compared alike.

use super::super::authority::{Authority, Permission};
use super::super::engine::Engine;
use super::super::outcome::{Failure, Kind};
use super::super::request::Preconditions;
use super::super::write_error::stale;
use super::read::{version_of, visible};
use crate::store::{Guard, ResourceKey};

/// The guard of a write, and whether who loses its race may try again: the client
/// named no single version.
pub struct GuardedWrite {
    pub guard: Guard,
    pub again: bool,
}

/// What a header names.
enum EntityTags {
    /// `*`: any version, as long as there is one.
    Any,
    /// `None` where a tag is none of this service.
    Versions(Vec<Option<i64>>),
}

impl EntityTags {
    fn parse(header: &str) -> Self {
        if header.trim() == "*" {
            return Self::Any;
        }
        let tags = header.split(',').map(str::trim);
        let tags = tags.filter(|tag| !tag.is_empty());
        Self::Versions(tags.map(version_of).collect())
    }

    fn matches(&self, current: Option<i64>) -> bool {
        match self {
            Self::Any => current.is_some(),
            Self::Versions(versions) => current.is_some() && versions.contains(&current),
        }
    }

    /// The one version that it names.
    fn single(&self) -> Option<Option<i64>> {
        match self {
            Self::Versions(versions) => match versions.as_slice() {
                [] => Some(None),
                [version] => Some(*version),
                _ => None,
            },
            Self::Any => None,
        }
    }
}

/// Holds the conditions against the version that is there, if there is one.
pub fn hold(conditions: &Preconditions, current: Option<i64>) -> Result<(), Failure> {
    if let Some(header) = &conditions.if_match {
        let tags = EntityTags::parse(header);
        if tags.single() == Some(None) {
            return Err(Failure::new(
                Kind::VersionConflict,
                "If-Match is not an ETag of this service. Send the ETag of the last read, such as W/\"3\".",
            ));
        }
        if !tags.matches(current) {
            return Err(stale(current));
        }
    }
    let excluded = conditions.if_none_match.as_deref().map(EntityTags::parse);
    if excluded.is_some_and(|tags| tags.matches(current)) {
        return Err(Failure::new(
            Kind::VersionConflict,
            "If-None-Match names the version that is there now. Read the resource, and send If-Match with its ETag to change it.",
        ));
    }
    Ok(())
}

/// The guard of a write to `key`. Only what one guard cannot say is looked up.
pub async fn guarded(
    engine: &Engine,
    authority: &dyn Authority,
    permission: Permission,
    key: &ResourceKey,
    conditions: &Preconditions,
) -> Result<GuardedWrite, Failure> {
    let if_match = conditions.if_match.as_deref().map(EntityTags::parse);
    let if_none_match = conditions.if_none_match.as_deref().map(EntityTags::parse);
    let guard = match (&if_match, &if_none_match) {
        (None, None) => Some(Guard::None),
        (None, Some(EntityTags::Any)) if permission == Permission::Update => Some(Guard::Absent),
        (Some(tags), None) => match tags.single() {
            Some(Some(version)) => Some(Guard::VersionIs(version)),
            // Always refused.
            Some(None) => return hold(conditions, None).map(|()| no_guard()),
            None => None,
        },
        _ => None,
    };
    if let Some(guard) = guard {
        return Ok(GuardedWrite {
            guard,
            again: false,
        });
    }
    let stored = visible(engine, authority, permission, key).await?;
    let current = stored.filter(|stored| stored.body.is_some());
    let current = current.map(|stored| stored.version);
    hold(conditions, current)?;
    Ok(match current {
        Some(version) => GuardedWrite {
            guard: Guard::VersionIs(version),
            again: true,
        },
        None => no_guard(),
    })
}

fn no_guard() -> GuardedWrite {
    GuardedWrite {
        guard: Guard::None,
        again: false,
    }
}
