//! Whether a token counts: an issuer that is known, a key of that issuer, a
//! signature, and claims that are for this service and this time.
//! <https://www.rfc-editor.org/rfc/rfc9068#section-4>

use std::sync::Arc;

use super::cache::{Cache, Known};
use super::claims::{Claims, LEEWAY};
use super::jws::Jws;
use super::{KeySet, Refusal, Verified};
use crate::access::oauth::scope::scopes_within;

/// Somebody whose tokens count here.
#[async_trait::async_trait]
pub trait Issuer: Send + Sync {
    /// What `iss` says.
    fn name(&self) -> &str;

    /// What `aud` has to say.
    fn audience(&self) -> &str;

    /// Whether it is this service.
    fn is_built_in(&self) -> bool;

    /// The SMART scopes beyond which its tokens grant nothing; `None`: what they say.
    fn ceiling(&self) -> Option<&str> {
        None
    }

    /// Its keys, under the epoch. `wanted`: an unknown one may be a reason to
    /// look again. The same `Arc` as long as nothing changed.
    async fn keys(&self, epoch: i64, wanted: Option<&str>) -> Result<Arc<KeySet>, Refusal>;
}

/// When a token is judged.
#[derive(Clone, Copy, Debug)]
pub struct Now {
    /// Since 1970.
    pub seconds: i64,
    /// Of the registry.
    pub epoch: i64,
}

impl Now {
    /// The time as it is, and the epoch as it was asked for.
    pub fn under(epoch: i64) -> Self {
        Self {
            seconds: jiff::Timestamp::now().as_second(),
            epoch,
        }
    }
}

pub struct Verifier {
    issuers: Vec<Arc<dyn Issuer>>,
    cache: Cache,
}

impl Verifier {
    pub fn new(issuers: Vec<Arc<dyn Issuer>>) -> Self {
        Self {
            issuers,
            cache: Cache::default(),
        }
    }

    pub fn knows(&self, issuer: &str) -> bool {
        self.issuers.iter().any(|known| known.name() == issuer)
    }

    pub async fn verify(&self, token: &str, now: Now) -> Result<Arc<Verified>, Refusal> {
        let digest = Cache::digest(token);
        if let Some(known) = self.cache.get(&digest) {
            if self.still_counts(&known, now).await? {
                return Ok(known.verified);
            }
            self.cache.forget(&digest);
        }
        let known = self.verify_anew(token, now).await?;
        self.cache.put(digest, known.clone(), now.seconds);
        Ok(known.verified)
    }

    async fn still_counts(&self, known: &Known, now: Now) -> Result<bool, Refusal> {
        let Some(issuer) = self.issuers.get(known.issuer) else {
            return Ok(false);
        };
        let keys = issuer.keys(now.epoch, None).await?;
        let in_time = known.verified.expires > now.seconds.saturating_sub(LEEWAY);
        Ok(in_time && Arc::ptr_eq(&keys, &known.keys))
    }

    async fn verify_anew(&self, token: &str, now: Now) -> Result<Known, Refusal> {
        let jws = Jws::parse(token)?;
        let claims = Claims(&jws.claims);
        check_kind(&jws)?;
        let named = claims.required("iss", NO_ISSUER)?;
        let mut issuers = self.issuers.iter().enumerate();
        let (place, issuer) = issuers
            .find(|(_, issuer)| issuer.name() == named)
            .ok_or(NO_ISSUER)?;
        let keys = issuer.keys(now.epoch, jws.kid.as_deref()).await?;
        let key = keys.find(jws.kid.as_deref(), jws.algorithm);
        let key = key.ok_or(Refusal::Invalid(
            "The token is signed with a key that its issuer does not publish.",
        ))?;
        if !jws.is_signed_by(key) {
            return Err(Refusal::Invalid("The signature of the token does not fit."));
        }
        let verified = read(claims, issuer.as_ref(), now.seconds)?;
        Ok(Known {
            verified: Arc::new(verified),
            issuer: place,
            keys,
        })
    }
}

/// A token of another kind (an identity or logout token, a proof) is no access token.
fn check_kind(jws: &Jws<'_>) -> Result<(), Refusal> {
    let kind = jws.kind.as_deref().unwrap_or("jwt");
    match kind.strip_prefix("application/").unwrap_or(kind) {
        "jwt" | "at+jwt" => Ok(()),
        _ => Err(Refusal::Invalid("The token is no access token (typ).")),
    }
}

fn read(claims: Claims<'_>, issuer: &dyn Issuer, now: i64) -> Result<Verified, Refusal> {
    let expires = claims.times(now)?;
    let audiences = claims.audiences()?;
    // Others' issuers may address several; this service addresses itself alone.
    if !audiences.contains(&issuer.audience()) || (issuer.is_built_in() && audiences.len() != 1) {
        return Err(Refusal::Invalid("The token is for another service (aud)."));
    }
    if claims.0.contains_key("cnf") {
        return Err(Refusal::Invalid(
            "The token is bound to a key (cnf), and nothing here can check that.",
        ));
    }
    let subject = claims.required("sub", Refusal::Invalid("The token has no sub."))?;
    let owned = |name: &str| claims.optional(name).map(|text| text.map(str::to_owned));
    let client = match owned("client_id")? {
        Some(client) => Some(client),
        None => owned("azp")?,
    };
    let grant = owned("unloop_grant")?.filter(|_| issuer.is_built_in());
    Ok(Verified {
        issuer: issuer.name().to_owned(),
        subject: subject.to_owned(),
        client,
        token_id: owned("jti")?,
        scope: match issuer.ceiling() {
            Some(ceiling) => scopes_within(claims.long("scope")?, ceiling),
            None => claims.long("scope")?.to_owned(),
        },
        patient: owned("patient")?,
        fhir_user: owned("fhirUser")?,
        grant,
        built_in: issuer.is_built_in(),
        expires,
    })
}

const NO_ISSUER: Refusal =
    Refusal::Invalid("The token's issuer (iss) is not one of those configured.");
