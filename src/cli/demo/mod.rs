//! `unloop demo`: a server with a made-up clinic, gone when it ends.

mod callers;
mod cohort;
mod people;

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::Args;

use super::error::CliError;
use super::output::{note, say};
use crate::access::{Caller, Internal};
use crate::app::{App, StartError};
use crate::config::{Address, Config};
use crate::fhir::engine::Engine;
use crate::fhir::request::{Content, Request, Return, Verb};

/// Try Unloop with a small made-up clinic
///
/// Serves six fictitious patients with their conditions, medication,
/// measurements and appointments from an embedded database in a temporary
/// folder, which is removed at the end (Ctrl-C). Prints tokens for three callers, and
/// requests that show what each can see.
#[derive(Debug, Args)]
#[command(after_long_help = "Examples:
  unloop demo
  UNLOOP_BIND=127.0.0.1:8090 unloop demo")]
pub struct Demo;

impl Demo {
    pub async fn run(self, mut config: Config) -> Result<(), CliError> {
        let folder = Folder::create()?;
        config.database.address = Address::Sqlite(folder.file());
        config.database.migrate = true;
        // A narrowed or proxied service is not what is shown here.
        config.records.types.clear();
        config.server.base_url = None;
        config.access.secret = None;
        config.access.issuer = None;
        config.access.issuers.clear();
        let app = build(config).await?;
        seed(&app.engine()).await?;
        let base = app.listening_url();
        say(format!("Unloop listens on {base}"))?;
        say(callers::introduce(&app, base).await?)?;
        say("\nCtrl-C ends it and removes its data.")?;
        let ended = app.run().await;
        drop(folder);
        Ok(ended?)
    }
}

/// Where nobody chose an address and the usual one is taken, any other will do.
async fn build(mut config: Config) -> Result<App, StartError> {
    let chosen = config.server.bind_given;
    match App::build(config.clone()).await {
        Err(error) if error.is_address_in_use() && !chosen => {
            note(format!(
                "{} is in use; taking a free port",
                config.server.bind
            ));
            config.server.bind = SocketAddr::new(config.server.bind.ip(), 0);
            App::build(config).await
        }
        built => built,
    }
}

async fn seed(engine: &Engine) -> Result<(), CliError> {
    let request = Request {
        content: Content::Resource(cohort::transaction()),
        prefer: Return::Minimal,
        ..Request::new(Verb::Post, Vec::new(), Vec::new())
    };
    let answer = engine
        .handle(&Caller::internal(Internal::Demo), request)
        .await;
    if answer.status == 200 {
        return Ok(());
    }
    let why = answer.content.unwrap_or_default();
    Err(CliError::Failed(format!(
        "the demo data were refused: {why}"
    )))
}

/// A folder of the demo's own, removed with the value.
struct Folder(PathBuf);

impl Folder {
    fn create() -> Result<Self, CliError> {
        let name = format!("unloop-demo-{}", uuid::Uuid::now_v7().simple());
        let path = std::env::temp_dir().join(name);
        std::fs::create_dir(&path)
            .map_err(|error| CliError::Failed(format!("{}: {error}", path.display())))?;
        Ok(Self(path))
    }

    fn file(&self) -> String {
        self.0.join("demo.db").display().to_string()
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        if let Err(error) = std::fs::remove_dir_all(&self.0) {
            note(format!(
                "{} could not be removed: {error}",
                self.0.display()
            ));
        }
    }
}
