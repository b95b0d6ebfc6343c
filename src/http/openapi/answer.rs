//! What a request is answered with when it is granted.
//! <https://hl7.org/fhir/R4/http.html#versioning>

use serde_json::{Map, Value, json};

use super::body::media;
use super::{SPELLED_OUT, example, reference};

/// Headers of an answer that is a version.
pub const VERSION: &[&str] = &["ETag", "Last-Modified", "Content-Location"];
/// Headers of a version just created.
pub const CREATED: &[&str] = &["ETag", "Last-Modified", "Location"];
pub const TAG: &[&str] = &["ETag"];

#[derive(Clone, Copy)]
pub enum Content {
    Nothing,
    Resource,
    /// The resource, an OperationOutcome or nothing, as `Prefer` says.
    Written,
    Outcome,
    /// A page of results or versions.
    Page,
    /// The answers to the entries of a batch or transaction.
    Responses,
    Capabilities,
}

pub struct Answer {
    pub status: u16,
    pub text: &'static str,
    pub content: Content,
    pub headers: &'static [&'static str],
}

impl Answer {
    pub const fn new(status: u16, text: &'static str, content: Content) -> Self {
        Self {
            status,
            text,
            content,
            headers: &[],
        }
    }

    pub const fn with(mut self, headers: &'static [&'static str]) -> Self {
        self.headers = headers;
        self
    }

    pub fn response(&self, subject: Option<&str>) -> Value {
        let mut response = Map::new();
        response.insert("description".to_owned(), self.text.into());
        if !self.headers.is_empty() {
            let headers = self.headers.iter();
            let headers: Map<String, Value> = headers
                .map(|name| ((*name).to_owned(), reference("headers", name)))
                .collect();
            response.insert("headers".to_owned(), headers.into());
        }
        if let Some(media) = self.media(subject) {
            let content = json!({"application/fhir+json": media});
            response.insert("content".to_owned(), content);
        }
        response.into()
    }

    fn media(&self, subject: Option<&str>) -> Option<Value> {
        let name = subject.unwrap_or("Resource");
        let example = subject.unwrap_or(example::OTHER);
        Some(match self.content {
            Content::Nothing => return None,
            Content::Resource => media(name, example),
            Content::Written => {
                let mut media = media(name, example);
                let outcome = reference("schemas", "OperationOutcome");
                if let Some(schema) = media.get_mut("schema") {
                    *schema = json!({"anyOf": [reference("schemas", name), outcome]});
                }
                media
            }
            Content::Outcome => json!({"schema": reference("schemas", "OperationOutcome")}),
            Content::Page => match subject.filter(|name| SPELLED_OUT.contains(name)) {
                Some(name) => media("Bundle", &example::page_of(name)),
                None => json!({"schema": reference("schemas", "Bundle")}),
            },
            Content::Responses => json!({"schema": reference("schemas", "Bundle")}),
            Content::Capabilities => {
                json!({"schema": reference("schemas", "CapabilityStatement")})
            }
        })
    }
}

pub fn headers() -> Value {
    let header = |text: &str, example: &str| {
        let schema = json!({"type": "string", "examples": [example]});
        json!({"description": text, "schema": schema})
    };
    let version = "http://127.0.0.1:8080/fhir/Patient/example/_history/3";
    json!({
        "ETag": header("The version of the resource. Send it back as `If-Match` or `If-None-Match`.", "W/\"3\""),
        "Last-Modified": header("When this version was written, to the second.", "Sat, 21 Nov 2026 08:00:00 GMT"),
        "Location": header("The address of the version just created.", version),
        "Content-Location": header("The address of this version.", version),
    })
}
