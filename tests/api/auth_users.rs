//! A practitioner who has left is shut out at the next request, on every
//! instance, whatever the token says.

use serde_json::{Value, json};
use unloop::access::issuer::TokenTerms;

use crate::support::Server;

crate::on_both_stores!(whoever_has_left_is_shut_out);

async fn token(server: &Server, user: &str) -> String {
    let terms = TokenTerms {
        subject: "somebody".to_owned(),
        scope: "user/*.cruds".to_owned(),
        fhir_user: Some(user.to_owned()),
        ttl: 3600,
        ..TokenTerms::default()
    };
    server.issue_as(&terms).await
}

async fn status(server: &Server, token: &str) -> u16 {
    let call = reqwest::Client::new().get(format!("{}/Patient/a", server.base));
    call.bearer_auth(token)
        .send()
        .await
        .unwrap()
        .status()
        .as_u16()
}

async fn whoever_has_left_is_shut_out(server: Server) {
    let other = server.second().await;
    let person =
        |active: bool| json!({"resourceType": "Practitioner", "id": "t", "active": active});
    let role = |active: Value| {
        json!({"resourceType": "PractitionerRole", "id": "r", "active": active,
            "practitioner": {"reference": "Practitioner/t"}})
    };
    server
        .put(&json!({"resourceType": "Patient", "id": "a"}))
        .await;
    server.put(&person(true)).await;
    server.put(&role(json!(true))).await;
    let absolute = format!("{}/Practitioner/t", server.base);
    let users = ["Practitioner/t", absolute.as_str(), "PractitionerRole/r"];
    let mut tokens = Vec::new();
    for user in users {
        tokens.push(token(&server, user).await);
    }
    let elsewhere = token(&server, "Practitioner/not-recorded-here").await;
    let both = async |expected: [u16; 3], what: &str| {
        for instance in [&server, &other] {
            for (token, expected) in tokens.iter().zip(expected) {
                assert_eq!(status(instance, token).await, expected, "{what}");
            }
            assert_eq!(status(instance, &elsewhere).await, 200, "{what}");
        }
    };
    both([200, 200, 200], "at first").await;
    other.put(&person(false)).await;
    both([401, 401, 401], "the practitioner has left").await;
    server.put(&person(true)).await;
    both([200, 200, 200], "and is back").await;
    server.put(&role(json!(false))).await;
    both([200, 200, 401], "the role is over").await;
    server.put(&role(json!(true))).await;
    both([200, 200, 200], "the role goes on").await;
    other
        .call("DELETE", "/PractitionerRole/r")
        .expect(204)
        .await;
    both([200, 200, 401], "the role is deleted").await;
    other.call("DELETE", "/Practitioner/t").expect(204).await;
    both([401, 401, 401], "the practitioner is deleted").await;
}
