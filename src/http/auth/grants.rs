//! `/admin/grants`, for bearers of `system/*.cruds`: the grants of outside
//! therapists.

use actix_web::http::StatusCode;
use actix_web::web::{Bytes, Data, Path};
use actix_web::{HttpRequest, HttpResponse};
use serde_json::json;

use super::admin::answer;
use super::record::{doing, tell_of};
use crate::access::Caller;
use crate::access::gate::{Admitted, Gate};
use crate::access::grant::{Grants, NewGrant};
use crate::fhir::audit::Deed;
use crate::fhir::engine::Engine;
use crate::fhir::json;
use crate::fhir::outcome::{Failure, Kind};
use crate::http::gate::{Closed, administrator};
use crate::http::request::origin;

/// Nested objects and arrays of a grant.
const DEPTH: usize = 8;

/// Whoever may administrate, and the grants.
async fn enter(
    http: &HttpRequest,
    gate: &Gate,
    engine: Data<Engine>,
) -> Result<(Caller, Grants, Admitted), Closed> {
    let admitted = administrator(http, gate).await?;
    let engine = engine.into_inner();
    let caller = gate.caller(&engine, &admitted).await?;
    Ok((caller.at(origin(http)), Grants { engine }, admitted))
}

pub async fn list(http: HttpRequest, gate: Data<Gate>, engine: Data<Engine>) -> HttpResponse {
    answer(StatusCode::OK, async {
        let (_, grants, _) = enter(&http, &gate, engine).await?;
        Ok(json!({"grants": grants.list().await?}))
    })
    .await
}

pub async fn add(
    http: HttpRequest,
    gate: Data<Gate>,
    engine: Data<Engine>,
    body: Result<Bytes, actix_web::Error>,
) -> HttpResponse {
    answer(StatusCode::CREATED, async {
        let (caller, grants, admitted) = enter(&http, &gate, engine).await?;
        let asked = read(&body.map_err(|_| unreadable())?)?;
        let now = admitted.now.seconds;
        let adding = async |deed: &Deed| grants.add(&caller, asked, now, deed).await;
        let grant = doing(&http, adding).await?;
        tell_of(&http, &grant.id, grant.patients());
        Ok(json!(grant))
    })
    .await
}

pub async fn revoke(
    http: HttpRequest,
    gate: Data<Gate>,
    engine: Data<Engine>,
    id: Path<String>,
) -> HttpResponse {
    answer(StatusCode::OK, async {
        let (caller, grants, _) = enter(&http, &gate, engine).await?;
        tell_of(&http, &id, Vec::new());
        let revoking = async |deed: &Deed| grants.revoke(&caller, &id, deed).await;
        let grant = doing(&http, revoking).await?;
        tell_of(&http, &id, grant.patients());
        Ok(json!(grant))
    })
    .await
}

fn read(body: &[u8]) -> Result<NewGrant, Failure> {
    let content = json::parse(body, DEPTH)?;
    serde_json::from_value(content).map_err(|_| unreadable())
}

fn unreadable() -> Failure {
    Failure::new(
        Kind::Structure,
        "A grant is a JSON object with practitioner, patients, scope and ends (seconds since 1970), and perhaps purpose, labels and consents, and nothing else.",
    )
}
