//! `unloop token`: tokens for scripts and operators.

use clap::{Args, Subcommand};

use super::access::{Desk, duration, plain, problem, time};
use super::error::CliError;
use super::output::say;
use crate::access::issuer::{Issued, TokenTerms, Tokens};
use crate::access::rights::refuse_unusable;
use crate::access::scope::{Context, SmartScope};
use crate::config::Config;
use crate::fhir::audit::{Deed, Event};

/// Issue, list and revoke tokens of the built-in issuer
///
/// Run it with the settings of the server: a token is for the base URL
/// (UNLOOP_BASE_URL, or else UNLOOP_BIND) and signed with keys that
/// UNLOOP_SECRET opens.
#[derive(Debug, Args)]
#[command(after_long_help = "Examples:
  unloop token issue --scope 'system/*.rs'
  unloop token issue --scope 'patient/*.rs' --patient 123 --ttl 15m --label 'for the app test'
  curl -H \"Authorization: Bearer $(unloop token issue --scope 'system/*.rs')\" http://127.0.0.1:8080/fhir/Patient
  unloop token list
  unloop token revoke ID")]
pub struct TokenCommand {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Print a new token, and nothing else
    Issue(Issue),
    /// Show the tokens that have not expired, without the tokens themselves
    List,
    /// End a token at once, on every instance
    Revoke {
        /// As `unloop token list` shows it
        id: String,
    },
}

#[derive(Debug, Args)]
struct Issue {
    /// SMART scopes with spaces between them
    #[arg(long)]
    scope: String,
    /// The patient that scopes patient/… are about
    #[arg(long, value_name = "ID")]
    patient: Option<String>,
    /// Who uses the token, and whom scopes user/… are about, such as Practitioner/1
    #[arg(long, value_name = "TYPE/ID")]
    user: Option<String>,
    /// How long it lives: 90s, 15m, 1h, 7d; at most 366d
    #[arg(long, default_value = "1h", value_parser = duration)]
    ttl: i64,
    /// What it is for; shown by `unloop token list`
    #[arg(long)]
    label: Option<String>,
}

impl TokenCommand {
    pub async fn run(self, config: &Config) -> Result<(), CliError> {
        let desk = Desk::open(config).await?;
        let tokens = Tokens::new(desk.engine.store.clone());
        match self.action {
            Action::Issue(issue) => issue.run(&desk).await,
            Action::List => {
                let event = Event::command("token-list", "unloop token list".to_owned());
                let list = async |_: &Deed| tokens.list().await;
                let all = desk.recorded(event, list, |_| None).await?;
                for token in all {
                    let until = if token.revoked {
                        "revoked"
                    } else {
                        &time(token.expires)
                    };
                    let about = token.label.or(token.client).unwrap_or_default();
                    let (scope, about) = (plain(&token.scope), plain(&about));
                    say(format!("{}  {until}  {scope}  {about}", token.id))?;
                }
                Ok(())
            }
            Action::Revoke { id } => {
                let sent = "unloop token revoke".to_owned();
                let event = Event::command("token-revoke", sent).about(&id);
                let work = async |deed: &Deed| tokens.revoke(&id, deed).await;
                desk.recorded(event, work, |()| None).await
            }
        }
    }
}

impl Issue {
    async fn run(self, desk: &Desk) -> Result<(), CliError> {
        refuse_unusable(&desk.engine.catalogue, &self.scope).map_err(problem)?;
        let needs = |context: Context| {
            let mut scopes = self
                .scope
                .split_ascii_whitespace()
                .filter_map(SmartScope::parse);
            scopes.any(|scope| scope.context == context)
        };
        if needs(Context::Patient) != self.patient.is_some() {
            let text = "scopes that begin with patient/ and --patient belong together";
            return Err(CliError::Failed(text.to_owned()));
        }
        // Who uses an app can be told beside the patient whose record it has opened.
        let named = self.user.is_some() && self.patient.is_none();
        if needs(Context::User) && self.user.is_none() || named && !needs(Context::User) {
            let text = "scopes that begin with user/ and --user belong together";
            return Err(CliError::Failed(text.to_owned()));
        }
        let terms = TokenTerms {
            subject: "operator".to_owned(),
            scope: self.scope,
            patient: self.patient,
            fhir_user: self.user,
            ttl: self.ttl,
            label: self.label,
            ..TokenTerms::default()
        };
        let sent = format!("unloop token issue --scope '{}'", terms.scope);
        let patients = terms.patient.iter().cloned().collect();
        let event = Event::command("token-issue", sent).concerning(patients);
        let now = desk.now().await?;
        let built_in = &desk.server.built_in;
        let issuing = async |deed: &Deed| built_in.issue(&terms, now, deed).await;
        let id = |issued: &Issued| Some(issued.id.clone());
        say(desk.recorded(event, issuing, id).await?.token)
    }
}
