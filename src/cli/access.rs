//! What the commands on tokens, clients and keys have in common.

use std::sync::Arc;

use super::account::operator;
use super::error::CliError;
use crate::access::Internal;
use crate::access::oauth::AuthorizationServer;
use crate::access::token::Now;
use crate::app;
use crate::config::Config;
use crate::fhir::audit::{self, Deed, Event};
use crate::fhir::authority::Authority as _;
use crate::fhir::engine::Engine;
use crate::fhir::outcome::Failure;

/// The authorization server on the configured database.
pub struct Desk {
    pub engine: Arc<Engine>,
    pub server: Arc<AuthorizationServer>,
}

impl Desk {
    pub async fn open(config: &Config) -> Result<Self, CliError> {
        let engine = app::engine(config, config.server.bind).await?;
        let server = app::access(config, &engine)?.server.ok_or_else(|| {
            CliError::Failed("UNLOOP_SECRET is not set, so this service issues no tokens; set the one that `unloop serve` has".to_owned())
        })?;
        let engine = Arc::new(engine);
        Ok(Self { engine, server })
    }

    /// What the work did, once it is recorded that an operator did it: in the
    /// commit of what it changes, or behind it where it changes nothing. `id` is
    /// the token, client, grant or key that it was about.
    pub async fn recorded<T>(
        &self,
        event: Event,
        work: impl AsyncFnOnce(&Deed) -> Result<T, Failure>,
        id: impl FnOnce(&T) -> Option<String>,
    ) -> Result<T, CliError> {
        let base = &self.engine.settings.base_url;
        let deed = Deed::new(base, operator(Internal::Operator).actor(), event);
        let done = work(&deed).await;
        if deed.is_done() && done.is_ok() {
            return done.map_err(problem);
        }
        let (actor, mut event) = deed.into_parts();
        match &done {
            Ok(done) => event.id = id(done).or(event.id),
            Err(failure) => event.status = failure.status(),
        }
        let recorded = audit::record(&self.engine, &actor, &[event]).await;
        recorded.map_err(problem)?;
        done.map_err(problem)
    }

    pub async fn now(&self) -> Result<Now, CliError> {
        let epoch = self.engine.store.epoch().await;
        epoch.map(Now::under).map_err(CliError::failed)
    }
}

/// The texts of a refusal.
pub fn problem(failure: Failure) -> CliError {
    let texts: Vec<String> = failure.issues.into_iter().map(|issue| issue.text).collect();
    CliError::Failed(texts.join(" "))
}

/// Seconds since 1970 as a person reads them.
pub fn time(seconds: i64) -> String {
    jiff::Timestamp::from_second(seconds).map_or_else(|_| "?".to_owned(), |time| time.to_string())
}

/// `90s`, `15m`, `1h`, `7d` in seconds.
pub fn duration(text: &str) -> Result<i64, String> {
    let wrong = || "write a number and s, m, h or d, such as 15m or 1h".to_owned();
    let (number, unit) = text
        .split_at_checked(text.len().saturating_sub(1))
        .ok_or_else(wrong)?;
    let number: u32 = number.parse().map_err(|_| wrong())?;
    let seconds = match unit {
        "s" => 1,
        "m" => 60,
        "h" => 3600,
        "d" => 86_400,
        _ => return Err(wrong()),
    };
    Ok(i64::from(number) * seconds)
}

/// Texts from outside in a table of one line each.
pub fn plain(text: &str) -> String {
    text.chars()
        .map(|c| if c.is_control() { ' ' } else { c })
        .collect()
}
