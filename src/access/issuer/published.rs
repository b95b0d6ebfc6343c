//! Keys that somebody publishes: kept as long as their headers say, looked up
//! again for an unknown name, and kept on while the address is down.
//! <https://www.rfc-editor.org/rfc/rfc7517#section-5>

use std::sync::{Arc, PoisonError, RwLock};
use std::time::{Duration, Instant};

use serde_json::Value;

use super::freshness::freshness;
use crate::access::outbound::{Outbound, OutboundError};
use crate::access::token::KeySet;

/// How often an address is asked.
#[derive(Clone, Copy, Debug)]
pub struct Pace {
    /// Between two questions, whoever wants them.
    pub shortest: Duration,
    /// Keys are not believed longer than this without a new answer.
    pub longest: Duration,
}

impl Default for Pace {
    fn default() -> Self {
        Self {
            shortest: Duration::from_secs(10),
            longest: Duration::from_secs(24 * 3600),
        }
    }
}

/// Where the keys are.
pub enum Place {
    /// At an issuer, whose configuration says where.
    /// <https://openid.net/specs/openid-connect-discovery-1_0.html>
    Issuer(String),
    /// At this address.
    Set(String),
}

#[derive(Clone)]
pub struct Published(Arc<Inner>);

struct Inner {
    place: Place,
    outbound: Arc<Outbound>,
    pace: Pace,
    state: RwLock<State>,
    asking: tokio::sync::Mutex<()>,
}

#[derive(Clone, Default)]
struct State {
    known: Option<Known>,
    asked: Option<Instant>,
}

#[derive(Clone)]
struct Known {
    keys: Arc<KeySet>,
    published: Value,
    got: Instant,
    fresh: Duration,
}

impl Published {
    pub fn new(place: Place, outbound: Arc<Outbound>, pace: Pace) -> Self {
        Self(Arc::new(Inner {
            place,
            outbound,
            pace,
            state: RwLock::default(),
            asking: tokio::sync::Mutex::default(),
        }))
    }

    /// `wanted`: an unknown name is a reason to look again. `None`: there is no
    /// answer that may still be believed.
    pub async fn keys(&self, wanted: Option<&str>) -> Option<Arc<KeySet>> {
        let state = self.0.state();
        let asking = |inner: Arc<Inner>| tokio::spawn(async move { inner.ask(state.asked).await });
        if let Some(known) = state.known.filter(|known| self.0.counts(known)) {
            let stale = known.got.elapsed() >= known.fresh;
            if wanted.is_none_or(|kid| known.keys.knows(kid)) {
                if stale {
                    // Nobody waits for it: the old keys hold until then.
                    drop(asking(self.0.clone()));
                }
                return Some(known.keys);
            }
        }
        // On a task of its own: a client that goes away does not end it.
        if let Err(error) = asking(self.0.clone()).await {
            tracing::error!(%error, "fetching keys ended early");
        }
        let known = self.0.state().known.filter(|known| self.0.counts(known));
        known.map(|known| known.keys)
    }
}

impl Inner {
    fn state(&self) -> State {
        self.state
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    fn change(&self, change: impl FnOnce(&mut State)) {
        change(&mut self.state.write().unwrap_or_else(PoisonError::into_inner));
    }

    fn counts(&self, known: &Known) -> bool {
        known.got.elapsed() < self.pace.longest
    }

    /// `before`: when it had been asked last as far as the caller knows. Whoever
    /// waited while another asked is served by that answer.
    async fn ask(&self, before: Option<Instant>) {
        let _one = self.asking.lock().await;
        let asked = self.state().asked;
        if asked != before || asked.is_some_and(|asked| asked.elapsed() < self.pace.shortest) {
            return;
        }
        self.change(|state| state.asked = Some(Instant::now()));
        match self.fetch().await {
            Ok(known) => self.change(|state| state.known = Some(known)),
            Err(error) => {
                tracing::warn!(address = self.place.address(), %error, "keys cannot be fetched");
            }
        }
    }

    async fn fetch(&self) -> Result<Known, OutboundError> {
        let document = match &self.place {
            Place::Set(address) => self.outbound.json(address).await?,
            Place::Issuer(name) => self.outbound.json(&self.discover(name).await?).await?,
        };
        let fresh = freshness(&document.headers);
        let kept = self.state().known;
        let kept = kept.filter(|known| known.published == document.content);
        let keys = match kept {
            // Tokens that were checked with them need not be checked again.
            Some(known) => known.keys,
            None => Arc::new(KeySet::usable(&document.content).map_err(OutboundError::Refused)?),
        };
        Ok(Known {
            keys,
            published: document.content,
            got: Instant::now(),
            fresh: fresh.clamp(self.pace.shortest, self.pace.longest),
        })
    }

    async fn discover(&self, name: &str) -> Result<String, OutboundError> {
        let base = name.trim_end_matches('/');
        let address = format!("{base}/.well-known/openid-configuration");
        let found = self.outbound.json(&address).await?.content;
        if found.get("issuer").and_then(Value::as_str) != Some(name) {
            return Err(OutboundError::Refused(
                "its configuration names another issuer",
            ));
        }
        let keys = found.get("jwks_uri").and_then(Value::as_str);
        let keys = keys.ok_or(OutboundError::Refused("its configuration has no jwks_uri"))?;
        Ok(keys.to_owned())
    }
}

impl Place {
    fn address(&self) -> &str {
        match self {
            Self::Issuer(address) | Self::Set(address) => address,
        }
    }
}
