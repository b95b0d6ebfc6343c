//! The service on its address, and its end: what is in flight is finished,
//! within a set time.

use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::time::{Duration, Instant};

use actix_web::HttpServer;
use actix_web::dev::{Server, ServerHandle};
use actix_web::middleware::{Compress, Condition, from_fn};
use actix_web::web::Data;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::task::JoinHandle;

use super::disk::{disk_watch, watch_disk};
use super::{
    Access, StartError, access, clock, engine_and_clinical, index, known_types, listening_url,
    store, sweep, tls,
};
use crate::access::{Caller, Internal};
use crate::budget::{BudgetLimits, MemoryReserve};
use crate::clinical::Clinical;
use crate::config::{Address, Config, ConfigError};
use crate::fhir::audit;
use crate::fhir::definitions::r4;
use crate::fhir::engine::Engine;
use crate::http::auth::Authorization;
use crate::http::observe::observe;
use crate::http::protect::{cors, headers};
use crate::http::rate::{RateLimits, Rates, by_address};
use crate::http::routes::{HttpLimits, OpenApi, configure};
use crate::store::Claim;
use crate::telemetry::disk::DiskWatch;

const OPENAPI: &str = include_str!("../../openapi/openapi.json");

/// The head of a request must arrive in this time.
const HEAD_TIME: Duration = Duration::from_secs(10);

/// Connections that wait for their next request are kept this long.
const KEEP_ALIVE: Duration = Duration::from_secs(75);

/// Floods are looked at so often.
const COUNTED: Duration = Duration::from_secs(10);

/// Bound to its address, and not yet serving.
pub struct App {
    address: SocketAddr,
    engine: Data<Engine>,
    access: Access,
    server: Server,
    index: JoinHandle<()>,
    rates: Data<Rates>,
    disk: Arc<DiskWatch>,
    shutdown: Duration,
    listening_url: String,
    /// SIGTERM and SIGINT, heard from before anybody is told that it listens.
    signals: [Signal; 2],
}

impl App {
    /// Opens the store and binds the address; port 0 takes a free one.
    pub async fn build(config: Config) -> Result<Self, StartError> {
        let failed = |error| StartError::Bind(config.server.bind, error);
        // Before anything is bound or opened.
        known_types(r4(), &config.records.types)?;
        refuse_without_issuer(&config)?;
        let listener = TcpListener::bind(config.server.bind).map_err(failed)?;
        let address = listener.local_addr().map_err(failed)?;
        let (engine, clinical) = engine_and_clinical(&config, address).await?;
        store::refuse_keyless(&config, engine.store.as_ref()).await?;
        let engine = Data::new(engine);
        index::claim(&engine, Claim::Outdated).await.ok();
        let knowledge = Caller::internal(Internal::Knowledge);
        if let Err(failure) = clinical.publish(&engine, &knowledge).await {
            tracing::error!(problem = %failure.to_json(), "the rules in force are not published");
        }
        tell_of_findings(&engine, &clinical).await;
        let keeper = index::keep(engine.clone().into_inner(), config.database.reindex);
        let access = access(&config, &engine)?;
        if let Some(server) = &access.server {
            // Without a schema, or under another secret: what needs no new token goes on.
            if let Err(failure) = server.built_in.ensure_key().await {
                tracing::error!(problem = %failure.to_json(), "tokens cannot be issued");
            }
        }
        let rates = Data::new(Rates::new(RateLimits {
            address: config.limits.rate_address,
            caller: config.limits.rate_caller,
            auth: config.limits.rate_auth,
        }));
        let disk = Arc::new(disk_watch(&config));
        let server = serve(&config, listener, engine.clone(), &access, &rates, &disk)?;
        Ok(Self {
            address,
            engine,
            access,
            server,
            index: tokio::spawn(keeper),
            rates,
            disk,
            shutdown: config.server.shutdown,
            listening_url: listening_url(&config.server, address),
            signals: [
                heard(SignalKind::terminate())?,
                heard(SignalKind::interrupt())?,
            ],
        })
    }

    /// How clients reach the FHIR base.
    pub fn base_url(&self) -> &str {
        &self.engine.settings.base_url
    }

    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Where this machine reaches it, which a base URL of the operator's may not say.
    pub fn listening_url(&self) -> &str {
        &self.listening_url
    }

    pub fn engine(&self) -> Arc<Engine> {
        self.engine.clone().into_inner()
    }

    pub fn access(&self) -> &Access {
        &self.access
    }

    /// Ends [`App::run`] from elsewhere.
    pub fn handle(&self) -> ServerHandle {
        self.server.handle()
    }

    /// Serves until SIGTERM or SIGINT; then finishes what is in flight.
    pub async fn run(self) -> Result<(), StartError> {
        let [mut terminate, mut interrupt] = self.signals;
        let handle = self.server.handle();
        let mut server = tokio::spawn(self.server);
        let following = self.engine.clone();
        let follower = tokio::spawn(async move { audit::follow(&following).await });
        let sweeper = tokio::spawn(sweep::keep(self.engine.clone().into_inner()));
        let clock = tokio::spawn(clock::keep(self.engine.clone().into_inner()));
        let bursts = tokio::spawn(count_bursts(self.rates.clone(), self.engine.clone()));
        let disk = tokio::spawn(watch_disk(self.disk.clone()));
        let ended = tokio::select! {
            ended = &mut server => Some(ended),
            _ = terminate.recv() => None,
            _ = interrupt.recv() => None,
        };
        let deadline = Instant::now() + self.shutdown;
        let ended = match ended {
            Some(ended) => ended,
            None => {
                tracing::info!("finishing what is in flight");
                handle.stop(true).await;
                server.await
            }
        };
        follower.abort();
        bursts.abort();
        sweeper.abort();
        clock.abort();
        disk.abort();
        self.index.abort();
        // Aborted, each ends at its next wait; only then is its engine dropped.
        drop(follower.await);
        drop(bursts.await);
        // The trail has said why it cannot be written.
        self.rates.bursts.settle(&self.engine, true).await.ok();
        drop(sweeper.await);
        drop(clock.await);
        drop(self.index.await);
        let store = self.engine.store.clone();
        drop((self.engine, self.access));
        let left = deadline.saturating_duration_since(Instant::now());
        store::close(store, left.max(Duration::from_secs(1))).await;
        tracing::info!("ended");
        match ended {
            Ok(result) => result.map_err(StartError::Server),
            Err(error) => Err(StartError::Server(std::io::Error::other(error))),
        }
    }
}

fn heard(kind: SignalKind) -> Result<Signal, StartError> {
    signal(kind).map_err(StartError::Server)
}

/// Findings that other rules made than those in force.
async fn tell_of_findings(engine: &Engine, clinical: &Clinical) {
    match clinical.findings(engine).await {
        Ok((version, made)) if !made.is_by(version) => tracing::warn!(
            in_force = version,
            made_by = made.by.join(", "),
            "the stored findings on medicines were not all made by the rules in force; `unloop knowledge recheck` judges all records again"
        ),
        Ok(_) => {}
        Err(failure) => {
            tracing::debug!(problem = %failure.to_json(), "by which rules findings were made is not known");
        }
    }
}

/// Requests that were refused for being too many are recorded as numbers.
async fn count_bursts(rates: Data<Rates>, engine: Data<Engine>) {
    loop {
        tokio::time::sleep(COUNTED).await;
        rates.bursts.settle(&engine, false).await.ok();
    }
}

/// Without an issuer nobody gets in, which others should not find out first.
fn refuse_without_issuer(config: &Config) -> Result<(), ConfigError> {
    let Config { server, access, .. } = config;
    let own = access.secret.is_some() || matches!(config.database.address, Address::Sqlite(_));
    if own || !access.issuers.is_empty() {
        return Ok(());
    }
    let remedy = "set UNLOOP_SECRET to what `openssl rand -base64 32` prints (this service then \
         issues tokens itself: unloop token issue, unloop client add), or UNLOOP_ISSUERS to \
         your identity provider";
    if server.bind.ip().is_loopback() {
        tracing::warn!("nobody can get in, because nobody is set to issue tokens: {remedy}");
        return Ok(());
    }
    Err(ConfigError::new(format!(
        "UNLOOP_BIND is {}, which others can reach, and nobody is set to issue tokens: {remedy}",
        server.bind
    )))
}

fn serve(
    config: &Config,
    listener: TcpListener,
    engine: Data<Engine>,
    access: &Access,
    rates: &Data<Rates>,
    disk: &Arc<DiskWatch>,
) -> Result<Server, StartError> {
    let failed = |error| StartError::Bind(config.server.bind, error);
    let limits = HttpLimits {
        body: config.limits.body,
        url: config.limits.url,
        body_time: config.limits.body_time,
        budget: BudgetLimits {
            time: config.limits.request_time,
            nodes: config.limits.nodes,
            record_bytes: config.limits.record_bytes,
            ..BudgetLimits::default()
        },
        reserve: Arc::new(MemoryReserve::new(config.limits.memory)),
    };
    let (rates, disk) = (rates.clone(), Data::from(disk.clone()));
    let tls = config.server.tls.clone();
    let secure = tls.is_some();
    let origins = config.server.cors_origins.clone();
    let document = Data::new(OpenApi(OPENAPI));
    let gate = Data::from(access.gate.clone());
    let authorization = Data::new(Authorization(access.server.clone()));
    let fhir_servers = Data::from(access.fhir_servers.clone());
    let mut http = HttpServer::new(move || {
        actix_web::App::new()
            .app_data(engine.clone())
            .app_data(document.clone())
            .app_data(rates.clone())
            .app_data(disk.clone())
            .app_data(gate.clone())
            .app_data(authorization.clone())
            .app_data(fhir_servers.clone())
            .wrap(Compress::default())
            .wrap(Condition::new(!origins.is_empty(), cors(&origins)))
            .wrap(from_fn(by_address))
            .wrap(headers(secure))
            .wrap(from_fn(observe))
            .configure(configure(limits.clone()))
    })
    .disable_signals()
    .keep_alive(KEEP_ALIVE)
    .client_request_timeout(HEAD_TIME)
    .tcp_nodelay(true)
    .shutdown_timeout(config.server.shutdown.as_secs());
    if let Some(workers) = config.server.workers {
        http = http.workers(workers);
    }
    let http = match &tls {
        Some(tls) => http.listen_rustls_0_23(listener, tls::server(tls)?),
        None => http.listen(listener),
    };
    Ok(http.map_err(failed)?.run())
}
