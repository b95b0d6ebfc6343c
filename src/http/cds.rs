//! `/cds-services`: what there is, for everybody, and one call of it, for bearers
//! of a token. <https://cds-hooks.hl7.org/2.0/>

use std::time::Duration;

use actix_web::web::{Data, Path, Payload};
use actix_web::{HttpRequest, HttpResponse};
use serde_json::{Value, json};

use super::response;
use super::routes::{HttpLimits, content, enter, refused};
use crate::access::Caller;
use crate::access::gate::Gate;
use crate::cds;
use crate::fhir::audit;
use crate::fhir::authority::Authority as _;
use crate::fhir::engine::Engine;
use crate::fhir::json;
use crate::fhir::outcome::{Failure, Kind};

/// Whoever orders does not wait for longer.
const WITHIN: Duration = Duration::from_millis(500);

pub async fn discovery() -> HttpResponse {
    HttpResponse::Ok().json(cds::discovery())
}

pub async fn call(
    http: HttpRequest,
    engine: Data<Engine>,
    gate: Data<Gate>,
    limits: Data<HttpLimits>,
    service: Path<String>,
    payload: Payload,
) -> HttpResponse {
    let caller = match enter(&http, &engine, &gate).await {
        Ok(caller) => caller,
        Err(closed) => return closed,
    };
    let body = content(&http, payload, limits.body_time).await;
    let depth = engine.settings.limits.depth;
    let read = body.and_then(|body| {
        let bytes = body.map_err(|_| {
            Failure::new(
                Kind::TooLarge,
                "The content cannot be read, or is too large.",
            )
        })?;
        json::parse(&bytes, depth)
    });
    let engine = engine.into_inner();
    let answered = match read {
        Ok(Value::Object(asked)) => in_time(&engine, &caller, &service, &asked).await,
        Ok(_) => Err(Failure::new(Kind::Structure, "A call is a JSON object.")),
        Err(failure) => Err(failure),
    };
    match answered {
        Ok(cards) => HttpResponse::Ok().json(cards),
        Err(failure) => {
            let answer = refused(&http, failure);
            response::write("", audit::keep(&engine, &caller.actor(), answer).await)
        }
    }
}

/// Too late is no card: the order goes on, and the log says why nothing came.
async fn in_time(
    engine: &std::sync::Arc<Engine>,
    caller: &Caller,
    service: &str,
    asked: &serde_json::Map<String, Value>,
) -> Result<Value, Failure> {
    let answer = cds::answer(engine, caller, service, asked);
    match tokio::time::timeout(WITHIN, answer).await {
        Ok(answered) => answered,
        Err(_) => {
            tracing::warn!("a CDS service took too long; it answered without cards");
            Ok(json!({"cards": []}))
        }
    }
}
