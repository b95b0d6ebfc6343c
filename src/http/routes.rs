//! Every URL of the service. What lies below `/fhir` is in
//! `fhir::interaction::route`, because bundle entries go there too.

use actix_web::http::header;
use actix_web::web::{self, Bytes, Data, ServiceConfig};
use actix_web::{HttpRequest, HttpResponse};

use super::{health, observe, request, response};
use crate::access::{Caller, Internal};
use crate::fhir::engine::Engine;
use crate::fhir::interaction::label::label;
use crate::fhir::outcome::{Failure, Kind};

/// The path of the FHIR base.
pub const BASE_PATH: &str = "/fhir";

/// Bounds of the transport.
#[derive(Clone, Copy, Debug)]
pub struct HttpLimits {
    /// Bytes of a body, after decompression.
    pub body: usize,
    /// Bytes of path and query together.
    pub url: usize,
}

/// The document at `/openapi.json`.
pub struct OpenApi(pub &'static str);

pub fn configure(limits: HttpLimits) -> impl FnOnce(&mut ServiceConfig) + Clone {
    move |config| {
        config
            .app_data(Data::new(limits))
            .app_data(web::PayloadConfig::new(limits.body))
            .route("/health/live", web::get().to(health::live))
            .route("/health/ready", web::get().to(health::ready))
            .route("/openapi.json", web::get().to(openapi))
            .service(web::resource([BASE_PATH, "/fhir/{path:.*}"]).to(fhir))
            .default_service(web::to(nowhere));
    }
}

async fn fhir(
    http: HttpRequest,
    engine: Data<Engine>,
    limits: Data<HttpLimits>,
    body: Result<Bytes, actix_web::Error>,
) -> HttpResponse {
    let (answer, label) = match request::read(&http, &limits, engine.settings.limits.depth, body) {
        Ok(request) => {
            let label = label(&engine, &request);
            (
                engine
                    .handle(&Caller::internal(Internal::Local), request)
                    .await,
                label,
            )
        }
        Err(failure) => (failure.into(), None),
    };
    let mut response = response::write(&engine.settings.base_url, answer);
    observe::mark(&mut response, label);
    response
}

async fn openapi(document: Data<OpenApi>) -> HttpResponse {
    HttpResponse::Ok()
        .insert_header((header::CONTENT_TYPE, "application/json"))
        .body(document.0)
}

async fn nowhere() -> HttpResponse {
    let failure = Failure::new(
        Kind::NotFound,
        "There is nothing at this address. The FHIR base is /fhir; its capabilities are at /fhir/metadata.",
    );
    response::write("", failure.into())
}
