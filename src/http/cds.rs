//! `/cds-services`: what there is, for everybody; calls, and what became of their
//! cards, for bearers of a token. <https://cds-hooks.hl7.org/2.0/>

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use actix_web::web::{Data, Path, Payload};
use actix_web::{HttpRequest, HttpResponse};
use serde_json::{Map, Value, json};

use super::auth::Authorization;
use super::content::read_content;
use super::offload::parse_offloaded;
use super::routes::{HttpLimits, let_in, refused};
use super::{gate, response};
use crate::access::Caller;
use crate::access::gate::{Admitted, Gate};
use crate::access::token::Refusal;
use crate::access::token::bearer::bearer;
use crate::cds::{self, FhirServers};
use crate::fhir::audit;
use crate::fhir::authority::Authority as _;
use crate::fhir::engine::Engine;
use crate::fhir::json;
use crate::fhir::outcome::{Failure, Kind};

/// Whoever orders does not wait for longer.
const WITHIN: Duration = Duration::from_millis(500);

type Rooms = (
    Data<Engine>,
    Data<Gate>,
    Data<Authorization>,
    Data<HttpLimits>,
    Data<FhirServers>,
);

/// What came with a request of a caller who was let in.
struct Asked {
    http: HttpRequest,
    engine: Arc<Engine>,
    servers: Arc<FhirServers>,
    caller: Caller,
    content: Result<Map<String, Value>, Failure>,
}

pub async fn discovery() -> HttpResponse {
    HttpResponse::Ok().json(cds::discovery())
}

pub async fn call(
    http: HttpRequest,
    rooms: Rooms,
    service: Path<String>,
    payload: Payload,
) -> HttpResponse {
    let asked = match ask(http, &rooms, &[format!("/cds-services/{service}")], payload).await {
        Ok(asked) => asked,
        Err(closed) => return closed,
    };
    let answered = match &asked.content {
        Ok(content) => {
            let Asked {
                engine,
                caller,
                servers,
                ..
            } = &asked;
            in_time(
                &service,
                cds::answer(engine, caller, servers, &service, content),
            )
            .await
        }
        Err(failure) => Err(failure.clone()),
    };
    asked.answer(answered).await
}

pub async fn feedback(
    http: HttpRequest,
    rooms: Rooms,
    service: Path<String>,
    payload: Payload,
) -> HttpResponse {
    let of_service = format!("/cds-services/{service}");
    let paths = [format!("{of_service}/feedback"), of_service];
    let asked = match ask(http, &rooms, &paths, payload).await {
        Ok(asked) => asked,
        Err(closed) => return closed,
    };
    let taken = match &asked.content {
        Ok(content) => cds::take(&asked.engine, &asked.caller, &service, content).await,
        Err(failure) => Err(failure.clone()),
    };
    asked.answer(taken.map(|()| json!({}))).await
}

/// `paths`: for which of them a CDS client may have signed its token.
async fn ask(
    http: HttpRequest,
    rooms: &Rooms,
    paths: &[String],
    payload: Payload,
) -> Result<Asked, HttpResponse> {
    let (engine, gate, authorization, limits, servers) = rooms;
    let admitted = admit(&http, gate, authorization, paths).await;
    let caller = let_in(&http, engine, gate, admitted).await?;
    let depth = engine.settings.limits.depth;
    let content = match read_content(&http, payload, limits.body_time, limits.body).await {
        Ok(bytes) => parse_offloaded(bytes.len(), move || as_object(&bytes, depth)).await,
        Err(failure) => Err(failure),
    };
    Ok(Asked {
        http,
        engine: engine.clone().into_inner(),
        servers: servers.clone().into_inner(),
        caller,
        content,
    })
}

fn as_object(bytes: &[u8], depth: usize) -> Result<Map<String, Value>, Failure> {
    match json::parse(bytes, depth)? {
        Value::Object(content) => Ok(content),
        _ => Err(Failure::new(
            Kind::Structure,
            "The content is a JSON object.",
        )),
    }
}

/// Who signs every call by itself, or bears a token like everybody.
async fn admit(
    http: &HttpRequest,
    gate: &Gate,
    authorization: &Authorization,
    paths: &[String],
) -> Result<Admitted, Refusal> {
    if let Some(server) = &authorization.0 {
        let token = bearer(gate::authorization(http))?;
        let now = gate.now().await?;
        if let Some(admitted) = server.cds_client(token, paths, now).await? {
            return Ok(admitted);
        }
    }
    gate::admit(http, gate).await
}

impl Asked {
    async fn answer(self, answered: Result<Value, Failure>) -> HttpResponse {
        match answered {
            Ok(answer) => HttpResponse::Ok().json(answer),
            Err(failure) => {
                let answer = refused(&self.http, failure);
                let actor = self.caller.actor();
                response::write("", audit::keep(&self.engine, &actor, answer).await)
            }
        }
    }
}

/// Too late is no card: the order goes on, and the log says why nothing came.
async fn in_time(
    service: &str,
    answer: impl Future<Output = Result<Value, Failure>>,
) -> Result<Value, Failure> {
    match tokio::time::timeout(WITHIN, answer).await {
        Ok(answered) => answered,
        Err(_) => {
            tracing::warn!("a CDS service took too long; it answered that nothing was checked");
            Ok(cds::late_answer(service))
        }
    }
}
