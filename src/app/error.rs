//! Why the service does not start, in one line.

use std::net::SocketAddr;

use crate::config::ConfigError;
use crate::store::StoreError;

#[derive(Debug, thiserror::Error)]
pub enum StartError {
    #[error(transparent)]
    Config(#[from] ConfigError),
    #[error("DATABASE_URL: the database cannot be used: {0}")]
    Store(#[from] StoreError),
    #[error("UNLOOP_BIND: cannot listen on {0}: {1}")]
    Bind(SocketAddr, std::io::Error),
    #[error("the server failed: {0}")]
    Server(std::io::Error),
}

impl StartError {
    /// Another program has the address.
    pub fn is_address_in_use(&self) -> bool {
        matches!(self, Self::Bind(_, error) if error.kind() == std::io::ErrorKind::AddrInUse)
    }
}
