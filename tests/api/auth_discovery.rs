//! <https://hl7.org/fhir/smart-app-launch/STU2.2/conformance.html#using-well-known>

use crate::on_both_stores;
use crate::support::{Call, Server};

on_both_stores!(
    the_configuration_is_complete_whatever_is_accepted,
    the_keys_are_public_and_nothing_else,
    other_methods_are_refused,
);

fn plain(method: &str, url: String) -> Call {
    let method = reqwest::Method::from_bytes(method.as_bytes()).unwrap();
    Call(reqwest::Client::new().request(method, url))
}

async fn the_configuration_is_complete_whatever_is_accepted(server: Server) {
    let places = [
        server.beside("/.well-known/smart-configuration"),
        format!("{}/.well-known/smart-configuration", server.base),
    ];
    for place in places {
        for accept in [
            "application/json",
            "application/fhir+json",
            "text/html",
            "application/fhir+xml",
            "*/*",
        ] {
            let reply = plain("GET", place.clone())
                .header("Accept", accept)
                .expect(200)
                .await;
            assert_eq!(reply.header("Content-Type"), "application/json");
            let json = reply.json();
            for name in [
                "token_endpoint",
                "introspection_endpoint",
                "revocation_endpoint",
                "jwks_uri",
                "issuer",
            ] {
                let url = json[name].as_str().unwrap_or_else(|| panic!("no {name}"));
                assert!(
                    url.starts_with(&server.access_root()),
                    "{name} is absolute: {url}"
                );
            }
            assert_eq!(
                json["token_endpoint_auth_methods_supported"],
                serde_json::json!(["private_key_jwt"])
            );
            for name in ["RS384", "ES384"] {
                let known = json["token_endpoint_auth_signing_alg_values_supported"]
                    .as_array()
                    .unwrap();
                assert!(known.iter().any(|value| value == name), "{name}");
            }
            let challenges = json["code_challenge_methods_supported"].as_array().unwrap();
            assert!(
                challenges.iter().any(|value| value == "S256")
                    && !challenges.iter().any(|value| value == "plain")
            );
            assert!(
                json["grant_types_supported"]
                    .as_array()
                    .unwrap()
                    .iter()
                    .any(|value| value == "client_credentials")
            );
            let can = json["capabilities"].as_array().unwrap();
            for name in ["client-confidential-asymmetric", "permission-v2"] {
                assert!(can.iter().any(|value| value == name), "{name}");
            }
        }
    }
}

async fn the_keys_are_public_and_nothing_else(server: Server) {
    let reply = plain("GET", server.beside("/.well-known/jwks.json"))
        .expect(200)
        .await;
    let keys = reply.json()["keys"].as_array().unwrap().clone();
    assert_eq!(keys.len(), 1);
    for key in keys {
        let names: Vec<&String> = key.as_object().unwrap().keys().collect();
        for name in names {
            let public = ["kty", "crv", "alg", "use", "kid", "x", "y"].contains(&name.as_str());
            assert!(public, "{name}");
        }
        assert_eq!(key["alg"], "ES384");
        assert!(key["kid"].is_string() && key["use"] == "sig");
    }
}

async fn other_methods_are_refused(server: Server) {
    for (method, path) in [
        ("GET", "/auth/token"),
        ("GET", "/auth/introspect"),
        ("DELETE", "/auth/revoke"),
        ("POST", "/.well-known/jwks.json"),
        ("PUT", "/admin/clients"),
        ("GET", "/admin/clients/x"),
    ] {
        plain(method, server.beside(path)).expect(405).await;
    }
}
