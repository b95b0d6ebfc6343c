//! `/admin/clients`, for bearers of `system/*.cruds`.
//! <https://www.rfc-editor.org/rfc/rfc7591#section-3>

use actix_web::http::StatusCode;
use actix_web::web::{Data, Path, Payload};
use actix_web::{HttpRequest, HttpResponse};
use serde_json::{Value, json};

use super::record::{doing, tell_of};
use super::{Authorization, MAX_BODY, reply};
use crate::access::gate::Gate;
use crate::access::oauth::NewClient;
use crate::fhir::audit::Deed;
use crate::fhir::engine::Engine;
use crate::fhir::json;
use crate::fhir::outcome::{Failure, Kind};
use crate::http::content::read_content;
use crate::http::gate::{Closed, administrator};
use crate::http::routes::HttpLimits;

/// Nested objects and arrays of a registration.
const DEPTH: usize = 8;

pub async fn list(
    http: HttpRequest,
    authorization: Data<Authorization>,
    gate: Data<Gate>,
) -> HttpResponse {
    answer(StatusCode::OK, async {
        administrator(&http, &gate).await?;
        let clients = authorization.server()?.clients().list().await?;
        Ok(json!({"clients": clients}))
    })
    .await
}

pub async fn add(
    http: HttpRequest,
    authorization: Data<Authorization>,
    gate: Data<Gate>,
    engine: Data<Engine>,
    limits: Data<HttpLimits>,
    payload: Payload,
) -> HttpResponse {
    answer(StatusCode::CREATED, async {
        let admitted = administrator(&http, &gate).await?;
        let server = authorization.server()?;
        let body = read_content(&http, payload, limits.body_time, MAX_BODY).await?;
        let new = read(&body)?;
        let now = admitted.now.seconds;
        let adding = async |deed: &Deed| server.register(&engine.catalogue, new, now, deed).await;
        let client = doing(&http, adding).await?;
        tell_of(&http, &client.id, Vec::new());
        Ok(json!(client))
    })
    .await
}

pub async fn disable(
    http: HttpRequest,
    authorization: Data<Authorization>,
    gate: Data<Gate>,
    id: Path<String>,
) -> HttpResponse {
    answer(StatusCode::OK, async {
        administrator(&http, &gate).await?;
        tell_of(&http, &id, Vec::new());
        let clients = authorization.server()?.clients();
        let client = doing(&http, async |deed: &Deed| clients.disable(&id, deed).await);
        Ok(json!(client.await?))
    })
    .await
}

pub(super) async fn answer(
    status: StatusCode,
    work: impl Future<Output = Result<Value, Closed>>,
) -> HttpResponse {
    match work.await {
        Ok(content) => reply::json(status, &content),
        Err(closed) => closed.respond(),
    }
}

fn read(body: &[u8]) -> Result<NewClient, Failure> {
    let content = json::parse(body, DEPTH)?;
    serde_json::from_value(content).map_err(|_| unreadable())
}

fn unreadable() -> Failure {
    Failure::new(
        Kind::Structure,
        "The registration is a JSON object with client_id, client_name, scope, and jwks or jwks_uri, and nothing else.",
    )
}
