//! This service as an issuer: ES384 keys in the registry, sealed, rotated
//! without breaking tokens. <https://www.rfc-editor.org/rfc/rfc9068>

use std::sync::{Arc, Mutex, PoisonError};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};

use super::Secret;
use super::key_ring::{KeyBody, KeyState, Ring};
use crate::access::token::{Issuer, KeySet, Now, Refusal};
use crate::fhir::audit::Deed;
use crate::fhir::engine::unavailable;
use crate::fhir::outcome::{Failure, Kind};
use crate::store::StoreError;
use crate::store::registry::{Registry, RegistryChange, RegistryEntry, RegistryWrite};

/// The kind of a signing key in the registry.
pub(super) const KEY: &str = "key";
/// The kind of a token in the registry.
pub(super) const TOKEN: &str = "token";

/// Seconds that a token lives that nobody lists.
pub const SHORT: i64 = 300;
/// Seconds that any token lives at most.
pub const MAX_TTL: i64 = 366 * 24 * 3600;

/// Instances whose clocks differ.
const GRACE: i64 = 60;
/// Others change keys only rarely.
const TRIES: usize = 5;

/// What a token is to say.
#[derive(Clone, Debug, Default)]
pub struct TokenTerms {
    pub subject: String,
    /// `None`: nobody but the registry vouches for it, so it is listed there.
    pub client: Option<String>,
    pub scope: String,
    pub patient: Option<String>,
    pub fhir_user: Option<String>,
    pub grant: Option<String>,
    /// Seconds.
    pub ttl: i64,
    pub label: Option<String>,
}

pub struct Issued {
    pub token: String,
    pub id: String,
    /// Seconds since 1970.
    pub expires: i64,
}

pub struct BuiltIn {
    registry: Arc<dyn Registry>,
    secret: Secret,
    name: String,
    audience: String,
    kept: Mutex<Option<(i64, Arc<Ring>)>>,
}

impl BuiltIn {
    /// `name` is its own URL, `audience` the FHIR base.
    pub fn new(registry: Arc<dyn Registry>, secret: Secret, name: &str, audience: &str) -> Self {
        Self {
            registry,
            secret,
            name: name.to_owned(),
            audience: audience.to_owned(),
            kept: Mutex::new(None),
        }
    }

    /// The public halves of all keys whose tokens may live.
    pub async fn published(&self, epoch: i64) -> Result<Value, Failure> {
        Ok(self.ring(epoch).await?.published.clone())
    }

    /// Makes the first key where there is none.
    pub async fn ensure_key(&self) -> Result<(), Failure> {
        let entries = self.entries().await?;
        if !entries.is_empty() {
            return self.read(&entries).map(|_| ());
        }
        let (kid, write) = self.new_key()?;
        let change = RegistryChange::new(KEY, &kid, write);
        self.registry.change(vec![change]).await.map_err(failed)
    }

    /// New tokens are signed with a new key. Old ones go on until they expire,
    /// or end now.
    pub async fn rotate(&self, now: i64, end_old: bool, deed: &Deed) -> Result<String, Failure> {
        for _ in 0..TRIES {
            let (kid, write) = self.new_key()?;
            let mut changes = vec![RegistryChange::new(KEY, &kid, write)];
            for entry in self.entries().await? {
                if let Some(write) = retired(&entry, now, end_old)? {
                    changes.push(RegistryChange::new(KEY, &entry.key.id, write));
                }
            }
            match deed.change(self.registry.as_ref(), changes, &kid).await {
                Ok(()) => return Ok(kid),
                Err(StoreError::Registry { .. }) => {}
                Err(error) => return Err(failed(error)),
            }
        }
        Err(busy())
    }

    pub async fn keys(&self) -> Result<Vec<KeyState>, Failure> {
        Ok(self.entries().await?.iter().map(KeyState::of).collect())
    }

    /// A signed token. What lives longer than [`SHORT`], has no client or rests on a grant is
    /// listed, and its key stays as long as it does.
    pub async fn issue(
        &self,
        terms: &TokenTerms,
        now: Now,
        deed: &Deed,
    ) -> Result<Issued, Failure> {
        let issued = self.issue_for(terms, now, deed, None).await?;
        issued.ok_or_else(busy)
    }

    /// The same for something that is good for one token alone and used up with
    /// it; `None`: it was used up before.
    pub async fn issue_for(
        &self,
        terms: &TokenTerms,
        now: Now,
        deed: &Deed,
        once: Option<RegistryChange>,
    ) -> Result<Option<Issued>, Failure> {
        if !(1..=MAX_TTL).contains(&terms.ttl) {
            let text = "A token lives for at least a second and at most 366 days.";
            return Err(Failure::new(Kind::Value, text));
        }
        let unlisted = terms.client.is_some() && terms.grant.is_none() && terms.ttl <= SHORT;
        if unlisted && once.is_none() {
            let ring = self.ring(now.epoch).await?;
            return self.sign(&ring, terms, now.seconds).map(Some);
        }
        self.ensure_key().await?;
        for _ in 0..TRIES {
            let entries = self.entries().await?;
            let ring = self.read(&entries)?;
            let issued = self.sign(&ring, terms, now.seconds)?;
            let mut changes: Vec<RegistryChange> = once.iter().cloned().collect();
            changes.push(listed(terms, &issued, now.seconds));
            changes.extend(holding(&entries, &ring, issued.expires)?);
            match deed
                .change(self.registry.as_ref(), changes, &issued.id)
                .await
            {
                Ok(()) => return Ok(Some(issued)),
                Err(StoreError::Registry { change: 0, .. }) if once.is_some() => return Ok(None),
                Err(StoreError::Registry { .. }) => {}
                Err(error) => return Err(failed(error)),
            }
        }
        Err(busy())
    }

    fn sign(&self, ring: &Ring, terms: &TokenTerms, now: i64) -> Result<Issued, Failure> {
        let key = ring.signing.as_ref().ok_or_else(|| {
            Failure::new(
                Kind::Unavailable,
                "There is no key to sign tokens with; the operator makes one: unloop key rotate.",
            )
        })?;
        let id = uuid::Uuid::now_v7().simple().to_string();
        let expires = now.saturating_add(terms.ttl);
        let mut claims = json!({
            "iss": self.name,
            "aud": self.audience,
            "sub": terms.subject,
            "iat": now,
            "exp": expires,
            "jti": id,
            "scope": terms.scope,
        });
        let context = [
            ("client_id", &terms.client),
            ("patient", &terms.patient),
            ("fhirUser", &terms.fhir_user),
            ("unloop_grant", &terms.grant),
        ];
        if let Some(claims) = claims.as_object_mut() {
            for (name, value) in context {
                if let Some(value) = value {
                    claims.insert(name.to_owned(), value.as_str().into());
                }
            }
        }
        let header = json!({"alg": "ES384", "typ": "at+jwt", "kid": key.kid});
        let encoded = |part: &Value| URL_SAFE_NO_PAD.encode(part.to_string());
        let message = format!("{}.{}", encoded(&header), encoded(&claims));
        let signature = key.sign(message.as_bytes()).ok_or_else(unusable)?;
        let token = format!("{message}.{}", URL_SAFE_NO_PAD.encode(signature));
        Ok(Issued { token, id, expires })
    }

    fn new_key(&self) -> Result<(String, RegistryWrite), Failure> {
        let kid = uuid::Uuid::now_v7().simple().to_string();
        let body = KeyBody::generate(&self.secret, &kid).ok_or_else(unusable)?;
        let body = body.encode();
        Ok((
            kid,
            RegistryWrite::Insert {
                body,
                expires: None,
            },
        ))
    }

    async fn entries(&self) -> Result<Vec<RegistryEntry>, Failure> {
        self.registry.list(KEY).await.map_err(failed)
    }

    fn read(&self, entries: &[RegistryEntry]) -> Result<Ring, Failure> {
        let ring = Ring::open(&self.secret, entries)?;
        if ring.signing.is_none() && !entries.is_empty() {
            return Err(Failure::new(
                Kind::Unavailable,
                "The signing key was sealed with another UNLOOP_SECRET. Set that one again, or make new keys with: unloop key rotate.",
            ));
        }
        Ok(ring)
    }

    /// What was read under the epoch; unchanged keys stay the same object.
    async fn ring(&self, epoch: i64) -> Result<Arc<Ring>, Failure> {
        let kept = self.kept();
        if let Some((of, ring)) = &kept
            && *of == epoch
        {
            return Ok(ring.clone());
        }
        let entries = self.entries().await?;
        let ring = match kept {
            Some((_, ring)) if ring.is_of(&entries) => ring,
            _ => Arc::new(Ring::open(&self.secret, &entries)?),
        };
        let mut slot = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        if slot.as_ref().is_none_or(|(of, _)| *of < epoch) {
            *slot = Some((epoch, ring.clone()));
        }
        Ok(ring)
    }

    fn kept(&self) -> Option<(i64, Arc<Ring>)> {
        self.kept
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }
}

#[async_trait::async_trait]
impl Issuer for BuiltIn {
    fn name(&self) -> &str {
        &self.name
    }

    fn audience(&self) -> &str {
        &self.audience
    }

    fn is_built_in(&self) -> bool {
        true
    }

    async fn keys(&self, epoch: i64, _wanted: Option<&str>) -> Result<Arc<KeySet>, Refusal> {
        let ring = self.ring(epoch).await;
        ring.map(|ring| ring.verifying.clone()).map_err(|_| {
            Refusal::Unavailable("The keys of this service cannot be read now; try again.")
        })
    }
}

/// `None`: it is retired already, and may go on.
fn retired(
    entry: &RegistryEntry,
    now: i64,
    at_once: bool,
) -> Result<Option<RegistryWrite>, Failure> {
    let version = entry.version;
    if at_once {
        return Ok(Some(RegistryWrite::Delete {
            version: Some(version),
        }));
    }
    if entry.expires.is_some() {
        return Ok(None);
    }
    let last = KeyBody::decode(entry)?.until.max(now + SHORT) + GRACE;
    Ok(Some(RegistryWrite::Replace {
        version,
        body: entry.body.clone(),
        expires: Some(micros(last)),
    }))
}

/// The key must outlive the token. Nobody's access depends on the note, so the
/// epoch stays.
fn holding(
    entries: &[RegistryEntry],
    ring: &Ring,
    expires: i64,
) -> Result<Option<RegistryChange>, Failure> {
    let kid = ring.signing.as_ref().map(|key| key.kid.as_str());
    let Some(entry) = entries
        .iter()
        .find(|entry| Some(entry.key.id.as_str()) == kid)
    else {
        return Ok(None);
    };
    let mut body = KeyBody::decode(entry)?;
    // Also where it holds already: a rotation since then has to be noticed.
    body.until = body.until.max(expires);
    let write = RegistryWrite::Replace {
        version: entry.version,
        body: body.encode(),
        expires: None,
    };
    Ok(Some(
        RegistryChange::new(KEY, &entry.key.id, write).silent(),
    ))
}

fn listed(terms: &TokenTerms, issued: &Issued, now: i64) -> RegistryChange {
    let body = json!({
        "subject": terms.subject,
        "client": terms.client,
        "scope": terms.scope,
        "patient": terms.patient,
        "fhirUser": terms.fhir_user,
        "grant": terms.grant,
        "label": terms.label,
        "issued": now,
        "expires": issued.expires,
        "revoked": false,
    });
    let write = RegistryWrite::Insert {
        body: body.to_string(),
        expires: Some(micros(issued.expires + GRACE)),
    };
    // A token that is new is no change for anybody else.
    RegistryChange::new(TOKEN, &issued.id, write).silent()
}

pub(super) fn micros(seconds: i64) -> i64 {
    seconds.saturating_mul(1_000_000)
}

pub(super) fn failed(error: StoreError) -> Failure {
    unavailable(&error)
}

fn busy() -> Failure {
    let text = "The keys are changed by others all the time; try again.";
    Failure::new(Kind::Conflict, text)
}

fn unusable() -> Failure {
    Failure::new(Kind::Internal, "A signing key could not be made or used.")
}
