//! What the reading entries of a transaction are going to answer, asked before anything
//! is written. <https://hl7.org/fhir/R4/http.html#transaction>

use std::collections::HashMap;

use super::super::authority::{Authority, Permission};
use super::super::engine::Engine;
use super::super::outcome::{Failure, Kind};
use super::super::request::{Request, Verb};
use super::super::view::View;
use super::route::{Interaction, route};
use crate::store::ResourceKey;

/// Refuses what would fail. `written`: what the transaction leaves there, or deletes.
pub async fn foresee_reading(
    engine: &Engine,
    authority: &dyn Authority,
    request: &Request,
    written: &HashMap<&ResourceKey, bool>,
) -> Result<(), Failure> {
    match route(engine, request)? {
        Interaction::Read(key) => match written.get(&key) {
            Some(true) => {
                View::of_resource(request)?;
                authority.scope(Permission::Read, Some(&key.resource_type))?;
                return Ok(());
            }
            Some(false) => {
                let text = format!("This transaction deletes {key}, so it cannot be read in it.");
                return Err(Failure::new(Kind::Deleted, text));
            }
            None => {}
        },
        // Versions and histories of what is written now have no end yet.
        Interaction::Vread(key, _) if written.contains_key(&key) => return Ok(()),
        _ => {}
    }
    let request = Request {
        verb: Verb::Get,
        ..request.clone()
    };
    Box::pin(engine.perform(authority, request))
        .await
        .map(|_| ())
}
