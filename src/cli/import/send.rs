//! A bundle goes through the engine, and its answer comes apart again.

use serde_json::{Map, Value};

use super::{Importer, problem};
use crate::access::Internal;
use crate::cli::account::operator;
use crate::fhir::request::{Content, Request, Return, Verb};

/// One entry as the file has it.
#[derive(Debug)]
pub struct Planned {
    pub place: String,
    pub resource_type: String,
    pub verb: Verb,
    /// It has `ifNoneExist`.
    pub conditional: bool,
}

/// The status of an entry, or what was wrong with it.
pub type EntryResult = Result<u16, String>;

/// One result for each entry, or why the bundle as a whole was refused.
pub async fn send(
    importer: &Importer,
    bundle: Map<String, Value>,
) -> Result<Vec<EntryResult>, Vec<String>> {
    let request = Request {
        content: Content::Resource(bundle),
        prefer: Return::Minimal,
        ..Request::new(Verb::Post, Vec::new(), Vec::new())
    };
    let answer = importer
        .engine
        .handle(&operator(Internal::Import), request)
        .await;
    let content = answer.content.as_deref().unwrap_or("{}");
    let content: Value = serde_json::from_str(content).map_err(|error| vec![error.to_string()])?;
    if answer.status != 200 {
        return Err(problem::of_outcome(&content));
    }
    let entries = content.get("entry").and_then(Value::as_array);
    Ok(entries.into_iter().flatten().map(result).collect())
}

fn result(entry: &Value) -> EntryResult {
    let response = entry.get("response");
    let status = response.and_then(|response| response.get("status")?.as_str());
    let code = status.and_then(|status| status.split(' ').next()?.parse().ok());
    match code {
        Some(code) if code < 400 => Ok(code),
        _ => {
            let outcome = response.and_then(|response| response.get("outcome"));
            let lines = outcome.map(problem::of_outcome).unwrap_or_default();
            Err(if lines.is_empty() {
                status.unwrap_or("no answer").to_owned()
            } else {
                lines.join("; ")
            })
        }
    }
}
