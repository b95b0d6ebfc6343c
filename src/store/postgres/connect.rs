//! Connections: how one is opened, and the pool that keeps them.
//! <https://www.postgresql.org/docs/current/libpq-connect.html#LIBPQ-CONNSTRING>

use std::sync::Arc;

use diesel::{ConnectionError, ConnectionResult};
use diesel_async::pooled_connection::deadpool::Pool;
use diesel_async::pooled_connection::{
    AsyncDieselConnectionManager, ManagerConfig, RecyclingMethod,
};
use diesel_async::{AsyncConnection, AsyncPgConnection, SimpleAsyncConnection};
use futures_util::FutureExt;

use super::PostgresSettings;
use super::fault::unavailable;
use crate::store::StoreError;

/// Knows where the server is and how to greet it.
#[derive(Clone)]
pub(super) struct Opener {
    url: Arc<str>,
    settings: PostgresSettings,
}

impl Opener {
    pub fn new(url: &str, settings: &PostgresSettings) -> Self {
        Self {
            url: url.into(),
            settings: settings.clone(),
        }
    }

    /// A new connection, with `session` run first.
    pub async fn open(&self, session: &str) -> Result<AsyncPgConnection, StoreError> {
        self.connect(session).await.map_err(unavailable)
    }

    /// Connections that are kept and shared.
    pub fn pool(&self) -> Result<Pool<AsyncPgConnection>, StoreError> {
        let opener = self.clone();
        let mut config = ManagerConfig::default();
        // One that is known to be closed is dropped; to ask the server each time costs a round trip.
        config.recycling_method = RecyclingMethod::Fast;
        config.custom_setup = Box::new(move |_| {
            let opener = opener.clone();
            async move { opener.connect("").await }.boxed()
        });
        let manager = AsyncDieselConnectionManager::new_with_config(&*self.url, config);
        Pool::builder(manager)
            .max_size(self.settings.pool_size.max(1))
            .build()
            .map_err(unavailable)
    }

    async fn connect(&self, session: &str) -> ConnectionResult<AsyncPgConnection> {
        let late = |_| ConnectionError::BadConnection("the server did not answer in time".into());
        // Just-in-time compilation costs more than any statement here takes.
        let setup = format!(
            "SET application_name = 'unloop'; SET jit = off; SET statement_timeout = {}; {session}",
            self.settings.statement_timeout.as_millis()
        );
        let connect = async {
            let mut connection = AsyncPgConnection::establish(&self.url).await?;
            connection
                .batch_execute(&setup)
                .await
                .map_err(ConnectionError::CouldntSetupConfiguration)?;
            Ok(connection)
        };
        tokio::time::timeout(self.settings.connect_timeout, connect)
            .await
            .unwrap_or_else(|elapsed| Err(late(elapsed)))
    }
}
