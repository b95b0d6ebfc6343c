//! Connections: how one is opened, and the pool that keeps them.

use std::sync::Arc;

use diesel::{ConnectionError, ConnectionResult};
use diesel_async::pooled_connection::deadpool::Pool;
use diesel_async::pooled_connection::{
    AsyncDieselConnectionManager, ManagerConfig, RecyclingMethod,
};
use diesel_async::{AsyncPgConnection, SimpleAsyncConnection};
use futures_util::FutureExt;
use tokio::runtime::Handle;
use tokio_postgres::tls::{MakeTlsConnect, TlsConnect};
use tokio_postgres::{Config, NoTls, Socket};
use tokio_postgres_rustls::MakeRustlsConnect;

use super::address;
use super::fault::{causes, unavailable};
use super::settings::PostgresSettings;
use super::tls;
use crate::store::StoreError;

/// One plan for all values, and resources are found by index from the first row
/// on: a plan made while the tables were small is kept, and must not turn bad
/// when they have grown.
/// <https://www.postgresql.org/docs/current/runtime-config-query.html>
pub(super) const BY_INDEX: &str = "SET enable_seqscan = off; SET enable_hashjoin = off; \
     SET enable_mergejoin = off; SET plan_cache_mode = force_generic_plan";

/// Knows where the server is and how to greet it.
#[derive(Clone)]
pub(super) struct Opener {
    config: Arc<Config>,
    tls: Option<MakeRustlsConnect>,
    settings: PostgresSettings,
    /// The runtime that opened the store.
    home: Handle,
}

impl Opener {
    pub fn new(url: &str, settings: &PostgresSettings) -> Result<Self, StoreError> {
        let address = address::parse(url, settings.connect_timeout)?;
        Ok(Self {
            config: Arc::new(address.config),
            tls: address.tls.as_ref().map(tls::connector).transpose()?,
            settings: settings.clone(),
            home: Handle::current(),
        })
    }

    /// A new connection, with `session` run first.
    pub async fn open(&self, session: &str) -> Result<AsyncPgConnection, StoreError> {
        self.connect(session).await.map_err(unavailable)
    }

    /// Up to `size` connections that are kept and shared; `session` runs first on each.
    pub fn pool(
        &self,
        size: usize,
        session: String,
    ) -> Result<Pool<AsyncPgConnection>, StoreError> {
        let opener = self.clone();
        let mut config = ManagerConfig::default();
        // One that is known to be closed is dropped; to ask the server each time costs a round trip.
        config.recycling_method = RecyclingMethod::Fast;
        config.custom_setup = Box::new(move |_| {
            let (opener, session) = (opener.clone(), session.clone());
            async move { opener.connect_at_home(session).await }.boxed()
        });
        // The opener knows the address.
        let manager = AsyncDieselConnectionManager::new_with_config("", config);
        Pool::builder(manager)
            .max_size(size.max(1))
            .build()
            .map_err(unavailable)
    }

    /// What drives a connection runs where it was opened: not among long work, and not
    /// on a worker that may be busy.
    async fn connect_at_home(&self, session: String) -> ConnectionResult<AsyncPgConnection> {
        let opener = self.clone();
        let opening = self
            .home
            .spawn(async move { opener.connect(&session).await });
        let ended = |error: tokio::task::JoinError| Err(bad(error.to_string()));
        opening.await.unwrap_or_else(ended)
    }

    async fn connect(&self, session: &str) -> ConnectionResult<AsyncPgConnection> {
        // Just-in-time compilation costs more than any statement here takes.
        let setup = format!(
            "SET application_name = 'unloop'; SET jit = off; SET statement_timeout = {}; {session}",
            self.settings.statement_timeout.as_millis()
        );
        let connect = async {
            let mut connection = match &self.tls {
                Some(tls) => establish(&self.config, tls.clone()).await?,
                None => establish(&self.config, NoTls).await?,
            };
            connection
                .batch_execute(&setup)
                .await
                .map_err(ConnectionError::CouldntSetupConfiguration)?;
            Ok(connection)
        };
        tokio::time::timeout(self.settings.connect_timeout, connect)
            .await
            .unwrap_or_else(|_| Err(bad("the server did not answer in time".into())))
    }
}

async fn establish<T>(config: &Config, tls: T) -> ConnectionResult<AsyncPgConnection>
where
    T: MakeTlsConnect<Socket>,
    T::Stream: Send + 'static,
    T::TlsConnect: Send,
    <T::TlsConnect as TlsConnect<Socket>>::Future: Send,
{
    let (client, connection) = config
        .connect(tls)
        .await
        .map_err(|error| bad(causes(&error)))?;
    AsyncPgConnection::try_from_client_and_connection(client, connection).await
}

fn bad(reason: String) -> ConnectionError {
    ConnectionError::BadConnection(reason)
}
