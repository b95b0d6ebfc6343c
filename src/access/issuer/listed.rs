//! The tokens that are listed: those of operators and grants, and all that were
//! revoked before their time. <https://www.rfc-editor.org/rfc/rfc7009>

use std::sync::Arc;

use serde::Deserialize;
use serde_json::{Value, json};

use super::built_in::{TOKEN, failed, micros};
use crate::access::token::claims::LEEWAY;
use crate::fhir::audit::Deed;
use crate::fhir::outcome::{Failure, Kind};
use crate::store::StoreError;
use crate::store::registry::{Registry, RegistryChange, RegistryEntry, RegistryWrite};

const TRIES: usize = 5;

/// A token without its signature.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct ListedToken {
    /// `jti`
    #[serde(skip)]
    pub id: String,
    pub subject: String,
    pub client: Option<String>,
    pub scope: String,
    pub patient: Option<String>,
    pub grant: Option<String>,
    pub label: Option<String>,
    /// Seconds since 1970.
    pub issued: i64,
    pub expires: i64,
    pub revoked: bool,
}

pub struct Tokens(Arc<dyn Registry>);

impl Tokens {
    pub fn new(registry: Arc<dyn Registry>) -> Self {
        Self(registry)
    }

    /// Those that have not expired.
    pub async fn list(&self) -> Result<Vec<ListedToken>, Failure> {
        let entries = self.0.list(TOKEN).await.map_err(failed)?;
        entries.iter().map(decode).collect()
    }

    pub async fn find(&self, id: &str) -> Result<Option<ListedToken>, Failure> {
        let entry = self.0.get(TOKEN, id).await.map_err(failed)?;
        entry.as_ref().map(decode).transpose()
    }

    /// A token that is listed. Unknown ones are refused.
    pub async fn revoke(&self, id: &str, deed: &Deed) -> Result<(), Failure> {
        self.revoke_until(id, None, deed).await
    }

    /// `expires` (in seconds since 1970): the mark of a token that is not listed
    /// has to last until then.
    pub async fn revoke_until(
        &self,
        id: &str,
        expires: Option<i64>,
        deed: &Deed,
    ) -> Result<(), Failure> {
        for _ in 0..TRIES {
            let entry = self.0.get(TOKEN, id).await.map_err(failed)?;
            let write = match (entry, expires) {
                (Some(entry), _) => RegistryWrite::Replace {
                    version: entry.version,
                    body: marked(&entry)?,
                    expires: entry.expires,
                },
                (None, Some(expires)) => RegistryWrite::Insert {
                    body: json!({"expires": expires, "revoked": true}).to_string(),
                    expires: Some(micros(expires.saturating_add(2 * LEEWAY))),
                },
                (None, None) => {
                    let text = "No token of that id is listed; unloop token list shows them.";
                    return Err(Failure::new(Kind::NotFound, text));
                }
            };
            let change = RegistryChange::new(TOKEN, id, write);
            match deed.change(self.0.as_ref(), vec![change], id).await {
                Ok(()) => return Ok(()),
                Err(StoreError::Registry { .. }) => {}
                Err(error) => return Err(failed(error)),
            }
        }
        let text = "The token is changed by others all the time; try again.";
        Err(Failure::new(Kind::Conflict, text))
    }
}

fn decode(entry: &RegistryEntry) -> Result<ListedToken, Failure> {
    let read = serde_json::from_str(&entry.body).map_err(|_| unreadable());
    let id = entry.key.id.clone();
    read.map(|token: ListedToken| ListedToken { id, ..token })
}

fn marked(entry: &RegistryEntry) -> Result<String, Failure> {
    let mut body: Value = serde_json::from_str(&entry.body).map_err(|_| unreadable())?;
    let members = body.as_object_mut().ok_or_else(unreadable)?;
    members.insert("revoked".to_owned(), true.into());
    Ok(body.to_string())
}

fn unreadable() -> Failure {
    Failure::new(Kind::Internal, "A token in the registry cannot be read.")
}
