//! The composition root: configuration in, running service out. The only place
//! that knows every room.

mod error;
mod server;
mod store;

use std::sync::Arc;

pub use error::StartError;
pub use server::App;
pub use store::{close, migrate, open};

use crate::config::{Config, ConfigError, nearest};
use crate::fhir::definitions::{Definitions, r4};
use crate::fhir::engine::{Engine, Limits, Settings};
use crate::store::Store;

/// The engine that HTTP, import and demo share.
pub fn engine(
    config: &Config,
    store: Arc<dyn Store>,
    base_url: String,
) -> Result<Engine, StartError> {
    let definitions = r4();
    let settings = Settings {
        base_url,
        types: known_types(definitions, &config.records.types)?,
        limits: Limits {
            depth: config.limits.depth,
            entries: config.limits.entries,
            default_page: config.limits.default_page,
            max_page: config.limits.max_page,
        },
    };
    Ok(Engine::new(store, definitions, settings, Vec::new()))
}

fn known_types(definitions: &Definitions, types: &[String]) -> Result<Vec<String>, ConfigError> {
    for name in types {
        if !definitions.is_resource_type(name) {
            let known = definitions.resource_types.iter().map(String::as_str);
            let remedy = match nearest(name, known) {
                Some(near) => format!("did you mean {near}?"),
                None => "an example is Patient,Observation".to_owned(),
            };
            return Err(ConfigError::new(format!(
                "UNLOOP_TYPES has {name:?}, which is no resource type of R4; {remedy}"
            )));
        }
    }
    Ok(types.to_vec())
}
