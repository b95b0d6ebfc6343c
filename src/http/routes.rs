//! Every URL of the service. What lies below `/fhir` is in
//! `fhir::interaction::route`, because bundle entries go there too.

use std::sync::Arc;
use std::time::{Duration, Instant};

use actix_web::http::header;
use actix_web::middleware::from_fn;
use actix_web::web::{self, Data, Payload, ServiceConfig};
use actix_web::{HttpRequest, HttpResponse};

use super::budget::{bounded, database_silent, deadline_failure};
use super::content::{discard_content, read_content};
use super::gate::{Closed, admit};
use super::offload::run_offloaded;
use super::rate::{Rates, record_unproven};
use super::{auth, binary, cds, health, observe, request, response};
use crate::access::Caller;
use crate::access::gate::{Admitted, Gate};
use crate::access::token::Refusal;
use crate::budget::{self, BudgetLimits, MemoryReserve};
use crate::fhir::answer::Answer;
use crate::fhir::audit::{self, Event};
use crate::fhir::authority::Authority;
use crate::fhir::engine::Engine;
use crate::fhir::interaction::batch::count_entries;
use crate::fhir::interaction::label::label;
use crate::fhir::outcome::{Failure, Kind};
use crate::fhir::request::Request;
use crate::telemetry::disk::{DiskState, DiskWatch};

/// Of an address that was refused, so many characters are recorded.
const MOST_RECORDED: usize = 8_192;

/// The path of the FHIR base.
pub const BASE_PATH: &str = "/fhir";

const METADATA: &str = "/fhir/metadata";

/// Bounds of the transport.
#[derive(Clone, Debug)]
pub struct HttpLimits {
    /// Bytes of a body, after decompression.
    pub body: usize,
    /// Bytes of path and query together.
    pub url: usize,
    /// Until the content has arrived.
    pub body_time: Duration,
    /// What one request may cost behind that.
    pub budget: BudgetLimits,
    /// What all requests together may hold; shared by all workers.
    pub reserve: Arc<MemoryReserve>,
}

impl Default for HttpLimits {
    fn default() -> Self {
        Self {
            body: 16 << 20,
            url: 8_192,
            body_time: Duration::from_secs(60),
            budget: BudgetLimits::default(),
            reserve: Arc::new(MemoryReserve::new(256 << 20)),
        }
    }
}

/// The document at `/openapi.json`.
pub struct OpenApi(pub &'static str);

pub fn configure(limits: HttpLimits) -> impl FnOnce(&mut ServiceConfig) + Clone {
    move |config| {
        config.app_data(Data::new(limits)).service(
            web::scope("")
                .wrap(from_fn(bounded))
                .configure(all_routes)
                .default_service(web::to(nowhere)),
        );
    }
}

/// All of them under one budget each: see [`bounded`].
fn all_routes(config: &mut ServiceConfig) {
    config
        .route("/health/live", web::get().to(health::live))
        .route("/health/ready", web::get().to(health::ready))
        .route("/openapi.json", web::get().to(openapi))
        .configure(auth::configure)
        .route("/cds-services", web::get().to(cds::discovery))
        .route("/cds-services/{id}", web::post().to(cds::call))
        .route("/cds-services/{id}/feedback", web::post().to(cds::feedback))
        .service(web::scope(BASE_PATH).default_service(web::to(fhir)));
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
    let understood = understand(&http, &engine, &caller, &limits, payload).await;
    let own_type = matches!(&understood, Ok(request) if binary::wants_own_type(&http, request));
    let (answer, label) = match understood {
        Ok(request) => {
            let label = label(&engine, &request);
            if let Some(rates) = http.app_data::<Data<Rates>>() {
                // The request itself is counted already.
                let more = count_entries(&request).saturating_sub(1);
                rates.charge_entries(caller.identity(), more);
            }
            (work(&engine, &caller, request).await, label)
        }
        Err(answer) => (*answer, None),
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

/// The request with its content, which is read only if the caller may do this at all.
async fn understand(
    http: &HttpRequest,
    engine: &Engine,
    caller: &Caller,
    limits: &HttpLimits,
    payload: Payload,
) -> Result<Request, Box<Answer>> {
    let refuse = |failure| Box::new(refused(http, failure));
    let request = match request::read_head(http, limits) {
        Ok(request) => request,
        Err(failure) => {
            discard_content(payload).await;
            return Err(refuse(failure));
        }
    };
    if let Err(failure) = engine.refuse_unread(caller, &request) {
        discard_content(payload).await;
        return Err(Box::new(engine.answer_unread(&request, failure)));
    }
    if is_nearly_full(http) && engine.is_expensive(&request) {
        discard_content(payload).await;
        return Err(Box::new(engine.answer_unread(&request, disk_nearly_full())));
    }
    let body = read_content(http, payload, limits.body_time, limits.body).await;
    let body = body.map_err(refuse)?;
    let depth = engine.settings.limits.depth;
    let read = request::add_content(http, depth, body, request).await;
    read.map_err(refuse)
}

/// Work that is more than copying a record runs beside the workers. It ends at the
/// deadline.
async fn work(engine: &Data<Engine>, caller: &Caller, mut request: Request) -> Answer {
    let until = budget::current().map(|budget| budget.deadline());
    let until = until.unwrap_or_else(|| Instant::now() + BudgetLimits::default().time);
    let content = std::mem::take(&mut request.content);
    let unread = request.clone();
    request.content = content;
    let answering = async {
        if engine.is_light(&request) {
            return Ok(engine.handle(caller, request).await);
        }
        let (engine, caller) = (engine.clone().into_inner(), caller.clone());
        run_offloaded(async move { engine.handle(&caller, request).await }).await
    };
    let answered = tokio::time::timeout_at(until.into(), answering).await;
    let expired =
        || Err(budget::current().map_or_else(database_silent, |it| deadline_failure(&it)));
    match answered.unwrap_or_else(|_| expired()) {
        Ok(answer) => answer,
        Err(failure) => engine.answer_unread(&unread, failure),
    }
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
    if is_nearly_full(http) {
        // Not recorded: a flood of them would fill what is left.
        return Err(response::write("", disk_nearly_full().into()));
    }
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

/// Whether what can wait has to, because of the disk.
fn is_nearly_full(http: &HttpRequest) -> bool {
    let watch = http.app_data::<Data<DiskWatch>>();
    watch.is_some_and(|watch| watch.state() == DiskState::NearlyFull)
}

fn disk_nearly_full() -> Failure {
    Failure::new(
        Kind::Unavailable,
        "The disk of the database is nearly full. Requests without a token, batches and wide questions are refused until the operator has made room.",
    )
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
