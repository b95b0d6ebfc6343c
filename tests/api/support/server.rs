//! The service itself, as `serve` runs it, on a thread of its own.

use actix_web::web::Data;
use actix_web::{App, HttpServer, dev::ServerHandle};
use unloop::fhir::definitions::r4;
use unloop::fhir::engine::{Engine, Settings};
use unloop::http::routes::{HttpLimits, OpenApi, configure};

use super::call::Call;
use super::database::{Database, StoreKind};

pub struct Server {
    /// `http://127.0.0.1:NNNN/fhir`
    pub base: String,
    pub client: reqwest::Client,
    handle: ServerHandle,
    _database: Database,
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
        };
        tweak(&mut settings);
        let engine = Data::new(Engine::new(store, r4(), settings, Vec::new()));
        let (sender, receiver) = std::sync::mpsc::channel();
        std::thread::spawn(move || {
            actix_web::rt::System::new().block_on(async move {
                let limits = HttpLimits {
                    body: 4 << 20,
                    url: 8192,
                };
                let server = HttpServer::new(move || {
                    App::new()
                        .wrap(actix_web::middleware::Compress::default())
                        .app_data(engine.clone())
                        .app_data(Data::new(OpenApi("{}")))
                        .configure(configure(limits))
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
        Some(Self {
            base,
            client: reqwest::Client::new(),
            handle: receiver.recv().unwrap(),
            _database: database,
        })
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

    pub fn get(&self, path: &str) -> Call {
        self.call("GET", path)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.handle.stop(false));
    }
}
