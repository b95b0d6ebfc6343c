//! Why a command did not succeed, and the exit status that says so.

use std::process::ExitCode;

use crate::app::StartError;
use crate::config::ConfigError;

#[derive(Debug, thiserror::Error)]
pub enum CliError {
    #[error(transparent)]
    Config(#[from] ConfigError),
    #[error("{0}")]
    Failed(String),
    /// The command has said already what went wrong.
    #[error("")]
    Reported,
}

impl CliError {
    pub fn failed(error: impl std::fmt::Display) -> Self {
        Self::Failed(error.to_string())
    }

    pub fn exit_code(&self) -> ExitCode {
        match self {
            Self::Config(_) => ExitCode::from(2),
            Self::Failed(_) | Self::Reported => ExitCode::FAILURE,
        }
    }
}

impl From<StartError> for CliError {
    fn from(error: StartError) -> Self {
        match error {
            StartError::Config(error) => Self::Config(error),
            other => Self::failed(other),
        }
    }
}
