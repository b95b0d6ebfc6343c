//! What an operator can set: one struct for each topic. Where a value comes
//! from is decided in `sources`; names, defaults and meanings stand in
//! [`settings`], which also makes the help text.

mod access;
mod cds;
mod clinical;
mod database;
mod limits;
mod log;
mod records;
mod server;
pub mod settings;
mod sources;
mod values;

use std::ffi::OsString;
use std::path::Path;

pub use access::{Access, GivenSecret, TrustedIssuer};
pub use cds::{Cds, TrustedCdsClient};
pub use clinical::{Clinical, Vitals};
pub use database::{Address, Database};
pub use limits::Limits;
pub use log::{Log, LogFormat};
pub use records::Records;
pub use server::{Server, Tls};
pub use values::nearest;

/// A setting that stops the start: one line that names it and the remedy.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct ConfigError(String);

impl ConfigError {
    /// Keeps to one line whatever the value has in it.
    pub fn new(text: impl AsRef<str>) -> Self {
        Self(
            text.as_ref()
                .split_whitespace()
                .collect::<Vec<_>>()
                .join(" "),
        )
    }
}

#[derive(Clone, Debug)]
pub struct Config {
    pub database: Database,
    pub server: Server,
    pub limits: Limits,
    pub records: Records,
    pub access: Access,
    pub cds: Cds,
    pub clinical: Clinical,
    pub log: Log,
}

impl Config {
    /// Reads the environment and the file named by `--config` or `UNLOOP_CONFIG`.
    pub fn load(file: Option<&Path>) -> Result<Self, ConfigError> {
        Self::read(std::env::vars_os(), file)
    }

    /// The same with an environment of the caller's.
    pub fn read(
        environment: impl IntoIterator<Item = (OsString, OsString)>,
        file: Option<&Path>,
    ) -> Result<Self, ConfigError> {
        let values = sources::gather(environment, file)?;
        Ok(Self {
            database: Database::read(&values)?,
            server: Server::read(&values)?,
            limits: Limits::read(&values)?,
            records: Records::read(&values),
            access: Access::read(&values)?,
            cds: Cds::read(&values)?,
            clinical: Clinical::read(&values)?,
            log: Log::read(&values)?,
        })
    }
}
