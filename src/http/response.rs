//! From a FHIR answer to an HTTP response: status, `ETag`, `Last-Modified`,
//! `Location`. <https://hl7.org/fhir/R4/http.html#versioning>

use actix_web::http::{StatusCode, header};
use actix_web::{HttpResponse, HttpResponseBuilder};

use crate::fhir::answer::{Answer, etag};
use crate::fhir::request::Verb;

const CONTENT_TYPE: &str = "application/fhir+json; charset=utf-8; fhirVersion=4.0";

/// Seconds until what cannot be answered now is worth another try.
const AGAIN: u32 = 1;

/// The server leaves the content out of the answer to HEAD, and keeps its length.
pub fn write(base_url: &str, answer: Answer) -> HttpResponse {
    let status = StatusCode::from_u16(answer.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let mut response = HttpResponse::build(status);
    if let Some(version) = answer.version {
        response.insert_header((header::ETAG, etag(version)));
    }
    if let Some(updated) = answer.updated {
        set_last_modified(&mut response, updated);
    }
    if let Some(location) = &answer.location {
        let name = if status == StatusCode::CREATED {
            header::LOCATION
        } else {
            header::CONTENT_LOCATION
        };
        response.insert_header((name, format!("{base_url}/{location}")));
    }
    if !answer.allowed.is_empty() {
        response.insert_header((header::ALLOW, methods(&answer.allowed)));
    }
    if status == StatusCode::SERVICE_UNAVAILABLE {
        response.insert_header((header::RETRY_AFTER, AGAIN));
    }
    response.insert_header((header::X_CONTENT_TYPE_OPTIONS, "nosniff"));
    // Health data: nobody on the way may keep it.
    response.insert_header((header::CACHE_CONTROL, "private, no-cache"));
    match answer.content {
        Some(content) => {
            response.insert_header((header::CONTENT_TYPE, CONTENT_TYPE));
            response.body(content)
        }
        None => response.finish(),
    }
}

/// <https://www.rfc-editor.org/rfc/rfc9110#name-allow>
fn methods(allowed: &[Verb]) -> String {
    let names = allowed.iter().map(|verb| match verb {
        Verb::Get => "GET, HEAD",
        other => other.code(),
    });
    names.collect::<Vec<_>>().join(", ")
}

fn set_last_modified(response: &mut HttpResponseBuilder, updated: i64) {
    if let Ok(time) = jiff::Timestamp::from_microsecond(updated) {
        let text = time.strftime("%a, %d %b %Y %H:%M:%S GMT").to_string();
        response.insert_header((header::LAST_MODIFIED, text));
    }
}
