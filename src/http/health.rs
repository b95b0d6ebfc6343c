//! Whether the process lives, and whether it can serve.

use actix_web::HttpResponse;
use actix_web::web::Data;

use crate::fhir::engine::Engine;

/// The process answers.
pub async fn live() -> HttpResponse {
    HttpResponse::Ok().json(serde_json::json!({"status": "live"}))
}

/// The store answers and its schema is current; 503 otherwise.
pub async fn ready(engine: Data<Engine>) -> HttpResponse {
    match engine.store.ready().await {
        Ok(()) => HttpResponse::Ok().json(serde_json::json!({"status": "ready"})),
        Err(error) => {
            tracing::warn!(%error, "not ready");
            HttpResponse::ServiceUnavailable().json(serde_json::json!({
                "status": "not ready",
                "reason": "the database does not answer, or its schema is not current; see the log",
            }))
        }
    }
}
