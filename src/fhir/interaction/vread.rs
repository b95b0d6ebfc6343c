//! vread. <https://hl7.org/fhir/R4/http.html#vread>

use super::super::answer::Answer;
use super::super::authority::{Authority, Permission};
use super::super::engine::{Engine, unavailable};
use super::super::outcome::{Failure, Kind};
use super::super::request::Request;
use super::super::view::View;
use super::history::admits;
use crate::store::ResourceKey;

pub async fn vread(
    engine: &Engine,
    authority: &dyn Authority,
    request: &Request,
    key: &ResourceKey,
    version: i64,
) -> Result<Answer, Failure> {
    let view = View::of_resource(request)?;
    let scope = authority.scope(Permission::Read, Some(&key.resource_type))?;
    let stored = engine
        .store
        .vread(&scope, key, version)
        .await
        .map_err(|error| unavailable(&error))?;
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
        None => Err(Failure::new(
            Kind::NotFound,
            format!("There is no version {version} of {key} here."),
        )),
    }
}
