//! The command line: one file for each subcommand.

mod access;
mod account;
mod audit;
mod backup;
mod client;
mod demo;
mod error;
mod export;
mod grant;
mod health;
mod import;
mod key;
mod knowledge;
mod migrate;
mod output;
mod progress;
mod reindex;
mod serve;
mod summary;
mod token;
mod version;

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use clap::{Parser, Subcommand};

use crate::config::{Config, settings};
use crate::telemetry::Telemetry;
use error::CliError;

/// How long the last traces and metrics may take.
const TELEMETRY_END: Duration = Duration::from_secs(3);

/// FHIR R4 clinical records on SQLite or PostgreSQL
///
/// Unloop keeps FHIR R4 (4.0.1) resources and answers the FHIR REST API below
/// /fhir. Start with `unloop demo`; it needs nothing and leaves nothing behind.
#[derive(Debug, Parser)]
#[command(
    name = "unloop",
    version,
    after_help = "`unloop --help` lists all settings; `unloop COMMAND --help` has examples.",
    after_long_help = settings::help(),
    arg_required_else_help = true
)]
pub struct Cli {
    /// TOML file with settings; environment variables win over it
    #[arg(long, global = true, value_name = "FILE")]
    config: Option<PathBuf>,

    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Serve(serve::Serve),
    Demo(demo::Demo),
    Migrate(migrate::Migrate),
    Import(import::Import),
    Export(export::Export),
    Backup(backup::Backup),
    Reindex(reindex::Reindex),
    Audit(audit::Audit),
    Client(client::ClientCommand),
    Token(token::TokenCommand),
    Grant(grant::GrantCommand),
    Patient(summary::PatientCommand),
    Key(key::KeyCommand),
    Health(health::Health),
    Knowledge(knowledge::KnowledgeCommand),
    Version(version::Version),
}

/// 0: done; 1: it failed, or a part of it did; 2: a setting is wrong.
pub fn run(cli: Cli) -> ExitCode {
    match perform(cli) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            output::complain(&error);
            error.exit_code()
        }
    }
}

fn perform(cli: Cli) -> Result<(), CliError> {
    if let Command::Version(version) = &cli.command {
        return version.run();
    }
    let config = Config::load(cli.config.as_deref())?;
    if let Command::Health(health) = &cli.command {
        return health.run(&config);
    }
    let telemetry = Telemetry::start(&config.log)?;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(CliError::failed)?;
    let result = runtime.block_on(async {
        match cli.command {
            Command::Serve(serve) => serve.run(config).await,
            Command::Demo(demo) => demo.run(config).await,
            Command::Migrate(migrate) => migrate.run(&config).await,
            Command::Import(import) => import.run(&config).await,
            Command::Export(export) => export.run(&config).await,
            Command::Backup(backup) => backup.run(&config).await,
            Command::Reindex(reindex) => reindex.run(&config).await,
            Command::Audit(audit) => audit.run(&config).await,
            Command::Client(client) => client.run(&config).await,
            Command::Token(token) => token.run(&config).await,
            Command::Grant(grant) => grant.run(&config).await,
            Command::Patient(patient) => patient.run(&config).await,
            Command::Key(key) => key.run(&config).await,
            Command::Knowledge(knowledge) => knowledge.run(&config).await,
            Command::Health(_) | Command::Version(_) => Ok(()),
        }
    });
    // What still runs was given its time already.
    runtime.shutdown_timeout(Duration::from_secs(1));
    telemetry.end(TELEMETRY_END);
    result
}
