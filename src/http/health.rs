//! Whether the process lives, and whether it can serve.

use std::time::Duration;

use actix_web::HttpResponse;
use actix_web::web::Data;

use super::auth::Authorization;
use crate::fhir::engine::Engine;

/// Every question gets an answer within this time, also while the database hangs.
const PATIENCE: Duration = Duration::from_secs(2);

/// The process answers.
pub async fn live() -> HttpResponse {
    HttpResponse::Ok().json(serde_json::json!({"status": "live"}))
}

/// The store can be read and written, its schema is current, and the secret opens the
/// signing keys; 503 otherwise. The log has the reason.
pub async fn ready(engine: Data<Engine>, authorization: Data<Authorization>) -> HttpResponse {
    let looked = tokio::time::timeout(PATIENCE, look(&engine, &authorization)).await;
    let reason = match looked {
        Ok(Ok(())) => return HttpResponse::Ok().json(serde_json::json!({"status": "ready"})),
        Ok(Err(reason)) => reason,
        Err(_) => "the database does not answer in time".to_owned(),
    };
    tracing::warn!(reason, "not ready");
    HttpResponse::ServiceUnavailable().json(serde_json::json!({
        "status": "not ready",
        "reason": "the database does not answer or cannot be written, its schema is not current, or the secret is another one; see the log",
    }))
}

async fn look(engine: &Engine, authorization: &Authorization) -> Result<(), String> {
    let store = engine.store.ready().await;
    store.map_err(|error| error.to_string())?;
    let Some(server) = &authorization.0 else {
        return Ok(());
    };
    let keys = server.built_in.ensure_key().await;
    keys.map_err(|failure| format!("tokens cannot be issued: {}", failure.to_json()))
}
