//! `POST /auth/token`, `/auth/introspect`, `/auth/revoke`.

use actix_web::http::StatusCode;
use actix_web::web::{Data, Payload};
use actix_web::{HttpRequest, HttpResponse};
use serde_json::{Value, json};

use super::record::{asked, tell};
use super::{Authorization, MAX_BODY, reply};
use crate::access::grant::Grants;
use crate::access::oauth::{Form, INVITE, OAuthError, Told};
use crate::fhir::engine::Engine;
use crate::http::content::read_content;
use crate::http::gate::authorization as headers;
use crate::http::response;
use crate::http::routes::HttpLimits;

pub async fn token(
    http: HttpRequest,
    authorization: Data<Authorization>,
    engine: Data<Engine>,
    limits: Data<HttpLimits>,
    payload: Payload,
) -> HttpResponse {
    let server = match authorization.server() {
        Ok(server) => server,
        Err(failure) => return response::write("", failure.into()),
    };
    let mut told = asked(&http);
    let answer = match form(&http, payload, &limits).await {
        Ok(form) if form.get("grant_type") == Some(INVITE) => {
            let engine = engine.into_inner();
            server.redeem(&form, &Grants { engine }, &mut told).await
        }
        Ok(form) if headers(&http).next().is_none() => server.token(&form, &mut told).await,
        Ok(_) => Err(OAuthError::request(
            "A client proves itself with client_assertion alone, without the header Authorization.",
        )),
        Err(error) => Err(error),
    };
    answered(&http, told, answer)
}

pub async fn introspect(
    http: HttpRequest,
    authorization: Data<Authorization>,
    limits: Data<HttpLimits>,
    payload: Payload,
) -> HttpResponse {
    let server = match authorization.server() {
        Ok(server) => server,
        Err(failure) => return response::write("", failure.into()),
    };
    let mut told = asked(&http);
    let answer = match form(&http, payload, &limits).await {
        Ok(form) => server.introspect(headers(&http), &form, &mut told).await,
        Err(error) => Err(error),
    };
    answered(&http, told, answer)
}

pub async fn revoke(
    http: HttpRequest,
    authorization: Data<Authorization>,
    limits: Data<HttpLimits>,
    payload: Payload,
) -> HttpResponse {
    let server = match authorization.server() {
        Ok(server) => server,
        Err(failure) => return response::write("", failure.into()),
    };
    let mut told = asked(&http);
    let answer = match form(&http, payload, &limits).await {
        Ok(form) => server.revoke(headers(&http), &form, &mut told).await,
        Err(error) => Err(error),
    };
    answered(&http, told, answer.map(|()| json!({})))
}

fn answered(http: &HttpRequest, mut told: Told, answer: Result<Value, OAuthError>) -> HttpResponse {
    told.error = answer.as_ref().err().map(|error| error.code);
    tell(http, told);
    match answer {
        Ok(content) => reply::json(StatusCode::OK, &content),
        Err(error) => reply::refused(&error),
    }
}

async fn form(
    http: &HttpRequest,
    payload: Payload,
    limits: &HttpLimits,
) -> Result<Form, OAuthError> {
    let body = read_content(http, payload, limits.body_time, MAX_BODY).await?;
    reply::form(http, &body)
}
