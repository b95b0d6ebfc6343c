//! What the authorization server can do.
//! <https://hl7.org/fhir/smart-app-launch/STU2.2/conformance.html#using-well-known>

use serde_json::{Value, json};

use super::AuthorizationServer;

impl AuthorizationServer {
    /// `/.well-known/smart-configuration`. The launch of apps, with its
    /// `authorization_endpoint`, is not there yet.
    pub fn smart_configuration(&self) -> Value {
        let root = &self.place.root;
        json!({
            "issuer": root,
            "jwks_uri": format!("{root}/.well-known/jwks.json"),
            "token_endpoint": self.token_endpoint(),
            "token_endpoint_auth_methods_supported": ["private_key_jwt"],
            "token_endpoint_auth_signing_alg_values_supported": ["ES384", "RS384"],
            "introspection_endpoint": format!("{root}/auth/introspect"),
            "revocation_endpoint": format!("{root}/auth/revoke"),
            "grant_types_supported": ["client_credentials"],
            "response_types_supported": [],
            "code_challenge_methods_supported": ["S256"],
            "scopes_supported": ["system/*.cruds", "user/*.cruds", "patient/*.cruds"],
            "capabilities": [
                "client-confidential-asymmetric",
                "permission-patient",
                "permission-user",
                "permission-v1",
                "permission-v2",
            ],
        })
    }
}
