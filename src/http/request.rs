//! From an HTTP request to a FHIR request: everything is parsed here.

use actix_web::HttpRequest;
use actix_web::http::{Method, header};
use actix_web::web::Bytes;

use super::binary;
use super::media::{self, ContentKind};
use super::offload::parse_offloaded;
use super::routes::{BASE_PATH, HttpLimits};
use crate::access::caller::Origin;
use crate::fhir::interaction::patch::is_parameters;
use crate::fhir::json;
use crate::fhir::outcome::{Failure, Kind};
use crate::fhir::request::{Content, Preconditions, Request, Return, Verb, parse_query};

/// What a caller calls its request must be short.
const LONGEST_REQUEST_ID: usize = 128;

/// All of the request but its content.
pub fn read_head(http: &HttpRequest, limits: &HttpLimits) -> Result<Request, Failure> {
    let url = http.uri().path_and_query().map_or("/", |url| url.as_str());
    if url.len() > limits.url {
        return Err(Failure::new(
            Kind::UriTooLong,
            format!(
                "The address is longer than {} bytes. Send the search by POST to …/_search.",
                limits.url
            ),
        ));
    }
    let verb = verb(http.method())?;
    let below = url.strip_prefix(BASE_PATH).unwrap_or(url);
    let mut request = Request::parse_url(verb, below)?;
    request.preconditions = preconditions(http)?;
    prefer(http, &mut request);
    Ok(request)
}

/// The same request with its content.
pub async fn add_content(
    http: &HttpRequest,
    depth: usize,
    body: Bytes,
    mut request: Request,
) -> Result<Request, Failure> {
    request.content = content(http, depth, body, &mut request).await?;
    if !binary::wants_own_type(http, &request) {
        media::check_accepted(request.parameter("_format"), text(http, header::ACCEPT)?)?;
    }
    Ok(request)
}

/// Where the request came from, by its connection and no header.
pub fn origin(http: &HttpRequest) -> Origin {
    let named = |name| {
        let value = http.headers().get(name)?.to_str().ok()?;
        let short = !value.is_empty() && value.len() <= LONGEST_REQUEST_ID;
        short.then(|| value.to_owned())
    };
    Origin {
        account: None,
        address: http.peer_addr().map(|peer| peer.ip().to_string()),
        request: named("x-request-id").or_else(|| named("traceparent")),
    }
}

fn verb(method: &Method) -> Result<Verb, Failure> {
    Verb::from_code(method.as_str()).ok_or_else(|| {
        Failure::not_allowed(
            "This method is not used here. FHIR has GET, HEAD, POST, PUT, PATCH and DELETE.",
            &[Verb::Get, Verb::Post, Verb::Put, Verb::Patch, Verb::Delete],
        )
    })
}

async fn content(
    http: &HttpRequest,
    depth: usize,
    body: Bytes,
    request: &mut Request,
) -> Result<Content, Failure> {
    let search = request.path.last().is_some_and(|last| last == "_search");
    if body.is_empty() {
        return Ok(Content::None);
    }
    if matches!(request.verb, Verb::Get | Verb::Delete) {
        // Some clients send a body with these; it has no meaning.
        return Ok(Content::None);
    }
    if let Some(resource) = binary::resource_from_upload(http, request, &body, depth) {
        return Ok(Content::Resource(resource));
    }
    let bytes = body.len();
    match media::content_kind(text(http, header::CONTENT_TYPE)?)? {
        ContentKind::Form if search => {
            let form = std::str::from_utf8(&body)
                .map_err(|_| Failure::new(Kind::Value, "The form is not UTF-8."))?;
            request.query.extend(parse_query(form));
            request.sent.push('\n');
            request.sent.push_str(form);
            Ok(Content::None)
        }
        ContentKind::Form => Err(Failure::new(
            Kind::UnsupportedMediaType,
            "A form is for …/_search. Send the resource as application/fhir+json.",
        )),
        ContentKind::Resource if search => Err(Failure::new(
            Kind::UnsupportedMediaType,
            "…/_search takes its parameters as application/x-www-form-urlencoded.",
        )),
        ContentKind::Resource => {
            let parse = move || json::parse_object(&body, depth);
            let content = parse_offloaded(bytes, parse).await?;
            let plain = media::is_plain_json(text(http, header::CONTENT_TYPE)?);
            if request.verb == Verb::Patch && plain && !is_parameters(&content) {
                return Ok(Content::MergePatch(content));
            }
            Ok(Content::Resource(content))
        }
        ContentKind::MergePatch => {
            let parse = move || json::parse_object(&body, depth).map(Content::MergePatch);
            parse_offloaded(bytes, parse).await
        }
        ContentKind::JsonPatch => {
            let parse = move || json::parse(&body, depth).map(Content::JsonPatch);
            parse_offloaded(bytes, parse).await
        }
    }
}

fn text(http: &HttpRequest, name: header::HeaderName) -> Result<Option<&str>, Failure> {
    match http.headers().get(&name) {
        None => Ok(None),
        Some(value) => value.to_str().map(Some).map_err(|_| {
            Failure::new(
                Kind::Value,
                format!("The header {name} is not plain ASCII text."),
            )
        }),
    }
}

fn preconditions(http: &HttpRequest) -> Result<Preconditions, Failure> {
    let owned = |name| text(http, name).map(|value| value.map(str::to_owned));
    let if_modified_since = match text(http, header::IF_MODIFIED_SINCE)? {
        None => None,
        // RFC 9110: a date that cannot be read is ignored.
        Some(value) => jiff::fmt::rfc2822::DateTimeParser::new()
            .parse_timestamp(value)
            .ok()
            .map(|time| time.as_microsecond()),
    };
    Ok(Preconditions {
        if_match: owned(header::IF_MATCH)?,
        if_none_match: owned(header::IF_NONE_MATCH)?,
        if_modified_since,
        if_none_exist: owned(header::HeaderName::from_static("if-none-exist"))?,
    })
}

/// <https://www.rfc-editor.org/rfc/rfc7240>: what is not understood is ignored.
fn prefer(http: &HttpRequest, request: &mut Request) {
    for value in http
        .headers()
        .get_all(header::HeaderName::from_static("prefer"))
    {
        let Ok(value) = value.to_str() else { continue };
        for preference in value.split([',', ';']) {
            match preference.trim().replace([' ', '"'], "").as_str() {
                "return=minimal" => request.prefer = Return::Minimal,
                "return=representation" => request.prefer = Return::Representation,
                "return=OperationOutcome" => request.prefer = Return::OperationOutcome,
                "handling=lenient" => request.lenient = true,
                "handling=strict" => request.lenient = false,
                _ => {}
            }
        }
    }
}
