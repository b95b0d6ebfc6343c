//! `unloop key`: the keys that sign tokens.

use clap::{Args, Subcommand};

use super::access::{Desk, time};
use super::error::CliError;
use super::output::say;
use crate::access::token::Now;
use crate::config::Config;
use crate::fhir::audit::{Deed, Event};

/// List and change the keys that sign tokens
#[derive(Debug, Args)]
#[command(after_long_help = "Examples:
  unloop key list
  unloop key rotate
  unloop key rotate --at-once      # a key was stolen: every token ends")]
pub struct KeyCommand {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Show the keys and until when each is kept
    List,
    /// Make a new key; old ones stay until their last token has expired
    Rotate {
        /// End the old keys now, and with them every token
        #[arg(long)]
        at_once: bool,
    },
}

impl KeyCommand {
    pub async fn run(self, config: &Config) -> Result<(), CliError> {
        let desk = Desk::open(config).await?;
        let built_in = &desk.server.built_in;
        match self.action {
            Action::List => {
                let event = Event::command("key-list", "unloop key list".to_owned());
                let list = async |_: &Deed| built_in.keys().await;
                for key in desk.recorded(event, list, |_| None).await? {
                    match key.ends {
                        None => say(format!("{}  signs", key.kid))?,
                        Some(ends) => say(format!("{}  kept until {}", key.kid, time(ends)))?,
                    }
                }
                Ok(())
            }
            Action::Rotate { at_once } => {
                let now = Now::under(0).seconds;
                let sent = match at_once {
                    true => "unloop key rotate --at-once",
                    false => "unloop key rotate",
                };
                let event = Event::command("key-rotate", sent.to_owned());
                let work = async |deed: &Deed| built_in.rotate(now, at_once, deed).await;
                let kid = desk.recorded(event, work, |kid| Some(kid.clone())).await?;
                say(format!("{kid}  signs"))
            }
        }
    }
}
