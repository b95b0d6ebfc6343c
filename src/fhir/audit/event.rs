//! What happened, without any content.

use serde_json::{Map, Value};

use super::super::answer::Answer;
use super::super::engine::{Draft, Engine};
use super::super::interaction::label::label;
use super::super::interaction::route::{Interaction, route};
use super::super::request::{Content, Request};
use crate::store::{Method, ResourceKey, Stored};

/// A version that the caller was shown, or learnt of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shown {
    pub key: ResourceKey,
    pub version: i64,
}

impl From<&Stored> for Shown {
    fn from(stored: &Stored) -> Self {
        Self {
            key: stored.key.clone(),
            version: stored.version,
        }
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
pub struct Event {
    /// A code of <https://hl7.org/fhir/R4/valueset-system-restful-interaction.html>
    /// or one of our own; empty where the address leads nowhere.
    pub interaction: &'static str,
    /// What the address names.
    pub resource_type: Option<String>,
    pub id: Option<String>,
    /// Method and address, and the form of a search, as they were sent.
    pub sent: String,
    pub status: u16,
    /// So many more requests of the sender's were answered alike.
    pub more: u64,
    pub shown: Vec<Shown>,
    pub written: Vec<ResourceKey>,
    /// Those of them that were deleted.
    pub deleted: Vec<ResourceKey>,
    /// Ids of the patients whom the content written concerns.
    pub patients: Vec<String>,
    /// The criteria of a conditional interaction are a search besides.
    pub(super) conditional: bool,
}

/// How many entries of a refused bundle are told.
const ENTRIES: usize = 100;

impl Event {
    /// What a request is about to do.
    pub fn of(engine: &Engine, request: &Request) -> Self {
        let interaction = route(engine, request).ok();
        let label = label(engine, request);
        let conditional = matches!(
            interaction,
            Some(
                Interaction::ConditionalUpdate(_)
                    | Interaction::ConditionalPatch(_)
                    | Interaction::ConditionalDelete(_)
            )
        ) || request.preconditions.if_none_exist.is_some();
        let mut path = request.path.iter();
        let resource_type = path
            .next()
            .filter(|name| engine.definitions.is_resource_type(name));
        let id = path.next().filter(|id| !id.starts_with(['_', '$']));
        Self {
            interaction: label.map_or("", |label| label.interaction),
            id: resource_type.and(id).cloned(),
            resource_type: resource_type.cloned(),
            sent: sent(request),
            conditional,
            ..Self::default()
        }
    }

    /// A request that was refused before it was understood.
    pub fn refused(sent: String, status: u16) -> Self {
        Self {
            sent,
            status,
            ..Self::default()
        }
    }

    /// A command of the service's own, or a request beside the records.
    pub fn command(name: &'static str, sent: String) -> Self {
        Self {
            interaction: name,
            sent,
            status: 200,
            ..Self::default()
        }
    }

    /// The same, about this token, client, grant or key.
    #[must_use]
    pub fn about(mut self, id: &str) -> Self {
        self.id = Some(id.to_owned());
        self
    }

    /// The same, for the records of these patients.
    #[must_use]
    pub fn concerning(mut self, patients: Vec<String>) -> Self {
        self.patients = patients;
        self
    }

    /// What a commit of these drafts does, if there are any.
    pub fn writing(engine: &Engine, drafts: &[Draft]) -> Option<Self> {
        drafts.first()?;
        let mut event = Self {
            interaction: "transaction",
            status: 200,
            ..Self::default()
        };
        if let [draft] = drafts {
            event.interaction = match draft.method {
                Method::Post => "create",
                Method::Put => "update",
                Method::Patch => "patch",
                Method::Delete => "delete",
            };
            event.resource_type = Some(draft.key.resource_type.clone());
            event.id = Some(draft.key.id.clone());
        }
        for draft in drafts {
            event.written.push(draft.key.clone());
            let name = &draft.key.resource_type;
            match &draft.content {
                Some(resource) => {
                    let concerned = patients(engine, name, &resource.content);
                    event.patients.extend(concerned);
                }
                None => event.deleted.push(draft.key.clone()),
            }
        }
        event.patients.sort_unstable();
        event.patients.dedup();
        Some(event)
    }

    /// Adds itself to the answer, unless a commit has recorded it or it is no
    /// access to any record.
    pub fn end(mut self, answer: &mut Answer) {
        self.status = answer.status;
        self.shown = std::mem::take(&mut answer.shown);
        let of_entries = matches!(self.interaction, "batch" | "transaction");
        if self.interaction == "capabilities" || (of_entries && answer.status == 200) {
            return;
        }
        if std::mem::take(&mut answer.recorded) {
            if !self.conditional {
                return;
            }
            self.interaction = "search-type";
        }
        answer.events.push(self);
    }
}

/// The ids of the patients whom a resource concerns: itself, or whom it names.
pub fn patients(engine: &Engine, name: &str, content: &Map<String, Value>) -> Vec<String> {
    if name == "Patient" {
        let id = content.get("id").and_then(Value::as_str);
        return id.map(str::to_owned).into_iter().collect();
    }
    let references = engine.catalogue.references(name, None, content);
    let targets = references.into_iter().map(|(_, key)| key);
    let patients = targets.filter(|key| key.resource_type == "Patient");
    let mut ids: Vec<String> = patients.map(|key| key.id).collect();
    ids.sort_unstable();
    ids.dedup();
    ids
}

fn sent(request: &Request) -> String {
    let mut sent = format!("{} {}", request.verb.code(), request.sent);
    if let Some(criteria) = &request.preconditions.if_none_exist {
        sent.push_str("\nIf-None-Exist: ");
        sent.push_str(criteria);
    }
    let Content::Resource(content) = &request.content else {
        return sent;
    };
    if request.path.is_empty() {
        let entries = content.get("entry").and_then(Value::as_array);
        for entry in entries.into_iter().flatten().take(ENTRIES) {
            let text = |name| {
                let request = entry.get("request")?;
                request.get(name).and_then(Value::as_str)
            };
            sent.push('\n');
            sent.push_str(text("method").unwrap_or_default());
            sent.push(' ');
            sent.push_str(text("url").unwrap_or_default());
        }
    }
    sent
}
