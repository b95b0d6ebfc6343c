//! What everybody may know. JSON, whatever `Accept` says.
//! <https://hl7.org/fhir/smart-app-launch/STU2.2/conformance.html#using-well-known>

use actix_web::HttpResponse;
use actix_web::http::{StatusCode, header};
use actix_web::web::Data;
use serde_json::Value;

use super::{Authorization, reply};
use crate::access::gate::Gate;
use crate::access::oauth::OAuthError;
use crate::http::response;

/// Keys are added before they are used, and stay for as long as their tokens.
const KEPT: &str = "public, max-age=300";

pub async fn smart(authorization: Data<Authorization>) -> HttpResponse {
    match authorization.server() {
        Ok(server) => public(&server.smart_configuration()),
        Err(failure) => response::write("", failure.into()),
    }
}

pub async fn keys(authorization: Data<Authorization>, gate: Data<Gate>) -> HttpResponse {
    let server = match authorization.server() {
        Ok(server) => server,
        Err(failure) => return response::write("", failure.into()),
    };
    let Ok(now) = gate.now().await else {
        return reply::refused(&OAuthError::unavailable());
    };
    match server.built_in.published(now.epoch).await {
        Ok(keys) => public(&keys),
        Err(failure) => reply::refused(&failure.into()),
    }
}

fn public(content: &Value) -> HttpResponse {
    let mut response = reply::json(StatusCode::OK, content);
    let kept = header::HeaderValue::from_static(KEPT);
    response.headers_mut().insert(header::CACHE_CONTROL, kept);
    response.headers_mut().remove(header::PRAGMA);
    response
}
