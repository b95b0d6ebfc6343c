//! Whatever is asked beside the records is in the audit trail before it is
//! answered, whoever asked and whatever came of it.

use actix_web::body::{EitherBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::Method;
use actix_web::middleware::Next;
use actix_web::web::Data;
use actix_web::{Error, HttpMessage as _, HttpRequest};

use crate::access::caller::Subject;
use crate::access::oauth::Told;
use crate::fhir::audit::{self, Event};
use crate::fhir::authority::Authority as _;
use crate::fhir::engine::Engine;
use crate::http::request::origin;
use crate::http::{response, routes};

/// What a handler has learnt of a request.
pub fn tell(http: &HttpRequest, told: Told) {
    http.extensions_mut().insert(told);
}

/// Adds the thing that the request is about, and whose records that opens.
pub fn tell_of(http: &HttpRequest, id: &str, patients: Vec<String>) {
    if let Some(told) = http.extensions_mut().get_mut::<Told>() {
        told.id = Some(id.to_owned());
        told.patients = patients;
    }
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
    let http = response.request();
    let told = http.extensions_mut().remove::<Told>().unwrap_or_default();
    let mut sent = format!("{} {}", http.method(), routes::cut(http.uri().path()));
    if let Some(error) = told.error {
        sent = format!("{sent} {error}");
    }
    let mut event = Event::command(interaction(http), sent);
    event.status = response.status().as_u16();
    event.id = told.id;
    event.patients = told.patients;
    let mut caller = crate::access::Caller::nobody().at(origin(http));
    if let Some(bearer) = told.bearer {
        caller.subject = Subject::Bearer(Box::new(bearer));
    }
    match audit::record(&engine, &caller.actor(), &[event]).await {
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
