//! Three callers of the demo, each with a token of its own, and what each can
//! and cannot see.

use super::people::{CONTRAINDICATED, FIRST, RELAPSED};
use crate::access::grant::{Grants, NewGrant};
use crate::access::issuer::{BuiltIn, TokenTerms};
use crate::access::token::Now;
use crate::access::{Caller, Internal};
use crate::app::App;
use crate::cli::error::CliError;
use crate::fhir::audit::{Deed, Event};
use crate::fhir::authority::Authority as _;
use crate::fhir::engine::unavailable;
use crate::fhir::outcome::{Failure, Kind};

/// Seconds that a token of the demo lives.
const DAY: i64 = 24 * 3600;

/// What the outside therapist is given: scores and sessions, nothing else.
const THERAPY: &str = "patient/Observation.rs?category=http://terminology.hl7.org/CodeSystem/observation-category|survey patient/Appointment.rs";

/// What is printed: a token for each caller, and requests to try.
pub async fn introduce(app: &App, base: &str) -> Result<String, CliError> {
    callers(app, base)
        .await
        .map_err(crate::cli::access::problem)
}

async fn callers(app: &App, base: &str) -> Result<String, Failure> {
    let server = app
        .access()
        .server
        .as_ref()
        .ok_or_else(|| Failure::new(Kind::Internal, "The demo has no issuer of tokens."))?;
    let epoch = app.engine().store.epoch().await;
    let now = Now::under(epoch.map_err(|error| unavailable(&error))?);
    let built_in = &server.built_in;
    let ehr = token(app, built_in, now, "system/*.cruds", None, None).await?;
    let user = Some("Practitioner/demo-psychiatrist");
    let physician = token(app, built_in, now, "user/*.cruds", user, None).await?;
    let grants = Grants {
        engine: app.engine(),
    };
    let asked = NewGrant {
        practitioner: "demo-therapist".to_owned(),
        patients: vec![FIRST.to_owned()],
        scope: THERAPY.to_owned(),
        purpose: "TREAT".to_owned(),
        ends: now.seconds + DAY,
        ..NewGrant::default()
    };
    let grant = grants
        .add(&demo(), asked, now.seconds, &deed(app, "grant-add"))
        .await?;
    let user = Some("Practitioner/demo-therapist");
    let therapist = token(app, built_in, now, THERAPY, user, Some(grant.id)).await?;
    Ok(format!(
        "\nThe EHR, which may do everything:\n{}\n{}\n\nThe physician, who sees all patients:\n{}\n{}\n{}\n{}\n\nThe outside therapist, who was granted scores and sessions of one patient:\n{}\n{}\n{}\n{}",
        variable("EHR", &ehr),
        curl("EHR", base, &format!("Patient/{FIRST}?_pretty=true")),
        variable("PHYSICIAN", &physician),
        curl(
            "PHYSICIAN",
            base,
            &format!(
                "MedicationStatement?subject=Patient/{FIRST}&_include=MedicationStatement:subject&_pretty=true"
            )
        ),
        curl(
            "PHYSICIAN",
            base,
            &format!(
                "Patient/{CONTRAINDICATED}/$medication-compatibility?setting=home&_pretty=true"
            )
        ),
        curl(
            "PHYSICIAN",
            base,
            &format!("Patient/{RELAPSED}/$ybocs-trajectory?_pretty=true")
        ),
        variable("THERAPIST", &therapist),
        curl(
            "THERAPIST",
            base,
            "Observation?code=ybocs-total&_sort=-date&_pretty=true"
        ),
        curl("THERAPIST", base, "Appointment?_pretty=true"),
        curl(
            "THERAPIST",
            base,
            &format!("MedicationStatement?subject=Patient/{FIRST}   # refused: 403")
        ),
    ))
}

async fn token(
    app: &App,
    built_in: &BuiltIn,
    now: Now,
    scope: &str,
    user: Option<&str>,
    grant: Option<String>,
) -> Result<String, Failure> {
    let terms = TokenTerms {
        subject: user.unwrap_or("demo-ehr").to_owned(),
        scope: scope.to_owned(),
        fhir_user: user.map(str::to_owned),
        grant,
        ttl: DAY,
        label: Some("demo".to_owned()),
        ..TokenTerms::default()
    };
    let deed = deed(app, "token-issue");
    Ok(built_in.issue(&terms, now, &deed).await?.token)
}

fn demo() -> Caller {
    Caller::internal(Internal::Demo)
}

fn deed(app: &App, name: &'static str) -> Deed {
    let event = Event::command(name, "unloop demo".to_owned());
    Deed::new(app.base_url(), demo().actor(), event)
}

fn variable(name: &str, token: &str) -> String {
    format!("  {name}={token}")
}

fn curl(name: &str, base: &str, path: &str) -> String {
    let (path, comment) = path.split_once("   ").unwrap_or((path, ""));
    let line = format!("  curl -H \"Authorization: Bearer ${name}\" '{base}/{path}' {comment}");
    line.trim_end().to_owned()
}
