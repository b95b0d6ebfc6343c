//! One reading of what a client writes as a reference: every way to write a resource of
//! this service means the same `Type/id`, and what means nothing is told.
//! <https://hl7.org/fhir/R4/references.html#literal>, <https://www.rfc-editor.org/rfc/rfc3986#section-6>

use std::borrow::Cow;

use super::validate::id;
use crate::store::ResourceKey;

/// The address of this service, taken apart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OwnAddress {
    authority: Authority,
    /// Segments of the path: `["fhir"]`.
    path: Vec<String>,
}

/// Host and port without case and without the port that goes without saying.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Authority {
    host: String,
    port: Option<String>,
}

/// What a text refers to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LiteralReference<'t> {
    /// `#id`: inside of the same resource.
    Contained,
    /// A resource of this service, and the version that is meant.
    Local(ResourceKey, Option<String>),
    /// `Type?name=value`, which a transaction looks up.
    Criteria(String, &'t str),
    /// An address of another service, or a URN.
    Elsewhere(Cow<'t, str>),
    /// No address of anything; the text says what to write.
    Wrong(&'static str),
}

const NO_ADDRESS: &str =
    "it is no address of a resource: write Type/id, an absolute address or #id";
const NO_ID: &str = "an id has 1 to 64 letters, digits, hyphens and dots: correct it";
const NO_PARAMETERS: &str =
    "it names one resource and carries parameters: remove what begins with ?";
const NO_FRAGMENT: &str =
    "only what is contained in the same resource has a fragment: remove what begins with #";
const NO_DOTS: &str = "it climbs with `..`: write Type/id";
const NO_HOST: &str = "it names no host: write http://host/… or Type/id";
const NO_SPACE: &str = "an address has no spaces and no control characters: remove them";

impl OwnAddress {
    /// `url` is absolute: `http://127.0.0.1:8080/fhir`.
    pub fn from_base_url(url: &str) -> Option<Self> {
        let (scheme, rest) = split_scheme(url)?;
        let (authority, path) = split_authority(rest)?;
        Some(Self {
            authority: Authority::parse(&scheme, authority)?,
            path: segments(path).map(str::to_owned).collect(),
        })
    }

    /// The path below this address, where the absolute one leads there. Clients write
    /// http where a proxy speaks https; the host and its port are what tells.
    fn below<'t>(&self, scheme: &str, authority: &str, path: &'t str) -> Option<Vec<&'t str>> {
        let other = Authority::parse(scheme, authority)?;
        (other == self.authority).then(|| self.below_path(path))?
    }

    fn below_path<'t>(&self, path: &'t str) -> Option<Vec<&'t str>> {
        let mut segments = segments(path);
        for own in &self.path {
            segments.next().filter(|segment| segment == own)?;
        }
        Some(segments.collect())
    }
}

impl Authority {
    fn parse(scheme: &str, text: &str) -> Option<Self> {
        if !matches!(scheme, "http" | "https") || text.is_empty() {
            return None;
        }
        let (host, port) = match text.rsplit_once(':') {
            Some((host, port)) if port.bytes().all(|b| b.is_ascii_digit()) => (host, port),
            _ => (text, ""),
        };
        let usual = matches!(port, "" | "80" | "443");
        Some(Self {
            host: host.trim_end_matches('.').to_ascii_lowercase(),
            port: (!usual).then(|| port.trim_start_matches('0').to_owned()),
        })
    }
}

/// Reads a reference. Without an own address every one that begins at a host or its root
/// leads elsewhere.
pub fn read_reference<'t>(own: Option<&OwnAddress>, text: &'t str) -> LiteralReference<'t> {
    let text = text.trim();
    if text.is_empty() {
        return LiteralReference::Wrong(NO_ADDRESS);
    }
    if text.starts_with('#') {
        return LiteralReference::Contained;
    }
    let address = text.split_once('?').map_or(text, |(address, _)| address);
    if address.contains(|c: char| c.is_whitespace() || c.is_control()) {
        return LiteralReference::Wrong(NO_SPACE);
    }
    match split_scheme(text) {
        Some((scheme, rest)) => absolute(own, text, &scheme, rest),
        None => {
            let (path, query, fragment) = parts(text);
            let is_rooted = path.starts_with('/');
            if is_rooted && own.is_none() {
                return LiteralReference::Elsewhere(text.into());
            }
            let rooted = own.filter(|_| is_rooted);
            let below = rooted.and_then(|own| own.below_path(path));
            let below = below.filter(|segments| !segments.is_empty());
            local(
                below.unwrap_or_else(|| segments(path).collect()),
                query,
                fragment,
            )
        }
    }
}

fn absolute<'t>(
    own: Option<&OwnAddress>,
    text: &'t str,
    scheme: &str,
    rest: &'t str,
) -> LiteralReference<'t> {
    match scheme {
        "http" | "https" => {}
        // Both names and the digits have no case. <https://www.rfc-editor.org/rfc/rfc9562#section-4>
        "urn"
            if rest
                .get(..5)
                .is_some_and(|kind| kind.eq_ignore_ascii_case("uuid:")) =>
        {
            return LiteralReference::Elsewhere(lower_uuid(text));
        }
        _ => return LiteralReference::Elsewhere(text.into()),
    }
    let Some((authority, rest)) = split_authority(rest) else {
        return LiteralReference::Wrong(NO_HOST);
    };
    let (path, query, fragment) = parts(rest);
    match own.and_then(|own| own.below(scheme, authority, path)) {
        Some(segments) => local(segments, query, fragment),
        None => LiteralReference::Elsewhere(text.into()),
    }
}

/// A fragment behind it keeps its case.
fn lower_uuid(text: &str) -> Cow<'_, str> {
    let end = text.find('#').unwrap_or(text.len());
    let (name, fragment) = text.split_at(end);
    if name.bytes().any(|b| b.is_ascii_uppercase()) {
        return format!("{}{fragment}", name.to_ascii_lowercase()).into();
    }
    text.into()
}

fn local<'t>(
    segments: Vec<&str>,
    query: Option<&'t str>,
    fragment: Option<&str>,
) -> LiteralReference<'t> {
    if fragment.is_some_and(|fragment| !fragment.is_empty()) {
        return LiteralReference::Wrong(NO_FRAGMENT);
    }
    let decoded: Option<Vec<String>> = segments.into_iter().map(decode).collect();
    let Some(decoded) = decoded else {
        return LiteralReference::Wrong(NO_ADDRESS);
    };
    let query = query.filter(|query| !query.is_empty());
    let segments: Vec<&str> = decoded.iter().map(String::as_str).collect();
    if segments.contains(&"..") {
        return LiteralReference::Wrong(NO_DOTS);
    }
    let (name, id, version) = match (segments.as_slice(), query) {
        ([name], Some(query)) if is_type_name(name) => {
            return LiteralReference::Criteria((*name).to_owned(), query);
        }
        ([name, id], None) => (name, id, None),
        ([name, id, "_history", version], None) => (name, id, Some(*version)),
        ([_, _] | [_, _, "_history", _], Some(_)) => return LiteralReference::Wrong(NO_PARAMETERS),
        _ => return LiteralReference::Wrong(NO_ADDRESS),
    };
    if !is_type_name(name) {
        return LiteralReference::Wrong(NO_ADDRESS);
    }
    if !id::is_legal(id) || version.is_some_and(|version| !id::is_legal(version)) {
        return LiteralReference::Wrong(NO_ID);
    }
    LiteralReference::Local(ResourceKey::new(*name, *id), version.map(str::to_owned))
}

impl LiteralReference<'_> {
    /// How it is written in what is stored. Nothing where it is no address.
    pub fn canonical_text(&self, sent: &str) -> Option<String> {
        match self {
            Self::Contained => Some(sent.trim().to_owned()),
            Self::Local(key, None) => Some(key.to_string()),
            Self::Local(key, Some(version)) => Some(format!("{key}/_history/{version}")),
            Self::Criteria(name, query) => Some(format!("{name}?{query}")),
            Self::Elsewhere(text) => Some(text.clone().into_owned()),
            Self::Wrong(_) => None,
        }
    }
}

/// `http` of `HTTP://x`, without case, and what follows the colon.
fn split_scheme(text: &str) -> Option<(String, &str)> {
    let (scheme, rest) = text.split_once(':')?;
    let legal = |c: char| c.is_ascii_alphanumeric() || matches!(c, '+' | '-' | '.');
    (scheme.starts_with(|c: char| c.is_ascii_alphabetic()) && scheme.chars().all(legal))
        .then(|| (scheme.to_ascii_lowercase(), rest))
}

/// `host` and `/path?query` of `//host/path?query`.
fn split_authority(rest: &str) -> Option<(&str, &str)> {
    let rest = rest.strip_prefix("//")?;
    let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    let (authority, path) = rest.split_at(end);
    (!authority.is_empty()).then_some((authority, path))
}

/// Path, query and fragment. In criteria a `#` belongs to a value.
fn parts(text: &str) -> (&str, Option<&str>, Option<&str>) {
    match text.split_once(['?', '#']) {
        Some((path, rest)) if text.as_bytes().get(path.len()) == Some(&b'?') => {
            (path, Some(rest), None)
        }
        Some((path, rest)) => (path, None, Some(rest)),
        None => (text, None, None),
    }
}

/// Doubled slashes, one at either end and `.` name nothing.
fn segments(path: &str) -> impl Iterator<Item = &str> {
    let segments = path.split('/');
    segments.filter(|segment| !segment.is_empty() && *segment != ".")
}

fn decode(segment: &str) -> Option<String> {
    let decoded = percent_encoding::percent_decode_str(segment).decode_utf8();
    decoded.ok().map(Cow::into_owned)
}

pub fn is_type_name(name: &str) -> bool {
    name.starts_with(|c: char| c.is_ascii_uppercase())
        && name.bytes().all(|b| b.is_ascii_alphanumeric())
}
