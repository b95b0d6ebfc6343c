//! Every URL of the service. What lies below `/fhir` is in
//! `fhir::interaction::route`, because bundle entries go there too.

use std::time::Duration;

use actix_web::http::header;
use actix_web::web::{self, Bytes, Data, Payload, ServiceConfig};
use actix_web::{FromRequest as _, HttpRequest, HttpResponse};

use super::gate::{Closed, admit};
use super::rate::{Rates, record_unproven};
use super::{auth, binary, cds, health, observe, request, response};
use crate::access::Caller;
use crate::access::gate::{Admitted, Gate};
use crate::access::token::Refusal;
use crate::fhir::answer::Answer;
use crate::fhir::audit::{self, Event};
use crate::fhir::authority::Authority;
use crate::fhir::engine::Engine;
use crate::fhir::interaction::label::label;
use crate::fhir::outcome::{Failure, Kind};

/// Of an address that was refused, so many characters are recorded.
const MOST_RECORDED: usize = 8_192;

/// The path of the FHIR base.
pub const BASE_PATH: &str = "/fhir";

const METADATA: &str = "/fhir/metadata";

/// Bounds of the transport.
#[derive(Clone, Copy, Debug)]
pub struct HttpLimits {
    /// Bytes of a body, after decompression.
    pub body: usize,
    /// Bytes of path and query together.
    pub url: usize,
    /// Until the content has arrived.
    pub body_time: Duration,
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
            .configure(auth::configure)
            .route("/cds-services", web::get().to(cds::discovery))
            .route("/cds-services/{id}", web::post().to(cds::call))
            .route("/cds-services/{id}/feedback", web::post().to(cds::feedback))
            .service(web::scope(BASE_PATH).default_service(web::to(fhir)))
            .default_service(web::to(nowhere));
    }
}

async fn fhir(
    http: HttpRequest,
    engine: Data<Engine>,
    gate: Data<Gate>,
    limits: Data<HttpLimits>,
    payload: Payload,
) -> HttpResponse {
    let caller = match enter(&http, &engine, &gate).await {
        Ok(caller) => caller,
        Err(closed) => return closed,
    };
    let body = content(&http, payload, limits.body_time).await;
    let depth = engine.settings.limits.depth;
    let read = body.and_then(|body| request::read(&http, &limits, depth, body));
    let own_type = matches!(&read, Ok(request) if binary::wants_own_type(&http, request));
    let (answer, label) = match read {
        Ok(request) => {
            let label = label(&engine, &request);
            (engine.handle(&caller, request).await, label)
        }
        Err(failure) => (refused(&http, failure), None),
    };
    let answer = audit::keep(&engine, &caller.actor(), answer).await;
    let mut response = if own_type {
        binary::write_own_type(&engine.settings.base_url, answer)
    } else {
        response::write(&engine.settings.base_url, answer)
    };
    observe::mark(&mut response, label);
    response
}

/// Who asks. What the service is may be known by everybody.
pub async fn enter(
    http: &HttpRequest,
    engine: &Data<Engine>,
    gate: &Gate,
) -> Result<Caller, HttpResponse> {
    let origin = request::origin(http);
    if http.uri().path().trim_end_matches('/') == METADATA && http.method().is_safe() {
        return Ok(Caller::nobody().at(origin));
    }
    let_in(http, engine, gate, admit(http, gate).await).await
}

/// Whoever was admitted, as a caller; else the answer, which is recorded.
pub async fn let_in(
    http: &HttpRequest,
    engine: &Data<Engine>,
    gate: &Gate,
    admitted: Result<Admitted, Refusal>,
) -> Result<Caller, HttpResponse> {
    let origin = request::origin(http);
    let closed = match admitted {
        Err(refusal) => Closed::Refusal(refusal),
        Ok(admitted) => match gate.caller(engine, &admitted).await {
            Err(failure) => Closed::Failure(failure),
            Ok(caller) => {
                let caller = caller.at(origin);
                let Some(rates) = http.app_data::<Data<Rates>>() else {
                    return Ok(caller);
                };
                let Err(wait) = rates.caller(caller.identity()) else {
                    return Ok(caller);
                };
                let sender = format!("caller {}", caller.identity());
                let actor = caller.actor();
                return Err(rates.refuse(engine, wait, &sender, actor, sent(http)).await);
            }
        },
    };
    let mut answer = refused(http, closed.failure());
    let actor = Caller::nobody().at(origin).actor();
    if answer.status == Kind::Unauthenticated.status() {
        for event in std::mem::take(&mut answer.events) {
            let recorded = record_unproven(http, engine, actor.clone(), event).await;
            answer = recorded.map_or_else(Answer::from, |()| answer);
        }
    }
    let answer = audit::keep(engine, &actor, answer).await;
    let mut response = response::write("", answer);
    closed.challenge(&mut response);
    Err(response)
}

/// What is not understood is recorded as it came.
pub fn refused(http: &HttpRequest, failure: Failure) -> Answer {
    let mut answer = Answer::from(failure);
    answer
        .events
        .push(Event::refused(sent(http), answer.status));
    answer
}

/// Method and address, as they are recorded where nothing was understood.
pub fn sent(http: &HttpRequest) -> String {
    let address = http.uri().path_and_query();
    let address = address.map_or("", |address| address.as_str());
    format!("{} {}", http.method(), cut(address))
}

pub fn cut(text: &str) -> String {
    text.chars().take(MOST_RECORDED).collect()
}

/// Whoever sends slowly holds no connection for long.
pub async fn content(
    http: &HttpRequest,
    payload: Payload,
    within: Duration,
) -> Result<Result<Bytes, actix_web::Error>, Failure> {
    let mut payload = payload.into_inner();
    let arrived = tokio::time::timeout(within, Bytes::from_request(http, &mut payload));
    arrived.await.map_err(|_| {
        Failure::new(
            Kind::TooSlow,
            "The content did not arrive in time. Nothing was written; send it again, or in smaller parts.",
        )
    })
}

async fn openapi(document: Data<OpenApi>) -> HttpResponse {
    HttpResponse::Ok()
        .insert_header((header::CONTENT_TYPE, "application/json"))
        .body(document.0)
}

pub async fn nowhere() -> HttpResponse {
    let failure = Failure::new(
        Kind::NotFound,
        "There is nothing at this address. The FHIR base is /fhir; its capabilities are at /fhir/metadata.",
    );
    response::write("", failure.into())
}
