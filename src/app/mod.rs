//! The composition root: configuration in, running service out. The only place
//! that knows every room.

mod access;
mod clock;
mod disk;
mod error;
mod index;
mod secret;
mod server;
mod store;
mod sweep;
mod tls;

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

pub use access::{Access, access};
pub use error::StartError;
pub use secret::trails;
pub use server::App;
pub use store::{back_up, close, migrate};

use crate::clinical::Clinical;
use crate::clinical::knowledge::Knowledge;
use crate::clinical::vitals::Strictness;
use crate::config::{Config, ConfigError, Server, Vitals, nearest};
use crate::fhir::definitions::{Definitions, r4};
use crate::fhir::engine::{Engine, Limits, Settings};
use crate::fhir::search::zone;
use crate::http::routes::BASE_PATH;
use crate::store::Claim;

/// The engine that HTTP, import, export and demo share, on the store that is
/// configured. Nothing is opened where a setting is wrong.
pub async fn engine(config: &Config, address: SocketAddr) -> Result<Engine, StartError> {
    Ok(engine_and_clinical(config, address).await?.0)
}

/// The same, with what is known of medicine.
pub async fn engine_and_clinical(
    config: &Config,
    address: SocketAddr,
) -> Result<(Engine, Clinical), StartError> {
    zone::set_practice_zone(config.clinical.time_zone.clone());
    let settings = settings(config, address)?;
    let clinical = Clinical::new(knowledge(config)?)
        .with_strict_appointments(config.clinical.strict_appointments)
        .with_vitals(strictness(config));
    let store = store::open(config).await?;
    let engine = Engine::new(store, r4(), settings, clinical.rules());
    // An unknown state is one that nothing is built on.
    index::claim(&engine, Claim::Empty).await.ok();
    Ok((engine.with_operations(clinical.operations()), clinical))
}

fn strictness(config: &Config) -> Strictness {
    match config.clinical.vitals {
        Vitals::History => Strictness::History,
        Vitals::Standard => Strictness::Standard,
        Vitals::Strict => Strictness::Strict,
    }
}

fn knowledge(config: &Config) -> Result<Knowledge, ConfigError> {
    Knowledge::load(config.clinical.knowledge.as_deref()).map_err(|faults| {
        let first = faults.first().map(ToString::to_string);
        ConfigError::new(format!(
            "UNLOOP_KNOWLEDGE_DIR: the knowledge base has {} faults; the first: {}. `unloop knowledge check` has all",
            faults.len(),
            first.unwrap_or_default()
        ))
    })
}

/// Where a server at this address is reached from its own machine.
fn listening_url(config: &Server, address: SocketAddr) -> String {
    let scheme = match config.tls {
        Some(_) => "https",
        None => "http",
    };
    let ip = match address.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(ip) if ip.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
        ip => ip,
    };
    let address = SocketAddr::new(ip, address.port());
    format!("{scheme}://{address}{BASE_PATH}")
}

fn settings(config: &Config, address: SocketAddr) -> Result<Settings, ConfigError> {
    let base_url = config.server.base_url.clone();
    Ok(Settings {
        base_url: base_url.unwrap_or_else(|| listening_url(&config.server, address)),
        types: known_types(r4(), &config.records.types)?,
        limits: Limits {
            depth: config.limits.depth,
            entries: config.limits.entries,
            default_page: config.limits.default_page,
            max_page: config.limits.max_page,
            document: config.limits.body,
            nodes: config.limits.nodes,
        },
        cursors: secret::cursors(config),
    })
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
