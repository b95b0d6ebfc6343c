//! A backend service with a key of its own.

use serde_json::{Value, json};

use super::{Call, Reply, Server};
use crate::keys::{TestKey, set};

pub struct Backend {
    pub id: String,
    pub key: TestKey,
}

impl Backend {
    pub async fn register(server: &Server, scope: &str) -> Self {
        let key = TestKey::p384("key-1");
        let id = uuid::Uuid::now_v7().simple().to_string();
        let content = json!({"client_id": id, "scope": scope, "jwks": set(&[&key])});
        server
            .admin("POST", "/admin/clients")
            .text("application/json", &content.to_string())
            .expect(201)
            .await;
        Self { id, key }
    }

    /// As the standard wants them.
    pub fn claims(&self, server: &Server) -> Value {
        let now = jiff::Timestamp::now().as_second();
        json!({
            "iss": self.id,
            "sub": self.id,
            "aud": server.token_endpoint(),
            "jti": uuid::Uuid::now_v7().to_string(),
            "iat": now,
            "exp": now + 240,
        })
    }

    pub fn assertion(&self, server: &Server) -> String {
        self.key.token(&self.claims(server))
    }

    /// An access token.
    pub async fn token(&self, server: &Server, scope: &str) -> String {
        let reply = server
            .token_request(&self.assertion(server), scope)
            .expect(200)
            .await;
        reply.json()["access_token"].as_str().unwrap().to_owned()
    }
}

impl Server {
    /// What assertions are for, whichever instance gets them.
    pub fn token_endpoint(&self) -> String {
        format!("{}/auth/token", self.access_root())
    }

    pub fn token_request(&self, assertion: &str, scope: &str) -> Call {
        self.form(
            "/auth/token",
            &[("grant_type", "client_credentials"), ("scope", scope)],
            Some(assertion),
        )
    }

    /// A form without a bearer token; with the proof of a client.
    pub fn form(&self, path: &str, members: &[(&str, &str)], assertion: Option<&str>) -> Call {
        let mut form = form_urlencoded::Serializer::new(String::new());
        form.extend_pairs(members);
        if let Some(assertion) = assertion {
            form.append_pair(
                "client_assertion_type",
                "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
            );
            form.append_pair("client_assertion", assertion);
        }
        let call = Call(reqwest::Client::new().post(self.beside(path)));
        call.text("application/x-www-form-urlencoded", &form.finish())
    }

    /// With a token that may do everything.
    pub fn admin(&self, method: &str, path: &str) -> Call {
        self.call(method, &self.beside(path))
    }

    /// Whether the token opens a door here: it is asked about by itself.
    pub async fn accepts(&self, token: &str) -> bool {
        let call = self.form("/auth/introspect", &[("token", token)], None);
        let reply: Reply = call
            .header("Authorization", &format!("Bearer {token}"))
            .send()
            .await;
        match reply.status {
            200 => reply.json()["active"] == true,
            401 => false,
            status => panic!("{status} {}", reply.text),
        }
    }
}
