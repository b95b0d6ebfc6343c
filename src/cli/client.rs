//! `unloop client`: software that gets tokens with a key of its own.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::access::{Desk, plain};
use super::error::CliError;
use super::output::say;
use crate::access::oauth::{Client, NewClient};
use crate::config::Config;
use crate::fhir::audit::{Deed, Event};

/// Register, list and disable clients of /auth/token
///
/// A client is a backend service that proves itself with a signed assertion
/// (private_key_jwt, RS384 or ES384). Only its public keys are registered.
#[derive(Debug, Args)]
#[command(after_long_help = "Examples:
  unloop client add ehr --scope 'system/*.rs' --jwks ehr-public.json
  unloop client add ehr --scope 'system/*.rs' --jwks-uri https://ehr.example.org/jwks.json
  unloop client list
  unloop client disable ehr        # its tokens end at once")]
pub struct ClientCommand {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Register a client
    Add(Add),
    /// Show the clients
    List,
    /// Shut a client out, with all its tokens
    Disable { id: String },
}

#[derive(Debug, Args)]
struct Add {
    /// The client's id
    id: String,
    /// SMART scopes that it may ask for at most
    #[arg(long)]
    scope: String,
    /// File with its public keys, a JWK Set
    #[arg(
        long,
        value_name = "FILE",
        conflicts_with = "jwks_uri",
        required_unless_present = "jwks_uri"
    )]
    jwks: Option<PathBuf>,
    /// Where it publishes its keys
    #[arg(long, value_name = "URL")]
    jwks_uri: Option<String>,
    /// What people call it
    #[arg(long)]
    name: Option<String>,
}

impl ClientCommand {
    pub async fn run(self, config: &Config) -> Result<(), CliError> {
        let desk = Desk::open(config).await?;
        match self.action {
            Action::Add(add) => add.run(&desk).await,
            Action::List => {
                let event = Event::command("client-list", "unloop client list".to_owned());
                let work = async |_: &Deed| desk.server.clients().list().await;
                for client in desk.recorded(event, work, |_| None).await? {
                    let state = if client.disabled {
                        "disabled"
                    } else {
                        "active"
                    };
                    let name = plain(&client.name.unwrap_or_default());
                    say(format!(
                        "{}  {state}  {}  {name}",
                        client.id,
                        plain(&client.scope)
                    ))?;
                }
                Ok(())
            }
            Action::Disable { id } => {
                let sent = "unloop client disable".to_owned();
                let event = Event::command("client-disable", sent).about(&id);
                let clients = desk.server.clients();
                let work = async |deed: &Deed| clients.disable(&id, deed).await;
                desk.recorded(event, work, |_| None).await?;
                say(format!("{id} is disabled"))
            }
        }
    }
}

impl Add {
    async fn run(self, desk: &Desk) -> Result<(), CliError> {
        let jwks = match &self.jwks {
            None => None,
            Some(path) => {
                let named = |error: &dyn std::fmt::Display| {
                    CliError::Failed(format!("{}: {error}", path.display()))
                };
                let text = std::fs::read_to_string(path).map_err(|error| named(&error))?;
                Some(serde_json::from_str(&text).map_err(|error| named(&error))?)
            }
        };
        let new = NewClient {
            id: Some(self.id),
            name: self.name,
            scope: self.scope,
            jwks,
            jwks_uri: self.jwks_uri,
        };
        let now = desk.now().await?.seconds;
        let sent = format!("unloop client add --scope '{}'", new.scope);
        let event = Event::command("client-add", sent);
        let catalogue = &desk.engine.catalogue;
        let work = async |deed: &Deed| desk.server.register(catalogue, new, now, deed).await;
        let id = |added: &Client| Some(added.id.clone());
        let added = desk.recorded(event, work, id).await?;
        say(format!("{} is registered", added.id))
    }
}
