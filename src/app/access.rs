//! Who is let in: issuers, the gate, and the authorization server where there
//! is a secret for it.

use std::sync::Arc;

use super::StartError;
use super::secret::secret;
use crate::access::fresh::Fresh;
use crate::access::gate::Gate;
use crate::access::issuer::{BuiltIn, External, Pace};
use crate::access::oauth::{AuthorizationServer, CdsClient, Place};
use crate::access::outbound::Outbound;
use crate::access::rights::refuse_unusable;
use crate::access::token::Issuer;
use crate::cds::FhirServers;
use crate::config::{Config, ConfigError};
use crate::fhir::engine::Engine;
use crate::http::routes::BASE_PATH;
use crate::store::registry::Registry;

#[derive(Clone)]
pub struct Access {
    pub gate: Arc<Gate>,
    /// `None`: tokens come from other issuers only.
    pub server: Option<Arc<AuthorizationServer>>,
    /// What CDS services may read besides.
    pub fhir_servers: Arc<FhirServers>,
}

/// Asks nobody yet.
pub fn access(config: &Config, engine: &Engine) -> Result<Access, StartError> {
    let registry: Arc<dyn Registry> = engine.store.clone();
    let base = &engine.settings.base_url;
    let place = Place {
        root: root(config, base),
        fhir_base: base.clone(),
    };
    let outbound = Outbound::new(config.access.outbound_private);
    let outbound = Arc::new(outbound.map_err(|error| {
        ConfigError::new(format!("keys of issuers cannot be fetched: {error}"))
    })?);
    let mut issuers: Vec<Arc<dyn Issuer>> = Vec::new();
    let built_in = secret(config)?
        .map(|secret| Arc::new(BuiltIn::new(registry.clone(), secret, &place.root, base)));
    if let Some(built_in) = &built_in {
        issuers.push(built_in.clone());
    }
    for trusted in &config.access.issuers {
        if trusted.url == place.root {
            let text = "UNLOOP_ISSUERS names this service itself; leave it out";
            return Err(ConfigError::new(text).into());
        }
        if let Some(ceiling) = &trusted.ceiling {
            refuse_unusable(&engine.catalogue, ceiling).map_err(|failure| {
                let texts: Vec<_> = failure.issues.iter().map(|issue| &*issue.text).collect();
                ConfigError::new(format!("UNLOOP_ISSUERS: {}", texts.join(" ")))
            })?;
        }
        let audience = trusted.audience.as_deref().unwrap_or(base);
        let outbound = outbound.clone();
        issuers.push(Arc::new(External::new(
            &trusted.url,
            audience,
            trusted.ceiling.as_deref(),
            outbound,
            Pace::default(),
        )));
    }
    let fresh = Arc::new(Fresh::new(registry.clone()));
    let gate = Gate::new(issuers, fresh, registry.clone())
        .with_psychotherapy_notes(config.access.patients_read_psychotherapy_notes);
    let gate = Arc::new(gate);
    if built_in.is_none() && !config.cds.clients.is_empty() {
        let text =
            "UNLOOP_CDS_CLIENTS names registered clients, and there are none without UNLOOP_SECRET";
        return Err(ConfigError::new(text).into());
    }
    let listed = config.cds.fhir_servers.clone();
    let fhir_servers = Arc::new(FhirServers::new(listed, outbound.clone()));
    let server = built_in.map(|built_in| {
        let server = AuthorizationServer::new(place, built_in, gate.clone(), registry, outbound);
        Arc::new(server.with_cds_clients(cds_clients(config)))
    });
    Ok(Access {
        gate,
        server,
        fhir_servers,
    })
}

fn cds_clients(config: &Config) -> Vec<CdsClient> {
    let clients = config.cds.clients.iter().map(|trusted| CdsClient {
        issuer: trusted.issuer.clone(),
        client: trusted.client.clone(),
    });
    clients.collect()
}

/// Where the built-in issuer is: beside the FHIR base.
fn root(config: &Config, base: &str) -> String {
    let beside = || base.strip_suffix(BASE_PATH).unwrap_or(base).to_owned();
    config.access.issuer.clone().unwrap_or_else(beside)
}
