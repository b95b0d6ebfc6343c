//! Whether a caller may make a change: judged before, by the version that is
//! there, and after, by what would be there then.

use std::collections::HashSet;

use serde_json::{Map, Value};

use super::authority::{Authority, Permission};
use super::engine::{Draft, Engine, unavailable};
use super::interaction::links::refuse_conditional;
use super::interaction::read::not_found;
use super::outcome::{Failure, Kind};
use super::resource::{Resource, parse_stored};
use crate::store::{Guard, IndexKey, IndexRows, Method, Scope, Stored};

/// A change that the caller may make, as long as the guard holds.
pub struct Verdict {
    pub guard: Guard,
    /// The guard keeps the version that was judged: who loses that race may be
    /// judged again.
    pub again: bool,
    /// The caller may read what it writes.
    pub shown: bool,
}

/// `index` is that of the content, if there is any.
pub async fn judge(
    engine: &Engine,
    authority: &dyn Authority,
    draft: &Draft,
    index: Option<&IndexRows>,
) -> Result<Verdict, Failure> {
    if let Some(resource) = &draft.content {
        refuse_conditional(engine.definitions, &resource.content)?;
    }
    let name = draft.key.resource_type.as_str();
    let permission = permission(draft.method);
    let scope = authority.scope(permission, Some(name))?.within(&[name]);
    if index.is_some_and(|index| !scope.admits(&draft.key, index)) {
        return Err(outside(name));
    }
    let shown = |index: &IndexRows| {
        let scope = authority.scope(Permission::Read, Some(name));
        scope.is_ok_and(|scope| scope.admits(&draft.key, index))
    };
    let verdict = Verdict {
        guard: draft.guard.clone(),
        again: false,
        shown: index.is_none_or(shown),
    };
    if draft.method == Method::Post {
        keeps_to_its_patients(engine, &scope, draft, index, None)?;
        return Ok(verdict);
    }
    if may_meet_nothing(authority, draft, &scope) {
        return Ok(verdict);
    }
    if !matches!(draft.guard, Guard::None | Guard::VersionIs(_)) {
        return Err(no_id_of_its_own(name));
    }
    let stored = in_view(engine, &scope, draft).await?;
    let old = parse_stored(&stored)?;
    keeps_labels(&scope, old.as_ref(), draft)?;
    keeps_to_its_patients(engine, &scope, draft, index, old.as_ref())?;
    Ok(match draft.guard {
        Guard::None => Verdict {
            guard: Guard::VersionIs(stored.version),
            again: true,
            ..verdict
        },
        _ => verdict,
    })
}

fn permission(method: Method) -> Permission {
    match method {
        Method::Post => Permission::Create,
        Method::Put | Method::Patch => Permission::Update,
        Method::Delete => Permission::Delete,
    }
}

/// Nothing of the type is hidden from the caller, so that absence can be
/// admitted; and a PUT that creates is a create too.
fn may_meet_nothing(authority: &dyn Authority, draft: &Draft, scope: &Scope) -> bool {
    let name = draft.key.resource_type.as_str();
    scope.is_everything() && (draft.method != Method::Put || may_choose_ids(authority, name))
}

/// Whoever sees a part of a type would learn from a refused id that it is in
/// use by what is hidden.
pub fn may_choose_ids(authority: &dyn Authority, name: &str) -> bool {
    let create = authority.scope(Permission::Create, Some(name));
    create.is_ok_and(|scope| scope.within(&[name]).is_everything())
}

async fn in_view(engine: &Engine, scope: &Scope, draft: &Draft) -> Result<Stored, Failure> {
    let keys = std::slice::from_ref(&draft.key);
    let found = engine.store.read(scope, keys).await;
    let found = found.map_err(|error| unavailable(&error))?;
    let live = found
        .into_iter()
        .flatten()
        .find(|stored| stored.body.is_some());
    live.ok_or_else(|| not_found(&draft.key))
}

/// A label protects the record from those who see only a part of it.
fn keeps_labels(scope: &Scope, old: Option<&Resource>, draft: &Draft) -> Result<(), Failure> {
    let (false, Some(new), Some(old)) = (scope.is_everything(), &draft.content, old) else {
        return Ok(());
    };
    if labels(&old.content).is_subset(&labels(&new.content)) {
        return Ok(());
    }
    Err(Failure::at(
        Kind::Forbidden,
        format!("{}.meta.security", draft.key.resource_type),
        "The change drops a security label, which this token may not. Send all labels that the resource has.",
    ))
}

/// A resource is of every patient that it names as such. None is drawn in whom
/// the caller could not write for by himself: with a reference to an own
/// patient beside it, a record could be planted or moved anywhere.
fn keeps_to_its_patients(
    engine: &Engine,
    scope: &Scope,
    draft: &Draft,
    index: Option<&IndexRows>,
    old: Option<&Resource>,
) -> Result<(), Failure> {
    let (false, Some(index), Some(new)) = (scope.is_everything(), index, &draft.content) else {
        return Ok(());
    };
    let patients = |resource: &Resource| {
        let name = &resource.resource_type;
        let catalogue = &engine.catalogue;
        catalogue.compartments_of("Patient", name, &resource.content)
    };
    let (before, after) = (old.map(patients).unwrap_or_default(), patients(new));
    for patient in after.iter().filter(|patient| !before.contains(patient)) {
        let mut alone = index.clone();
        let other = |key: &IndexKey| key != patient && after.contains(key);
        alone.keys.retain(|key| !other(key));
        if !scope.admits(&draft.key, &alone) {
            return Err(outside(&draft.key.resource_type));
        }
    }
    Ok(())
}

fn labels(content: &Map<String, Value>) -> HashSet<(Option<&str>, Option<&str>)> {
    let security = content.get("meta").and_then(|meta| meta.get("security"));
    let codings = security.and_then(Value::as_array).into_iter().flatten();
    codings
        .map(|coding| {
            let text = |name| coding.get(name).and_then(Value::as_str);
            (text("system"), text("code"))
        })
        .collect()
}

fn outside(name: &str) -> Failure {
    Failure::at(
        Kind::Forbidden,
        name,
        "The content lies outside of what this token may write: it must belong to a patient of the token, to no other one, and meet the restrictions of its scopes.",
    )
}

pub fn no_id_of_its_own(name: &str) -> Failure {
    Failure::new(
        Kind::Forbidden,
        format!(
            "This token sees only a part of {name} and cannot choose an id. Send the content by POST, without an id."
        ),
    )
}
