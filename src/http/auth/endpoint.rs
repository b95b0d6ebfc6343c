//! `POST /auth/token`, `/auth/introspect`, `/auth/revoke`.

use actix_web::http::StatusCode;
use actix_web::web::{Bytes, Data};
use actix_web::{HttpRequest, HttpResponse};
use serde_json::json;

use super::{Authorization, reply};
use crate::access::oauth::{Form, OAuthError};
use crate::http::gate::authorization as headers;
use crate::http::response;

type Body = Result<Bytes, actix_web::Error>;

pub async fn token(
    http: HttpRequest,
    authorization: Data<Authorization>,
    body: Body,
) -> HttpResponse {
    let server = match authorization.server() {
        Ok(server) => server,
        Err(failure) => return response::write("", failure.into()),
    };
    let answer = match form(&http, body) {
        Ok(form) if headers(&http).next().is_none() => server.token(&form).await,
        Ok(_) => Err(OAuthError::request(
            "A client proves itself with client_assertion alone, without the header Authorization.",
        )),
        Err(error) => Err(error),
    };
    match answer {
        Ok(answer) => reply::json(StatusCode::OK, &answer.content),
        Err(error) => reply::refused(&error),
    }
}

pub async fn introspect(
    http: HttpRequest,
    authorization: Data<Authorization>,
    body: Body,
) -> HttpResponse {
    let server = match authorization.server() {
        Ok(server) => server,
        Err(failure) => return response::write("", failure.into()),
    };
    let answer = match form(&http, body) {
        Ok(form) => server.introspect(headers(&http), &form).await,
        Err(error) => Err(error),
    };
    match answer {
        Ok(answer) => reply::json(StatusCode::OK, &answer),
        Err(error) => reply::refused(&error),
    }
}

pub async fn revoke(
    http: HttpRequest,
    authorization: Data<Authorization>,
    body: Body,
) -> HttpResponse {
    let server = match authorization.server() {
        Ok(server) => server,
        Err(failure) => return response::write("", failure.into()),
    };
    let answer = match form(&http, body) {
        Ok(form) => server.revoke(headers(&http), &form).await,
        Err(error) => Err(error),
    };
    match answer {
        Ok(()) => reply::json(StatusCode::OK, &json!({})),
        Err(error) => reply::refused(&error),
    }
}

fn form(http: &HttpRequest, body: Body) -> Result<Form, OAuthError> {
    let body = body.map_err(|_| OAuthError::request("The form is too large or ended early."))?;
    reply::form(http, &body)
}
