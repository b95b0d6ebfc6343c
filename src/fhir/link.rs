//! Addresses of pages: the request as understood, and the same one further on.
//! <https://hl7.org/fhir/R4/http.html#paging>

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use super::engine::Engine;
use super::request::Request;

const SEGMENT: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'$')
    .remove(b'*');

/// The parameter that carries the place of a page.
pub const CURSOR: &str = "_cursor";

/// The address of this request.
pub fn own(engine: &Engine, request: &Request) -> String {
    address(engine, request, None)
}

/// The address of the page at this cursor, with every other parameter kept.
pub fn page(engine: &Engine, request: &Request, cursor: &str) -> String {
    address(engine, request, Some(cursor))
}

fn address(engine: &Engine, request: &Request, cursor: Option<&str>) -> String {
    let mut url = engine.settings.base_url.clone();
    // A page of POST Type/_search is fetched by GET Type?…
    for segment in request.path.iter().filter(|segment| *segment != "_search") {
        url.push('/');
        url.extend(utf8_percent_encode(segment, SEGMENT));
    }
    let mut query = form_urlencoded::Serializer::new(String::new());
    for (name, value) in &request.query {
        if cursor.is_none() || name != CURSOR {
            query.append_pair(name, value);
        }
    }
    if let Some(cursor) = cursor {
        query.append_pair(CURSOR, cursor);
    }
    let query = query.finish();
    if !query.is_empty() {
        url.push('?');
        url.push_str(&query);
    }
    url
}
