//! vread. <https://hl7.org/fhir/R4/http.html#vread>

use super::super::answer::Answer;
use super::super::authority::{Authority, Permission, Sight};
use super::super::engine::{Engine, unavailable};
use super::super::outcome::{Failure, Kind};
use super::super::request::Request;
use super::super::view::View;
use super::history::admits;
use super::read::visible;
use crate::store::{ResourceKey, Scope};

pub async fn vread(
    engine: &Engine,
    authority: &dyn Authority,
    request: &Request,
    key: &ResourceKey,
    version: i64,
) -> Result<Answer, Failure> {
    let view = View::of_resource(request)?;
    // What the current version hides, it hides of all of them.
    let (asked, scope) = match authority.sight(Permission::Read, &key.resource_type)? {
        Sight::ByRows(scope) => (scope.clone(), scope),
        Sight::ByContent(scope) => {
            let current = visible(engine, authority, Permission::Read, key).await?;
            current.ok_or_else(|| unknown(key, version))?;
            (Scope::everything(), scope)
        }
    };
    let stored = engine.store.vread(&asked, key, version).await;
    let stored = stored.map_err(|error| unavailable(&error))?;
    let seen = match stored {
        Some(stored) if admits(engine, &scope, &stored)? => Some(stored),
        _ => None,
    };
    match seen {
        Some(stored) if stored.body.is_some() => {
            view.apply(engine.definitions, Answer::stored(200, &stored))
        }
        Some(_) => Err(Failure::new(
            Kind::Deleted,
            format!("Version {version} of {key} is its deletion."),
        )),
        None => Err(unknown(key, version)),
    }
}

fn unknown(key: &ResourceKey, version: i64) -> Failure {
    let text = format!("There is no version {version} of {key} here.");
    Failure::new(Kind::NotFound, text)
}
