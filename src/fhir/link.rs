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
    // A page of POST Type/_search is fetched by GET Type?…
    let path = request.path.iter().map(String::as_str);
    let path = path.filter(|segment| *segment != "_search");
    let query = request.query.iter();
    let query = query.filter(|(name, _)| cursor.is_none() || name != CURSOR);
    let query = query.map(|(name, value)| (name.as_str(), value.as_str()));
    of(
        engine,
        path,
        query.chain(cursor.map(|cursor| (CURSOR, cursor))),
    )
}

/// The address of a GET.
pub fn of<'p>(
    engine: &Engine,
    path: impl IntoIterator<Item = &'p str>,
    query: impl IntoIterator<Item = (&'p str, &'p str)>,
) -> String {
    let mut url = engine.settings.base_url.clone();
    for segment in path {
        url.push('/');
        url.extend(utf8_percent_encode(segment, SEGMENT));
    }
    let mut pairs = form_urlencoded::Serializer::new(String::new());
    pairs.extend_pairs(query);
    let query = pairs.finish();
    if !query.is_empty() {
        url.push('?');
        url.push_str(&query);
    }
    url
}
