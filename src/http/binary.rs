//! Binary in its own content type: what is sent as an image is kept as one, and what asks
//! for no FHIR JSON gets the image. <https://hl7.org/fhir/R4/binary.html#rest>

use actix_web::body::BoxBody;
use actix_web::http::header;
use actix_web::{HttpRequest, HttpResponse};
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use serde_json::{Map, Value, json};

use super::{media, response};
use crate::fhir::answer::Answer;
use crate::fhir::json;
use crate::fhir::request::{Request, Verb};

const BINARY: &str = "Binary";

/// Whose access decides on the content, as it is sent.
const SECURITY_CONTEXT: &str = "x-security-context";

/// The Binary that content of any other type than FHIR's is; `None` where the request writes
/// none, or brings the resource itself.
pub fn resource_from_upload(
    http: &HttpRequest,
    request: &Request,
    body: &[u8],
    depth: usize,
) -> Option<Map<String, Value>> {
    let id = match (request.verb, request.path.as_slice()) {
        (Verb::Post, [name]) if name == BINARY => None,
        (Verb::Put, [name]) if name == BINARY => None,
        (Verb::Put, [name, id]) if name == BINARY => Some(id),
        _ => return None,
    };
    let content_type = header_text(http, header::CONTENT_TYPE.as_str())?;
    if media::is_fhir(content_type) {
        return None;
    }
    if media::is_plain_json(Some(content_type))
        && json::parse_object(body, depth).is_ok_and(|content| {
            content.get("resourceType").and_then(Value::as_str) == Some(BINARY)
        })
    {
        return None;
    }
    let mut binary = Map::new();
    binary.insert("resourceType".to_owned(), BINARY.into());
    binary.extend(id.map(|id| ("id".to_owned(), id.as_str().into())));
    binary.insert("contentType".to_owned(), content_type.trim().into());
    if let Some(context) = header_text(http, SECURITY_CONTEXT) {
        let context = json!({"reference": context.trim()});
        binary.insert("securityContext".to_owned(), context);
    }
    binary.insert("data".to_owned(), BASE64_STANDARD.encode(body).into());
    Some(binary)
}

/// Whether the request reads a Binary and does not ask for the resource.
pub fn wants_own_type(http: &HttpRequest, request: &Request) -> bool {
    let reads = match request.path.as_slice() {
        [name, _] => name == BINARY,
        [name, _, history, _] => name == BINARY && history == "_history",
        _ => false,
    };
    let accept = header_text(http, header::ACCEPT.as_str()).unwrap_or_default();
    reads
        && request.verb == Verb::Get
        && request.query.is_empty()
        && !accept.split(',').any(media::names_fhir_json)
}

/// The content of a Binary in its own type; the answer as it is where it has no data.
pub fn write_own_type(base_url: &str, answer: Answer) -> HttpResponse {
    let content = answer.content.as_deref().filter(|_| answer.status == 200);
    let own = content.and_then(data_of);
    let mut response = response::write(base_url, answer);
    let Some((content_type, data)) = own else {
        return response;
    };
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, content_type);
    // A browser must not run what somebody has uploaded.
    headers.insert(
        header::CONTENT_SECURITY_POLICY,
        header::HeaderValue::from_static("sandbox; default-src 'none'"),
    );
    response.set_body(BoxBody::new(data))
}

fn data_of(content: &str) -> Option<(header::HeaderValue, Vec<u8>)> {
    let content: Map<String, Value> = serde_json::from_str(content).ok()?;
    let text = |name: &str| content.get(name).and_then(Value::as_str);
    if text("resourceType") != Some(BINARY) {
        return None;
    }
    let data: String = text("data")?.split_whitespace().collect();
    let data = BASE64_STANDARD.decode(data).ok()?;
    let content_type = header::HeaderValue::from_str(text("contentType")?).ok()?;
    Some((content_type, data))
}

fn header_text<'r>(http: &'r HttpRequest, name: &str) -> Option<&'r str> {
    http.headers().get(name)?.to_str().ok()
}
