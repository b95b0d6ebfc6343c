//! Answers of the authorization server. Nobody on the way may keep them.
//! <https://www.rfc-editor.org/rfc/rfc6749#section-5>

use actix_web::http::{StatusCode, header};
use actix_web::{HttpRequest, HttpResponse};
use serde_json::Value;

use crate::access::oauth::{Form, OAuthError};

pub fn json(status: StatusCode, content: &Value) -> HttpResponse {
    HttpResponse::build(status)
        .insert_header((header::CONTENT_TYPE, "application/json"))
        .insert_header((header::CACHE_CONTROL, "no-store"))
        .insert_header((header::PRAGMA, "no-cache"))
        .insert_header((header::X_CONTENT_TYPE_OPTIONS, "nosniff"))
        .body(content.to_string())
}

pub fn refused(error: &OAuthError) -> HttpResponse {
    let status = StatusCode::from_u16(error.status).unwrap_or(StatusCode::BAD_REQUEST);
    let mut response = json(status, &error.json());
    if status == StatusCode::UNAUTHORIZED {
        let challenge = header::HeaderValue::from_static(r#"Bearer realm="auth""#);
        response
            .headers_mut()
            .insert(header::WWW_AUTHENTICATE, challenge);
    }
    response
}

pub fn form(http: &HttpRequest, body: &[u8]) -> Result<Form, OAuthError> {
    let sent = http.headers().get(header::CONTENT_TYPE);
    let sent = sent.and_then(|sent| sent.to_str().ok()).unwrap_or_default();
    let essence = sent.split(';').next().unwrap_or_default().trim();
    if !essence.eq_ignore_ascii_case("application/x-www-form-urlencoded") {
        return Err(OAuthError::request(
            "Send a form: application/x-www-form-urlencoded.",
        ));
    }
    Form::parse(body)
}
