//! Around every request: its span, its line in the log, its measurement.

use std::time::Instant;

use actix_web::body::MessageBody;
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::Method;
use actix_web::middleware::Next;
use actix_web::{Error, HttpResponse};

use crate::fhir::interaction::label::Label;
use crate::telemetry::request::{self, Seen};

/// For `middleware::from_fn`.
pub async fn observe<B: MessageBody>(
    request: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<B>, Error> {
    let started = Instant::now();
    let span = request::open(&|name| request.headers().get(name)?.to_str().ok());
    let method = method(request.method());
    // Not entered: once begun, a span of OpenTelemetry keeps its name.
    let answered = next.call(request).await;
    let seen = match &answered {
        Ok(response) => seen(method, response),
        Err(error) => Seen {
            status: error.as_response_error().status_code().as_u16(),
            ..nothing(method)
        },
    };
    request::close(&span, &seen, started.elapsed());
    answered
}

/// Tells [`observe`] what the request was.
pub fn mark(response: &mut HttpResponse, label: Option<Label>) {
    if let Some(label) = label {
        response.extensions_mut().insert(label);
    }
}

fn seen<B>(method: &'static str, response: &ServiceResponse<B>) -> Seen {
    let status = response.status().as_u16();
    match response.response().extensions().get::<Label>() {
        Some(label) => Seen {
            method,
            interaction: Some(label.interaction),
            resource_type: label.resource_type,
            route: label.route,
            status,
        },
        None => Seen {
            status,
            route: other_route(response.request().path()),
            ..nothing(method)
        },
    }
}

fn nothing(method: &'static str) -> Seen {
    Seen {
        method,
        interaction: None,
        resource_type: None,
        route: "other",
        status: 500,
    }
}

fn other_route(path: &str) -> &'static str {
    ["/health/live", "/health/ready", "/openapi.json"]
        .into_iter()
        .find(|known| *known == path)
        .unwrap_or("other")
}

/// Anybody can make up a method; a list of them must stay short.
fn method(method: &Method) -> &'static str {
    match method.as_str() {
        "GET" => "GET",
        "HEAD" => "HEAD",
        "POST" => "POST",
        "PUT" => "PUT",
        "PATCH" => "PATCH",
        "DELETE" => "DELETE",
        "OPTIONS" => "OPTIONS",
        _ => "_OTHER",
    }
}
