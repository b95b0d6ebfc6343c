//! `unloop version`

use clap::Args;

use super::error::CliError;
use super::output::say;

/// Print the version of the program and of FHIR
#[derive(Debug, Args)]
pub struct Version;

impl Version {
    pub fn run(&self) -> Result<(), CliError> {
        say(format!(
            "unloop {} (FHIR R4 4.0.1)",
            env!("CARGO_PKG_VERSION")
        ))
    }
}
