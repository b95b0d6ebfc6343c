//! `Patient/{id}/$access-log`: who has looked at a patient's records, or tried
//! to, in words for that patient.

use super::super::admission::AUDIT_EVENT;
use super::super::answer::Answer;
use super::super::audit::record::Record;
use super::super::audit::settle;
use super::super::audit::summary::{Access, names, told};
use super::super::cursor::Tie;
use super::super::engine::{Engine, now, unavailable};
use super::super::index::refusal;
use super::super::link::CURSOR;
use super::super::outcome::Failure;
use super::super::search::page::{self, Place};
use super::super::search::{Query, compile};
use super::{Call, Definition, Level, Operation, Parameter, Part, output};
use crate::store::{AuditEntry, Position, ResourceKey, Scope, SearchPlan};

pub static ACCESS_LOG: Definition = Definition {
    name: "access-log",
    url: "https://unloop.dev/fhir/OperationDefinition/access-log",
    title: "Who has looked at a patient's records",
    text: "One `access` for each time that somebody read, searched, wrote or was refused the patient's records, the newest first: when, who, with which software, on behalf of whom, by which grant and for which purpose, what kind of access, to which resource types, and whether it succeeded. `complete` is false where there are older ones, and `next` has their address. For the patient (a token whose fhirUser is that Patient, without a grant) and for system/AuditEvent.rs.",
    types: &["Patient"],
    levels: &[Level::Instance],
    affects_state: false,
    parameters: &[
        Parameter {
            name: "_since",
            kind: "dateTime",
            required: false,
            codes: &[],
            text: "Nothing from before this time.",
        },
        Parameter {
            name: "_count",
            kind: "positiveInt",
            required: false,
            codes: &[],
            text: "So many at most; as many as a page of a search unless said otherwise.",
        },
        Parameter {
            name: CURSOR,
            kind: "string",
            required: false,
            codes: &[],
            text: "Where the next page begins, as `next` has it.",
        },
    ],
};

pub struct AccessLog;

#[async_trait::async_trait]
impl Operation for AccessLog {
    fn definition(&self) -> &'static Definition {
        &ACCESS_LOG
    }

    async fn run(&self, call: Call<'_>) -> Result<Answer, Failure> {
        let patient = call.instance()?;
        call.records().read(patient).await?;
        let scope = call.authority.trail(&patient.id)?;
        settle(call.engine).await?;
        let asked = Asked::of(&call, patient, scope)?;
        let failed = |error| unavailable(&error);
        let found = call.engine.store.search(&asked.plan).await;
        let found = found.map_err(failed)?;
        let mut accesses = Vec::with_capacity(found.rows.len());
        for row in &found.rows {
            accesses.push((&row.key, read(call.engine, &row.key.id).await?));
        }
        let missing = call.engine.trail.missing();
        let names = names(call.engine, accesses.iter().filter_map(|(_, a)| a.as_ref())).await?;
        let mut parts = vec![
            Part::reference("patient", &patient.to_string()),
            Part::flag("complete", !found.more && missing.is_empty()),
        ];
        if !missing.is_empty() {
            parts.push(Part::text("notice", INCOMPLETE));
        }
        if let (true, Some(last)) = (found.more, found.positions.last()) {
            let next = asked.next(call.engine, patient, last.clone());
            parts.push(Part::value("next", "Uri", next));
            parts.push(Part::text(
                "notice",
                "There are older accesses than these; `next` has their address.",
            ));
        }
        parts.extend(accesses.iter().map(|(key, access)| {
            let told = access.as_ref().map(|access| told(access, patient, &names));
            let mut told = told.unwrap_or_else(|| vec![Part::text("text", MISSING)]);
            told.push(Part::reference("event", &key.to_string()));
            Part::parts("access", told)
        }));
        Ok(output::answer(parts))
    }
}

/// Which rows are missing is for the operator to know.
const INCOMPLETE: &str = "The audit trail was changed: records are missing from it, and among them may be accesses to this patient's record.";

/// Tell it to the operator, who has `unloop audit verify`.
const MISSING: &str = "The record of this access is missing from the audit trail.";

struct Asked {
    plan: SearchPlan,
    tie: Tie,
    /// What has to stand in the address of the next page.
    kept: Vec<(&'static str, String)>,
}

impl Asked {
    fn of(call: &Call<'_>, patient: &ResourceKey, scope: Scope) -> Result<Self, Failure> {
        let engine = call.engine;
        let given = |name| call.arguments.text(name).map(str::to_owned);
        let mut pairs = vec![
            ("patient".to_owned(), patient.to_string()),
            ("_sort".to_owned(), "-date".to_owned()),
        ];
        let mut kept = Vec::new();
        if let Some(since) = given("_since") {
            pairs.push(("date".to_owned(), format!("ge{since}")));
            kept.push(("_since", since));
        }
        if let Some(count) = given("_count") {
            pairs.push(("_count".to_owned(), count.clone()));
            kept.push(("_count", count));
        }
        let settings = engine.search_settings(false);
        let query = Query::parse(&engine.catalogue, Some(AUDIT_EVENT), &pairs, &settings)?;
        let mut plan = compile(&engine.catalogue, &query, None, scope, now())?;
        if let Some(gap) = engine.index.gap_of(&plan) {
            return Err(refusal(&gap, "not all accesses can be found"));
        }
        let identity = format!("$access-log {}", call.authority.identity());
        let tie = page::tie(&engine.settings.cursors, &identity, &query, None);
        if let Some(cursor) = given(CURSOR) {
            plan.after = page::decode(&cursor, &tie, &plan.order)?.position;
        }
        Ok(Self { plan, tie, kept })
    }

    fn next(&self, engine: &Engine, patient: &ResourceKey, position: Position) -> String {
        let place = Place {
            position: Some(position),
            backwards: false,
        };
        let mut query = form_urlencoded::Serializer::new(String::new());
        query.extend_pairs(&self.kept);
        query.append_pair(CURSOR, &page::encode(&place, &self.tie));
        let base = &engine.settings.base_url;
        format!("{base}/{patient}/$access-log?{}", query.finish())
    }
}

/// What stands in the trail itself: an AuditEvent does not name what a search showed.
async fn read(engine: &Engine, event: &str) -> Result<Option<Access>, Failure> {
    let place = event.rsplit_once('-');
    let Some((writer, Ok(position))) = place.map(|(w, p)| (w, p.parse::<i64>())) else {
        return Ok(None);
    };
    let rows = engine
        .store
        .chain(writer, position.saturating_sub(1), 1)
        .await;
    let rows = rows.map_err(|error| unavailable(&error))?;
    let row = rows.into_iter().find(|row| row.position == position);
    Ok(row.and_then(|AuditEntry { made, record, .. }| {
        let record = Record::parse(&record).ok()?;
        Some(Access { made, record })
    }))
}
