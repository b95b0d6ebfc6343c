//! Registered clients: software that proves itself with a key of its own.
//! <https://www.rfc-editor.org/rfc/rfc7591#section-2>

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::access::token::KeySet;
use crate::fhir::audit::Deed;
use crate::fhir::engine::unavailable;
use crate::fhir::outcome::{Failure, Kind};
use crate::store::StoreError;
use crate::store::registry::{Registry, RegistryChange, RegistryEntry, RegistryWrite};

/// The kind of a client in the registry.
const CLIENT: &str = "client";

/// Bytes of an id, and of a name.
const MAX_NAME: usize = 128;

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Client {
    #[serde(rename = "client_id")]
    pub id: String,
    #[serde(
        rename = "client_name",
        default,
        skip_serializing_if = "Option::is_none"
    )]
    pub name: Option<String>,
    /// At most this is granted.
    pub scope: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub jwks: Option<Value>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub jwks_uri: Option<String>,
    /// Seconds since 1970.
    #[serde(rename = "client_id_issued_at", default)]
    pub created: i64,
    #[serde(default)]
    pub disabled: bool,
}

/// A client as somebody registers it. What is not known here is refused, so that
/// nobody takes a wish for granted.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NewClient {
    #[serde(rename = "client_id")]
    pub id: Option<String>,
    #[serde(rename = "client_name")]
    pub name: Option<String>,
    #[serde(default)]
    pub scope: String,
    pub jwks: Option<Value>,
    pub jwks_uri: Option<String>,
}

pub struct Clients(Arc<dyn Registry>);

impl Clients {
    pub fn new(registry: Arc<dyn Registry>) -> Self {
        Self(registry)
    }

    /// The caller has looked at the scope and at the address.
    pub async fn add(&self, new: NewClient, now: i64, deed: &Deed) -> Result<Client, Failure> {
        let client = checked(new, now)?;
        let insert = RegistryWrite::Insert {
            body: encode(&client)?,
            expires: None,
        };
        let change = RegistryChange::new(CLIENT, &client.id, insert);
        match deed.change(self.0.as_ref(), vec![change], &client.id).await {
            Ok(()) => Ok(client),
            Err(StoreError::Registry { .. }) => Err(Failure::new(
                Kind::BusinessRule,
                format!(
                    "There is a client {:?} already. Choose another id.",
                    client.id
                ),
            )),
            Err(error) => Err(unavailable(&error)),
        }
    }

    pub async fn list(&self) -> Result<Vec<Client>, Failure> {
        let entries = self
            .0
            .list(CLIENT)
            .await
            .map_err(|error| unavailable(&error))?;
        entries.iter().map(decode).collect()
    }

    pub async fn find(&self, id: &str) -> Result<Option<Client>, Failure> {
        let entry = self
            .0
            .get(CLIENT, id)
            .await
            .map_err(|error| unavailable(&error))?;
        entry.as_ref().map(decode).transpose()
    }

    /// Its tokens end with it. It is kept, so that nobody else takes its id.
    pub async fn disable(&self, id: &str, deed: &Deed) -> Result<Client, Failure> {
        let entry = self
            .0
            .get(CLIENT, id)
            .await
            .map_err(|error| unavailable(&error))?;
        let unknown = || Failure::new(Kind::NotFound, format!("There is no client {id:?}."));
        let entry = entry.ok_or_else(unknown)?;
        let mut client = decode(&entry)?;
        if client.disabled {
            return Ok(client);
        }
        client.disabled = true;
        let replace = RegistryWrite::Replace {
            version: entry.version,
            body: encode(&client)?,
            expires: None,
        };
        let change = RegistryChange::new(CLIENT, id, replace);
        match deed.change(self.0.as_ref(), vec![change], id).await {
            Ok(()) => Ok(client),
            Err(StoreError::Registry { .. }) => Err(Failure::new(
                Kind::Conflict,
                "Somebody else changed the client just now; try again.",
            )),
            Err(error) => Err(unavailable(&error)),
        }
    }
}

fn checked(new: NewClient, now: i64) -> Result<Client, Failure> {
    let id = new
        .id
        .unwrap_or_else(|| uuid::Uuid::now_v7().simple().to_string());
    let plain = |c: char| c.is_ascii_alphanumeric() || "-._~:".contains(c);
    if id.is_empty() || id.len() > MAX_NAME || !id.chars().all(plain) {
        return Err(wrong(
            "client_id",
            "has up to 128 letters, digits, and - . _ ~ :",
        ));
    }
    if let Some(name) = &new.name
        && (name.len() > MAX_NAME || name.chars().any(char::is_control))
    {
        return Err(wrong("client_name", "is a line of at most 128 bytes"));
    }
    match (&new.jwks, &new.jwks_uri) {
        (Some(jwks), None) => {
            KeySet::strict(jwks)
                .map_err(|problem| wrong("jwks", &format!("is refused: {problem}")))?;
            if unnamed(jwks) {
                return Err(wrong(
                    "jwks",
                    "is refused: every key needs a kid of its own",
                ));
            }
        }
        (None, Some(_)) => {}
        _ => return Err(wrong("jwks", "or jwks_uri must be given, and not both")),
    }
    Ok(Client {
        id,
        name: new.name,
        scope: new.scope,
        jwks: new.jwks,
        jwks_uri: new.jwks_uri,
        created: now,
        disabled: false,
    })
}

/// Whether a key has no name, or two have the same.
fn unnamed(jwks: &Value) -> bool {
    let keys = jwks.get("keys").and_then(Value::as_array);
    let mut seen = Vec::new();
    keys.into_iter().flatten().any(|key| {
        let kid = key.get("kid").and_then(Value::as_str);
        let bad = kid.is_none() || seen.contains(&kid);
        seen.push(kid);
        bad
    })
}

fn wrong(member: &str, problem: &str) -> Failure {
    Failure::at(Kind::Value, member, format!("{member} {problem}."))
}

fn encode(client: &Client) -> Result<String, Failure> {
    let text = serde_json::to_string(client);
    text.map_err(|_| Failure::new(Kind::Internal, "The client could not be written."))
}

fn decode(entry: &RegistryEntry) -> Result<Client, Failure> {
    serde_json::from_str(&entry.body).map_err(|error| {
        tracing::error!(%error, "a client in the registry cannot be read");
        Failure::new(Kind::Internal, "A client in the registry cannot be read.")
    })
}
