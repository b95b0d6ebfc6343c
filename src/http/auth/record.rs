//! Whatever is asked beside the records is in the audit trail before it is
//! answered, whoever asked and whatever came of it.

use actix_web::body::{EitherBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::{Method, StatusCode};
use actix_web::middleware::Next;
use actix_web::web::Data;
use actix_web::{Error, HttpMessage as _, HttpRequest};

use crate::access::oauth::{Asked, Told};
use crate::access::token::Verified;
use crate::fhir::audit::{self, Deed};
use crate::fhir::engine::Engine;
use crate::http::rate::record_unproven;
use crate::http::request::origin;
use crate::http::{response, routes};

/// What is known of a request before anybody has looked at it.
pub fn asked(http: &HttpRequest) -> Told {
    let known = http.extensions().get::<Told>().cloned();
    known.unwrap_or_else(|| {
        let base = http.app_data::<Data<Engine>>();
        Told::of(Asked {
            interaction: interaction(http),
            sent: format!("{} {}", http.method(), routes::cut(http.uri().path())),
            origin: origin(http),
            base: base.map_or_else(String::new, |engine| engine.settings.base_url.clone()),
            success: match *http.method() {
                Method::POST if http.path().starts_with("/admin/") => 201,
                _ => 200,
            },
        })
    })
}

/// What a handler has learnt of a request.
pub fn tell(http: &HttpRequest, told: Told) {
    http.extensions_mut().insert(told);
}

/// Who asks.
pub fn tell_bearer(http: &HttpRequest, token: &Verified) {
    let mut told = asked(http);
    told.is_bearer(token);
    tell(http, told);
}

/// Adds the thing that the request is about, and whose records that opens.
pub fn tell_of(http: &HttpRequest, id: &str, patients: Vec<String>) {
    let mut told = asked(http);
    told.id = Some(id.to_owned());
    told.patients = patients;
    tell(http, told);
}

/// Does what was asked for, which its commit records.
pub async fn doing<T, E>(
    http: &HttpRequest,
    work: impl AsyncFnOnce(&Deed) -> Result<T, E>,
) -> Result<T, E> {
    let deed = asked(http).deed();
    let done = work(&deed).await?;
    let mut told = asked(http);
    told.recorded = deed.is_done();
    tell(http, told);
    Ok(done)
}

/// For `middleware::from_fn`.
pub async fn recorded<B: MessageBody>(
    request: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<EitherBody<B>>, Error> {
    let engine = request.app_data::<Data<Engine>>().cloned();
    let response = next.call(request).await?;
    let Some(engine) = engine else {
        return Ok(response.map_into_left_body());
    };
    let told = asked(response.request());
    if told.recorded && response.status().is_success() {
        return Ok(response.map_into_left_body());
    }
    let event = told.event(response.status().as_u16());
    let actor = told.actor();
    let recorded = match response.status() {
        StatusCode::UNAUTHORIZED => {
            record_unproven(response.request(), &engine, actor, event).await
        }
        _ => audit::record(&engine, &actor, &[event]).await,
    };
    match recorded {
        Ok(()) => Ok(response.map_into_left_body()),
        Err(failure) => {
            let refused = response::write("", failure.into());
            Ok(response.into_response(refused).map_into_right_body())
        }
    }
}

/// Empty where the address or the method leads nowhere.
fn interaction(http: &HttpRequest) -> &'static str {
    let path = http.match_pattern().unwrap_or_default();
    match (http.method(), path.as_str()) {
        (&Method::POST, "/auth/token") => "token-issue",
        (&Method::POST, "/auth/introspect") => "token-introspect",
        (&Method::POST, "/auth/revoke") => "token-revoke",
        (&Method::GET, "/admin/clients") => "client-list",
        (&Method::POST, "/admin/clients") => "client-add",
        (&Method::DELETE, "/admin/clients/{id}") => "client-disable",
        (&Method::GET, "/admin/grants") => "grant-list",
        (&Method::POST, "/admin/grants") => "grant-add",
        (&Method::DELETE, "/admin/grants/{id}") => "grant-revoke",
        _ => "",
    }
}
