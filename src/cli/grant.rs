//! `unloop grant`: what outside therapists may see.

use clap::{Args, Subcommand};

use super::access::{Desk, duration, plain, time};
use super::account::operator;
use super::error::CliError;
use super::output::{note, say};
use crate::access::Internal;
use crate::access::grant::{Grant, Grants, Invite, Invites, NewGrant};
use crate::config::Config;
use crate::fhir::audit::{Deed, Event};
use crate::fhir::outcome::{Failure, Kind};

/// Let an outside therapist see parts of some patients' records
///
/// A grant rests on a FHIR Consent of each patient, which it writes unless one is
/// named. It ends with its time, with the Consent, with the Practitioner or when
/// it is revoked, and all its tokens with it, at the next request.
#[derive(Debug, Args)]
#[command(after_long_help = "Examples:
  unloop grant add --practitioner 7 --patient 123 --for 90d \\
      --scope 'patient/Observation.rs?category=http://terminology.hl7.org/CodeSystem/observation-category|survey patient/Appointment.rs'
  unloop grant list
  unloop grant invite ID        # prints a one-time code
  curl -d grant_type=urn:unloop:grant-type:invite -d code=CODE https://records.example.org/auth/token
  unloop grant revoke ID")]
pub struct GrantCommand {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Make a grant; prints its id
    Add(Add),
    /// Show all grants
    List,
    /// Print a code that the therapist's software exchanges for a token, once
    Invite {
        /// As `unloop grant list` shows it
        id: String,
        /// How long the code is good: 90s, 15m, 1h; at most 7d
        #[arg(long, default_value = "1d", value_parser = duration)]
        ttl: i64,
        /// How long the token will live; the end of the grant ends it anyway
        #[arg(long, default_value = "30d", value_parser = duration)]
        token_ttl: i64,
    },
    /// End a grant, its tokens and the Consents that it wrote
    Revoke {
        /// As `unloop grant list` shows it
        id: String,
    },
}

#[derive(Debug, Args)]
struct Add {
    /// Id of the Practitioner: the outside therapist
    #[arg(long, value_name = "ID")]
    practitioner: String,
    /// Id of a patient; may be given several times
    #[arg(long = "patient", value_name = "ID", required = true)]
    patients: Vec<String>,
    /// SMART scopes that begin with patient/ or user/, with spaces between them
    #[arg(long)]
    scope: String,
    /// How long: 12h, 90d
    #[arg(long = "for", value_name = "TIME", value_parser = duration)]
    length: i64,
    /// A code of v3-PurposeOfUse
    #[arg(long, default_value = "TREAT")]
    purpose: String,
    /// A sensitive label whose records it shows, such as PSY; may be given several times
    #[arg(long = "label", value_name = "CODE")]
    labels: Vec<String>,
    /// Id of a Consent that exists; may be given several times
    #[arg(long = "consent", value_name = "ID")]
    consents: Vec<String>,
}

impl GrantCommand {
    pub async fn run(self, config: &Config) -> Result<(), CliError> {
        let desk = Desk::open(config).await?;
        let grants = Grants {
            engine: desk.engine.clone(),
        };
        let now = desk.now().await?.seconds;
        let caller = operator(Internal::Operator);
        match self.action {
            Action::Add(add) => {
                let asked = add.asked(now);
                let sent = format!(
                    "unloop grant add --practitioner {} --scope '{}'",
                    asked.practitioner, asked.scope
                );
                let event = Event::command("grant-add", sent).concerning(asked.patients.clone());
                let work = async |deed: &Deed| grants.add(&caller, asked, now, deed).await;
                let id = |grant: &Grant| Some(grant.id.clone());
                let grant = desk.recorded(event, work, id).await?;
                note("The therapist gets in by: unloop grant invite ID");
                say(grant.id)
            }
            Action::List => {
                let event = Event::command("grant-list", "unloop grant list".to_owned());
                let list = async |_: &Deed| grants.list().await;
                let all = desk.recorded(event, list, |_| None).await?;
                all.iter().try_for_each(|grant| say(line(grant, now)))
            }
            Action::Invite { id, ttl, token_ttl } => {
                let event = Event::command("grant-invite", "unloop grant invite".to_owned());
                let event = event.about(&id);
                let work =
                    async |deed: &Deed| invite(&grants, id, (ttl, token_ttl), now, deed).await;
                say(desk.recorded(event, work, |_| None).await?)
            }
            Action::Revoke { id } => {
                let sent = "unloop grant revoke".to_owned();
                let event = Event::command("grant-revoke", sent).about(&id);
                let work = async |deed: &Deed| grants.revoke(&caller, &id, deed).await;
                desk.recorded(event, work, |_| None).await?;
                note("Revoked.");
                Ok(())
            }
        }
    }
}

/// A one-time code for the grant, if it stands.
async fn invite(
    grants: &Grants,
    grant: String,
    (ttl, token_ttl): (i64, i64),
    now: i64,
    deed: &Deed,
) -> Result<String, Failure> {
    if grants.standing(&grant, now).await?.is_none() {
        let text = "there is no such grant, or it has ended; see unloop grant list";
        return Err(Failure::new(Kind::NotFound, text));
    }
    let invite = Invite { grant, token_ttl };
    let invites = Invites::new(grants.engine.store.clone());
    invites.make(&invite, ttl, now, deed).await
}

impl Add {
    fn asked(self, now: i64) -> NewGrant {
        NewGrant {
            practitioner: self.practitioner,
            patients: self.patients,
            scope: self.scope,
            purpose: self.purpose,
            ends: now + self.length,
            labels: self.labels,
            consents: self.consents,
        }
    }
}

fn line(grant: &Grant, now: i64) -> String {
    let patients: Vec<&str> = grant.basis.iter().map(|b| b.patient.as_str()).collect();
    let end = match grant.ends <= now {
        true => "over".to_owned(),
        false => format!("until {}", time(grant.ends)),
    };
    let scope = plain(&grant.scope);
    format!(
        "{}  {end}  Practitioner/{}  Patient/{}  {scope}",
        grant.id,
        grant.practitioner,
        patients.join(",")
    )
}
