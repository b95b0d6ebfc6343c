//! A REST request without its transport: HTTP and the entries of a bundle
//! become the same thing here. <https://hl7.org/fhir/R4/http.html>

use serde_json::{Map, Value};

use super::outcome::{Failure, Kind};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verb {
    Get,
    Post,
    Put,
    Patch,
    Delete,
}

impl Verb {
    /// The code of `Bundle.entry.request.method`. HEAD is a GET whose content
    /// the transport leaves out.
    pub fn from_code(code: &str) -> Option<Self> {
        Some(match code {
            "GET" | "HEAD" => Self::Get,
            "POST" => Self::Post,
            "PUT" => Self::Put,
            "PATCH" => Self::Patch,
            "DELETE" => Self::Delete,
            _ => return None,
        })
    }

    pub fn code(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Post => "POST",
            Self::Put => "PUT",
            Self::Patch => "PATCH",
            Self::Delete => "DELETE",
        }
    }
}

/// What came with the request.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum Content {
    #[default]
    None,
    /// A FHIR resource.
    Resource(Map<String, Value>),
    /// A JSON Patch document.
    JsonPatch(Value),
    /// A JSON Merge Patch: <https://www.rfc-editor.org/rfc/rfc7396>
    MergePatch(Map<String, Value>),
}

impl Content {
    /// The resource, or a refusal that says what to send.
    pub fn into_resource(self) -> Result<Map<String, Value>, Failure> {
        match self {
            Self::Resource(content) => Ok(content),
            Self::None => Err(Failure::new(
                Kind::Required,
                "The request has no content. Send the resource as application/fhir+json.",
            )),
            Self::JsonPatch(_) | Self::MergePatch(_) => Err(Failure::new(
                Kind::UnsupportedMediaType,
                "A patch is sent with PATCH. Send the resource as application/fhir+json.",
            )),
        }
    }
}

/// <https://hl7.org/fhir/R4/http.html#concurrency>, `#cond-read`, `#ccreate`
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Preconditions {
    pub if_match: Option<String>,
    pub if_none_match: Option<String>,
    /// Microseconds since 1970.
    pub if_modified_since: Option<i64>,
    pub if_none_exist: Option<String>,
}

/// `Prefer: return=…`, <https://hl7.org/fhir/R4/http.html#ops>
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Return {
    Minimal,
    #[default]
    Representation,
    OperationOutcome,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Request {
    pub verb: Verb,
    /// Decoded segments below the base: `["Patient", "1", "_history"]`.
    pub path: Vec<String>,
    /// Decoded parameters in the order sent.
    pub query: Vec<(String, String)>,
    /// The address below the base, and the form behind it, as they were sent.
    pub sent: String,
    pub content: Content,
    pub preconditions: Preconditions,
    pub prefer: Return,
    /// `Prefer: handling=lenient`: unknown search parameters are ignored.
    pub lenient: bool,
}

impl Request {
    pub fn new(verb: Verb, path: Vec<String>, query: Vec<(String, String)>) -> Self {
        Self {
            verb,
            path,
            query,
            sent: String::new(),
            content: Content::None,
            preconditions: Preconditions::default(),
            prefer: Return::default(),
            lenient: false,
        }
    }

    /// Reads an address relative to the base: `Patient/1?_format=json`.
    pub fn parse_url(verb: Verb, url: &str) -> Result<Self, Failure> {
        let (path, query) = url.split_once('?').unwrap_or((url, ""));
        let segments = path
            .trim_matches('/')
            .split('/')
            .filter(|segment| !segment.is_empty())
            .map(decode_segment)
            .collect::<Result<Vec<_>, _>>()?;
        Ok(Self {
            sent: url.trim_start_matches('/').to_owned(),
            ..Self::new(verb, segments, parse_query(query))
        })
    }

    /// The value of a parameter that may stand once.
    pub fn parameter(&self, name: &str) -> Option<&str> {
        self.query
            .iter()
            .find(|(key, _)| key == name)
            .map(|(_, value)| value.as_str())
    }
}

/// Pairs of a query string or form, percent and plus decoded.
pub fn parse_query(query: &str) -> Vec<(String, String)> {
    form_urlencoded::parse(query.as_bytes())
        .into_owned()
        .collect()
}

fn decode_segment(segment: &str) -> Result<String, Failure> {
    match percent_encoding::percent_decode_str(segment).decode_utf8() {
        Ok(decoded) if !decoded.contains(['\0', '/']) => Ok(decoded.into_owned()),
        _ => Err(Failure::new(
            Kind::Value,
            "The address is not valid percent-encoded UTF-8.",
        )),
    }
}
