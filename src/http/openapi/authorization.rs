//! The authorization server's paths.
//! <https://hl7.org/fhir/smart-app-launch/STU2.2/backend-services.html>

use serde_json::{Map, Value, json};

use super::failure::refusal;
use super::path;
use crate::http::routes::BASE_PATH;

pub const AUTHORIZATION: &str = "Authorization";

/// One operation outside the FHIR base.
struct Endpoint {
    path: &'static str,
    verb: &'static str,
    name: &'static str,
    summary: &'static str,
    text: &'static str,
    /// Needs a bearer token.
    bearer: bool,
    /// Media type and members of what is sent.
    sends: Option<(&'static str, &'static [&'static str])>,
    answers: &'static [(&'static str, &'static str)],
    refusals: &'static [u16],
}

const FORM: &str = "application/x-www-form-urlencoded";
const PLAIN: Endpoint = Endpoint {
    path: "",
    verb: "get",
    name: "",
    summary: "",
    text: "",
    bearer: false,
    sends: None,
    answers: &[],
    refusals: &[404, 503],
};

const ENDPOINTS: [Endpoint; 11] = [
    Endpoint {
        path: "/.well-known/smart-configuration",
        name: "smartConfiguration",
        summary: "Where tokens come from and what can be asked for",
        text: "Also below the FHIR base. https://hl7.org/fhir/smart-app-launch/STU2.2/conformance.html#using-well-known",
        answers: &[("200", "The configuration, whatever `Accept` says.")],
        refusals: &[404],
        ..PLAIN
    },
    Endpoint {
        path: "/.well-known/jwks.json",
        name: "keys",
        summary: "The public keys of the built-in issuer",
        text: "https://www.rfc-editor.org/rfc/rfc7517#section-5",
        answers: &[("200", "A JWK Set.")],
        ..PLAIN
    },
    Endpoint {
        path: "/auth/token",
        verb: "post",
        name: "token",
        summary: "A token for a backend service, or for an invited therapist",
        text: "grant_type=client_credentials: the client proves itself by private_key_jwt (RS384 or ES384). grant_type=urn:unloop:grant-type:invite: the one-time `code` of a therapist's invitation, and nothing else. Refusals are those of https://www.rfc-editor.org/rfc/rfc6749#section-5.2",
        sends: Some((
            FORM,
            &[
                "grant_type",
                "scope",
                "client_assertion_type",
                "client_assertion",
                "code",
            ],
        )),
        answers: &[
            (
                "200",
                "`access_token`, `token_type`, `expires_in` and `scope` as granted.",
            ),
            ("400", "`error` and `error_description`."),
            ("401", "`invalid_client`."),
        ],
        ..PLAIN
    },
    Endpoint {
        path: "/auth/introspect",
        verb: "post",
        name: "introspect",
        summary: "Whether a token counts, and what it says",
        text: "For the token's client, proven as at /auth/token, its bearer, and bearers of system/*.cruds. https://www.rfc-editor.org/rfc/rfc7662",
        sends: Some((
            FORM,
            &["token", "client_assertion_type", "client_assertion"],
        )),
        answers: &[
            (
                "200",
                "`active`, and the token's claims where that is true.",
            ),
            ("400", "`error` and `error_description`."),
            ("401", "`invalid_client` or `invalid_token`."),
        ],
        ..PLAIN
    },
    Endpoint {
        path: "/auth/revoke",
        verb: "post",
        name: "revoke",
        summary: "End a token at once",
        text: "For the same callers as /auth/introspect. https://www.rfc-editor.org/rfc/rfc7009",
        sends: Some((
            FORM,
            &["token", "client_assertion_type", "client_assertion"],
        )),
        answers: &[
            ("200", "The token does not count any more."),
            ("400", "`error` and `error_description`."),
            ("401", "`invalid_client` or `invalid_token`."),
        ],
        ..PLAIN
    },
    Endpoint {
        path: "/admin/clients",
        name: "clients",
        summary: "The registered clients",
        text: "Needs system/*.cruds.",
        bearer: true,
        answers: &[("200", "`clients`.")],
        refusals: &[401, 403, 404, 503],
        ..PLAIN
    },
    Endpoint {
        path: "/admin/clients",
        verb: "post",
        name: "addClient",
        summary: "Register a client",
        text: "Needs system/*.cruds. Members as in https://www.rfc-editor.org/rfc/rfc7591#section-2",
        bearer: true,
        sends: Some((
            "application/json",
            &["client_id", "client_name", "scope", "jwks", "jwks_uri"],
        )),
        answers: &[("201", "The client as registered.")],
        refusals: &[400, 401, 403, 404, 422, 503],
    },
    Endpoint {
        path: "/admin/clients/{id}",
        verb: "delete",
        name: "disableClient",
        summary: "Shut a client out, with all its tokens",
        text: "Needs system/*.cruds. The client stays listed, so that nobody else takes its id.",
        bearer: true,
        answers: &[("200", "The client, disabled.")],
        refusals: &[401, 403, 404, 409, 503],
        ..PLAIN
    },
    Endpoint {
        path: "/admin/grants",
        name: "grants",
        summary: "The grants of outside therapists",
        text: "Needs system/*.cruds.",
        bearer: true,
        answers: &[("200", "`grants`.")],
        refusals: &[401, 403, 503],
        ..PLAIN
    },
    Endpoint {
        path: "/admin/grants",
        verb: "post",
        name: "addGrant",
        summary: "Let an outside therapist see parts of some patients' records",
        text: "Needs system/*.cruds. `practitioner` and `patients` are ids, `scope` SMART scopes that begin with patient/ or user/, `ends` seconds since 1970. For every patient without one of the `consents` a Consent is written.",
        bearer: true,
        sends: Some((
            "application/json",
            &[
                "practitioner",
                "patients",
                "scope",
                "purpose",
                "ends",
                "labels",
                "consents",
            ],
        )),
        answers: &[("201", "The grant.")],
        refusals: &[400, 401, 403, 422, 503],
    },
    Endpoint {
        path: "/admin/grants/{id}",
        verb: "delete",
        name: "revokeGrant",
        summary: "End a grant, its tokens and the Consents that it wrote",
        text: "Needs system/*.cruds.",
        bearer: true,
        answers: &[("200", "The grant as it was.")],
        refusals: &[401, 403, 404, 409, 503],
        ..PLAIN
    },
];

pub fn add(paths: &mut Map<String, Value>) {
    for endpoint in &ENDPOINTS {
        let empty = path::item(endpoint.path);
        let item = paths.entry(endpoint.path).or_insert(empty);
        if let Some(item) = item.as_object_mut() {
            item.insert(endpoint.verb.to_owned(), operation(endpoint, endpoint.name));
        }
    }
    let [configuration, ..] = &ENDPOINTS;
    let below = format!("{BASE_PATH}{}", configuration.path);
    let operation = operation(configuration, "smartConfigurationBelowBase");
    paths.insert(below, json!({"get": operation}));
}

pub fn security_schemes() -> Value {
    json!({"bearer": {
        "type": "http",
        "scheme": "bearer",
        "bearerFormat": "JWT",
        "description": "A token of /auth/token, of `unloop token issue`, or of an issuer that the operator trusts.",
    }})
}

fn operation(endpoint: &Endpoint, name: &str) -> Value {
    let mut responses = Map::new();
    for (status, text) in endpoint.answers {
        let content = json!({"application/json": {"schema": {"type": "object"}}});
        let answer = json!({"description": text, "content": content});
        responses.insert((*status).to_owned(), answer);
    }
    for status in endpoint.refusals {
        responses.insert(status.to_string(), refusal(*status));
    }
    let mut operation = json!({
        "tags": [AUTHORIZATION],
        "summary": endpoint.summary,
        "description": endpoint.text,
        "operationId": name,
        "responses": responses,
    });
    if let Some(members) = operation.as_object_mut() {
        if !endpoint.bearer {
            members.insert("security".to_owned(), json!([]));
        }
        if let Some((media_type, names)) = endpoint.sends {
            members.insert("requestBody".to_owned(), body(media_type, names));
        }
    }
    operation
}

fn body(media_type: &str, names: &[&str]) -> Value {
    let mut properties = Map::new();
    for name in names {
        let kind = if *name == "jwks" { "object" } else { "string" };
        properties.insert((*name).to_owned(), json!({"type": kind}));
    }
    let schema = json!({"type": "object", "properties": properties});
    json!({"required": true, "content": {media_type: {"schema": schema}}})
}
