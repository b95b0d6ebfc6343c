//! One line of the trail: an event and who did it, as compact JSON.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::security::without_tokens;
use super::{Actor, Event};
use crate::store::{AuditRow, ResourceKey, StoreError};

/// Resources written that one record names at most.
const WRITTEN: usize = 100;

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Record {
    /// The interaction.
    #[serde(rename = "do")]
    pub interaction: String,
    #[serde(rename = "type", skip_serializing_if = "Option::is_none")]
    pub resource_type: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub sent: String,
    pub status: u16,
    /// Requests of the sender's that were answered alike besides.
    #[serde(skip_serializing_if = "none")]
    pub more: u64,
    /// By type: `id/version`.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub shown: BTreeMap<String, Vec<String>>,
    /// `Type/id`
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub written: Vec<String>,
    /// Those of them that were deleted.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub deleted: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub patients: Vec<String>,
    pub who: Actor,
    /// The base URL of the service that was asked.
    pub base: String,
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde asks for a reference"
)]
fn none(number: &u64) -> bool {
    *number == 0
}

impl Record {
    pub fn new(base: &str, actor: &Actor, event: &Event) -> Self {
        let mut shown: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for one in &event.shown {
            let versions = shown.entry(one.key.resource_type.clone()).or_default();
            versions.push(format!("{}/{}", one.key.id, one.version));
        }
        Self {
            interaction: event.interaction.to_owned(),
            resource_type: event.resource_type.clone(),
            id: event.id.clone(),
            sent: without_tokens(&event.sent),
            status: event.status,
            more: event.more,
            shown,
            written: event.written.iter().map(ToString::to_string).collect(),
            deleted: event.deleted.iter().map(ToString::to_string).collect(),
            patients: event.patients.clone(),
            who: Actor {
                request: actor.request.as_deref().map(without_tokens),
                ..actor.clone()
            },
            base: base.to_owned(),
        }
    }

    pub fn parse(text: &str) -> Result<Self, StoreError> {
        let unreadable = |error| StoreError::Corrupt(format!("an audit record: {error}"));
        serde_json::from_str(text).map_err(unreadable)
    }

    /// What was shown, as keys and versions.
    pub fn versions(&self) -> impl Iterator<Item = (ResourceKey, i64)> + '_ {
        self.shown.iter().flat_map(|(name, versions)| {
            versions.iter().filter_map(move |place| {
                let (id, version) = place.split_once('/')?;
                Some((ResourceKey::new(name, id), version.parse().ok()?))
            })
        })
    }

    fn row(&self) -> AuditRow {
        let record = serde_json::to_string(self);
        AuditRow {
            record: record.expect("texts, numbers and lists of them are JSON"),
        }
    }
}

/// The rows of an event: more than one where a commit writes very much.
pub fn rows(base: &str, actor: &Actor, event: &Event) -> Vec<AuditRow> {
    let record = Record::new(base, actor, event);
    if record.written.len() <= WRITTEN {
        return vec![record.row()];
    }
    let parts = record.written.chunks(WRITTEN).map(|written| Record {
        written: written.to_vec(),
        ..record.clone()
    });
    parts.map(|part| part.row()).collect()
}
