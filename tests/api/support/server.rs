//! The service itself, as `serve` runs it, on a thread of its own.

use std::sync::Arc;

use actix_web::web::Data;
use actix_web::{App, HttpServer, dev::ServerHandle};
use serde_json::Value;
use unloop::access::issuer::{BuiltIn, Secret, TokenTerms};
use unloop::app::Access;
use unloop::clinical::Clinical;
use unloop::clinical::knowledge::Knowledge;
use unloop::clinical::vitals::Strictness;
use unloop::config::Config;
use unloop::fhir::audit::{Actor, Deed, Event};
use unloop::fhir::cursor::CursorKey;
use unloop::fhir::definitions::r4;
use unloop::fhir::engine::{Engine, Settings};
use unloop::http::auth::Authorization;
use unloop::http::routes::{HttpLimits, OpenApi, configure};
use unloop::store::{
    AuditRow, ChainKey, Registry, RegistryChange, RegistryEntry, RegistryKey, Store, StoreError,
};

use super::call::{Call, Reply};
use super::database::{Database, StoreKind};

const SECRET: &str = "a secret of the tests, long enough";

pub struct Server {
    /// `http://127.0.0.1:NNNN/fhir`
    pub base: String,
    /// Sends a token that may do everything.
    pub client: reqwest::Client,
    pub access: Access,
    handle: ServerHandle,
    database: Arc<Database>,
    pub engine: Data<Engine>,
    pub store: Arc<dyn Store>,
}

impl Server {
    pub async fn start(kind: StoreKind) -> Option<Self> {
        Self::start_with(kind, |_| {}).await
    }

    pub async fn start_with(kind: StoreKind, tweak: impl FnOnce(&mut Settings)) -> Option<Self> {
        let (database, store) = Database::create(kind).await?;
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let base = format!("http://{}/fhir", listener.local_addr().unwrap());
        let mut settings = Settings {
            base_url: base.clone(),
            types: Vec::new(),
            limits: unloop::fhir::engine::Limits::default(),
            cursors: CursorKey::new(b"cursors"),
        };
        tweak(&mut settings);
        let clinical = clinical();
        Some(Self::launch(Arc::new(database), store, settings, listener, clinical, "").await)
    }

    /// A server that holds vital signs to more or less than usual.
    pub async fn start_holding(kind: StoreKind, vitals: Strictness) -> Option<Self> {
        let (database, store) = Database::create(kind).await?;
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let settings = Settings {
            base_url: format!("http://{}/fhir", listener.local_addr().unwrap()),
            types: Vec::new(),
            limits: unloop::fhir::engine::Limits::default(),
            cursors: CursorKey::new(b"cursors"),
        };
        let clinical = clinical().with_vitals(vitals);
        Some(Self::launch(Arc::new(database), store, settings, listener, clinical, "").await)
    }

    /// A server whose CDS services may read this FHIR server.
    pub async fn start_beside(kind: StoreKind, listed: &str) -> Option<Self> {
        let (database, store) = Database::create(kind).await?;
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let settings = Settings {
            base_url: format!("http://{}/fhir", listener.local_addr().unwrap()),
            types: Vec::new(),
            limits: unloop::fhir::engine::Limits::default(),
            cursors: CursorKey::new(b"cursors"),
        };
        let database = Arc::new(database);
        Some(Self::launch(database, store, settings, listener, clinical(), listed).await)
    }

    /// A store on the same database whose trail is under another key, or none.
    pub async fn store_under(&self, key: Option<ChainKey>) -> Arc<dyn Store> {
        self.database.open_under(key).await
    }

    /// Another instance on the same database, behind the same address of the outside.
    pub async fn second(&self) -> Self {
        self.second_knowing(clinical()).await
    }

    /// The same with other rules.
    pub async fn second_knowing(&self, clinical: Clinical) -> Self {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let settings = Settings {
            base_url: self.base.clone(),
            types: Vec::new(),
            limits: unloop::fhir::engine::Limits::default(),
            cursors: CursorKey::new(b"cursors"),
        };
        let store = self.database.open().await;
        let own = format!("http://{}/fhir", listener.local_addr().unwrap());
        let database = self.database.clone();
        let mut launched = Self::launch(database, store, settings, listener, clinical, "").await;
        launched.base = own;
        launched
    }

    async fn launch(
        database: Arc<Database>,
        store: Arc<dyn Store>,
        settings: Settings,
        listener: std::net::TcpListener,
        clinical: Clinical,
        listed: &str,
    ) -> Self {
        let base = settings.base_url.clone();
        let engine = Engine::new(store.clone(), r4(), settings, clinical.rules());
        let engine = Data::new(engine.with_operations(clinical.operations()));
        let kept = engine.clone();
        let access = access(&engine, listed);
        let server = access.server.clone().unwrap();
        server.built_in.ensure_key().await.unwrap();
        let gate = Data::from(access.gate.clone());
        let fhir_servers = Data::from(access.fhir_servers.clone());
        let authorization = Data::new(Authorization(Some(server)));
        let (sender, receiver) = std::sync::mpsc::channel();
        std::thread::spawn(move || {
            actix_web::rt::System::new().block_on(async move {
                let limits = HttpLimits {
                    body: 4 << 20,
                    url: 8192,
                    ..HttpLimits::default()
                };
                let server = HttpServer::new(move || {
                    App::new()
                        .wrap(actix_web::middleware::Compress::default())
                        .app_data(engine.clone())
                        .app_data(gate.clone())
                        .app_data(authorization.clone())
                        .app_data(fhir_servers.clone())
                        .app_data(Data::new(OpenApi("{}")))
                        .configure(configure(limits.clone()))
                })
                .workers(2)
                .disable_signals()
                .listen(listener)
                .unwrap()
                .run();
                sender.send(server.handle()).unwrap();
                server.await.unwrap();
            });
        });
        let mut launched = Self {
            base,
            client: reqwest::Client::new(),
            access,
            handle: receiver.recv().unwrap(),
            database,
            engine: kept,
            store,
        };
        let token = launched.issue("system/*.cruds").await;
        let mut headers = reqwest::header::HeaderMap::new();
        headers.insert("Authorization", format!("Bearer {token}").parse().unwrap());
        // Shorter than the server keeps an idle connection: a slow machine would else
        // send on one that is just being closed.
        let client = reqwest::Client::builder()
            .default_headers(headers)
            .pool_idle_timeout(std::time::Duration::from_secs(2));
        launched.client = client.build().unwrap();
        launched
    }

    /// A token of the built-in issuer. The trail has what tests do, and not how they
    /// came to do it.
    pub async fn issue(&self, scope: &str) -> String {
        let terms = TokenTerms {
            subject: "tester".to_owned(),
            scope: scope.to_owned(),
            ttl: 3600,
            ..TokenTerms::default()
        };
        self.issue_as(&terms).await
    }

    pub async fn issue_as(&self, terms: &TokenTerms) -> String {
        let now = self.access.gate.now().await.unwrap();
        let registry = Arc::new(Quiet(self.store.clone()));
        let secret = Secret::new(SECRET.as_bytes()).unwrap();
        let base = &self.engine.settings.base_url;
        let issuer = BuiltIn::new(registry, secret, &self.access_root(), base);
        let issued = issuer.issue(terms, now, &deed("token-issue")).await;
        issued.unwrap().token
    }

    /// The issuer's URL, which all instances share.
    pub fn access_root(&self) -> String {
        let configuration = self.access.server.as_ref().unwrap().smart_configuration();
        configuration["issuer"].as_str().unwrap().to_owned()
    }

    /// What stands beside the FHIR base: `/auth/token`.
    pub fn beside(&self, path: &str) -> String {
        format!("{}{path}", self.base.strip_suffix("/fhir").unwrap())
    }

    /// Runs SQL behind the service's back.
    pub async fn execute(&self, sql: &str) {
        self.database.execute(sql).await;
    }

    pub fn call(&self, method: &str, path: &str) -> Call {
        let url = if path.starts_with("http") {
            path.to_owned()
        } else {
            format!("{}{}", self.base, path)
        };
        let method = reqwest::Method::from_bytes(method.as_bytes()).unwrap();
        Call(self.client.request(method, url))
    }

    /// Creates a resource of any type.
    pub async fn create(&self, content: &Value) -> Reply {
        let kind = content["resourceType"].as_str().unwrap();
        let call = self.call("POST", &format!("/{kind}"));
        call.resource(content).expect(201).await
    }

    /// Writes a resource under the id it carries.
    pub async fn put(&self, content: &Value) -> Reply {
        let kind = content["resourceType"].as_str().unwrap();
        let id = content["id"].as_str().unwrap();
        let call = self.call("PUT", &format!("/{kind}/{id}"));
        let reply = call.resource(content).send().await;
        assert!(matches!(reply.status, 200 | 201), "{}", reply.text);
        reply
    }

    /// Posts a batch or transaction that is accepted.
    pub async fn bundle(&self, kind: &str, entries: &[Value]) -> Reply {
        let bundle = super::example::bundle(kind, entries);
        self.call("POST", "").resource(&bundle).expect(200).await
    }

    /// How many resources a search finds.
    pub async fn count(&self, path: &str) -> u64 {
        let sign = if path.contains('?') { '&' } else { '?' };
        let reply = self.get(&format!("{path}{sign}_summary=count"));
        reply.expect(200).await.json()["total"].as_u64().unwrap()
    }

    /// All pages of a search or history from this one to the end.
    pub async fn pages(&self, path: &str) -> Vec<Reply> {
        let mut pages = vec![self.get(path).expect(200).await];
        while let Some(next) = pages.last().unwrap().link("next") {
            assert!(pages.len() < 10_000, "the pages never end");
            pages.push(self.get(&next).expect(200).await);
        }
        pages
    }

    pub fn get(&self, path: &str) -> Call {
        self.call("GET", path)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.handle.stop(false));
    }
}

fn clinical() -> Clinical {
    Clinical::new(Knowledge::embedded().unwrap())
}

/// A registry whose changes leave no rows in the trail.
struct Quiet(Arc<dyn Store>);

#[async_trait::async_trait]
impl Registry for Quiet {
    async fn get(&self, kind: &str, id: &str) -> Result<Option<RegistryEntry>, StoreError> {
        self.0.get(kind, id).await
    }

    async fn list(&self, kind: &str) -> Result<Vec<RegistryEntry>, StoreError> {
        self.0.list(kind).await
    }

    async fn change_told(
        &self,
        changes: Vec<RegistryChange>,
        _told: Vec<AuditRow>,
    ) -> Result<(), StoreError> {
        self.0.change(changes).await
    }

    async fn epoch(&self) -> Result<i64, StoreError> {
        self.0.epoch().await
    }

    async fn expired(&self, limit: usize) -> Result<Vec<RegistryKey>, StoreError> {
        self.0.expired(limit).await
    }
}

/// Something that a test does where others have commands.
pub fn deed(name: &'static str) -> Deed {
    let event = Event::command(name, "a test".to_owned());
    Deed::new("http://127.0.0.1/fhir", Actor::default(), event)
}

/// Issuers and clients of the tests are on this machine.
fn access(engine: &Engine, listed: &str) -> Access {
    let settings = [
        ("UNLOOP_SECRET", SECRET),
        ("UNLOOP_OUTBOUND_PRIVATE", "true"),
        ("UNLOOP_CDS_CLIENTS", "https://ehr.example.org|ehr"),
        ("UNLOOP_CDS_FHIR_SERVERS", listed),
    ];
    let settings = settings.map(|(name, value)| (name.into(), value.into()));
    unloop::app::access(&Config::read(settings, None).unwrap(), engine).unwrap()
}
