//! Who did it, as whoever decides on access knows them.

use serde::{Deserialize, Serialize};

/// Every text is as it was presented, and was found good.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Actor {
    /// The service's own work, by name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub internal: Option<String>,
    /// The token's `iss`, `sub`, `client_id` and `jti`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub issuer: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub subject: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub client: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub token: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub grant: Option<String>,
    /// Why the grant was given: a code of v3-PurposeOfUse.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub purpose: Option<String>,
    /// `Practitioner/1`
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user: Option<String>,
    /// The id of the patient in context.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub patient: Option<String>,
    /// The network address that the request came from.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub address: Option<String>,
    /// The operating system's user who ran a command, as the system says.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub account: Option<String>,
    /// What the caller called the request: a trace, or an `X-Request-Id`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub request: Option<String>,
}
