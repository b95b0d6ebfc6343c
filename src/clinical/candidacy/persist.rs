//! A judgement as a RiskAssessment, and the watch for mania, in one commit and
//! with the caller's own rights. <https://hl7.org/fhir/R4/riskassessment.html>

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};

use super::evidence::Evidence;
use super::session::{watch, watch_code};
use super::status::{self, ASSESSMENT, Judged, Overall};
use crate::clinical::knowledge::JudgedBy;
use crate::clinical::medication::Rules;
use crate::clinical::programme;
use crate::fhir::engine::Draft;
use crate::fhir::operation::{Call, LIMITED_VIEW};
use crate::fhir::outcome::{Failure, Kind};
use crate::fhir::record::{Guard, Method, ResourceKey};
use crate::fhir::resource::{Resource, instant};
use crate::fhir::search::path::items;
use crate::fhir::search::reference::local;

/// What was stored.
pub async fn store(
    call: &Call<'_>,
    rules: &Rules,
    evidence: &Evidence,
    judged: &[Judged<'_>],
) -> Result<Vec<ResourceKey>, Failure> {
    let all = judged.iter();
    let watched = judged
        .iter()
        .filter(|one| one.criterion.fact.judged_by == JudgedBy::Watched);
    let whole = labels(call, all.flat_map(|one| &one.evidence)).await?;
    let of_watch = labels(call, watched.flat_map(|one| &one.evidence)).await?;
    let mut wanted = vec![(assessment(rules, evidence, judged), whole)];
    for content in mania_watch(rules, evidence, judged)? {
        wanted.push((content, of_watch.clone()));
    }
    let mut drafts = Vec::new();
    for (content, labels) in wanted {
        let Value::Object(mut content) = content else {
            continue;
        };
        if !labels.is_empty() {
            content.insert("meta".to_owned(), json!({"security": labels}));
        }
        drafts.push(draft(call, evidence, content)?);
    }
    let keys = drafts.iter().map(|draft| draft.key.clone()).collect();
    call.engine.write(call.authority, drafts).await?;
    Ok(keys)
}

/// Whoever may not see a record may not see what follows from it.
async fn labels<'e>(
    call: &Call<'_>,
    sources: impl Iterator<Item = &'e String>,
) -> Result<Vec<Value>, Failure> {
    let sources: BTreeSet<ResourceKey> = sources.filter_map(|source| local(source)).collect();
    let mut labels = Vec::new();
    for source in &sources {
        let found = call.records().find(source).await?;
        let Some(meta) = found
            .as_ref()
            .and_then(|it| it.resource.content.get("meta"))
        else {
            continue;
        };
        for label in items(meta.as_object().unwrap_or(&Map::new()), "security") {
            if !labels.contains(label) {
                labels.push(label.clone());
            }
        }
    }
    Ok(labels)
}

fn draft(
    call: &Call<'_>,
    evidence: &Evidence,
    mut content: Map<String, Value>,
) -> Result<Draft, Failure> {
    let id = uuid::Uuid::now_v7().to_string();
    content.insert("id".to_owned(), id.clone().into());
    let resource = Resource::from_object(content)?;
    call.engine.check(&resource)?;
    let name = resource.resource_type.clone();
    // Two who ask at once raise one Flag.
    let guard = match name.as_str() {
        "RiskAssessment" => Guard::New,
        _ => {
            let patient = evidence.patient.key.to_string();
            let code = format!("{}|{}", programme::system(), programme::MANIA_WATCH);
            let mut criteria = vec![("patient", patient.as_str())];
            let known = if name == "ServiceRequest" {
                criteria.push(("code", code.as_str()));
                criteria.push(("status", "active"));
                Vec::new()
            } else {
                // R4 has no search of Flags by code or status.
                let seen = evidence.flags.resources.iter();
                seen.map(|version| version.key.id.clone()).collect()
            };
            let lock = format!("mania-watch/{name}/{patient}");
            call.records().none_guard(&name, &criteria, &known, &lock)?
        }
    };
    Ok(Draft {
        key: ResourceKey::new(name, id),
        method: Method::Post,
        guard,
        content: Some(resource.into()),
    })
}

fn assessment(rules: &Rules, evidence: &Evidence, judged: &[Judged<'_>]) -> Value {
    let overall = Overall::of(judged).code();
    let mut sources: Vec<&String> = judged.iter().flat_map(|one| &one.evidence).collect();
    sources.sort();
    sources.dedup();
    let basis: Vec<Value> = sources
        .into_iter()
        .map(|source| json!({"reference": source}))
        .collect();
    let lines: Vec<String> = judged
        .iter()
        .map(|one| {
            let reasons = one.reasons.join(" ");
            format!("{}: {}. {reasons}", one.criterion.id, one.status.code())
        })
        .collect();
    let concept = |code: &str| json!({"coding": [{"system": status::system(), "code": code}]});
    let mut content = json!({
        "resourceType": "RiskAssessment",
        "status": "final",
        "method": {"text": format!("Criteria of the knowledge base, version {}", rules.knowledge.version)},
        "code": concept(ASSESSMENT),
        "subject": {"reference": evidence.patient.key.to_string()},
        "occurrenceDateTime": instant(evidence.at.0),
        "prediction": [{"outcome": concept(overall), "rationale": "Advice for a clinician's review, not a decision."}],
        "note": [{"text": lines.join("\n")}],
    });
    if let (false, Some(members)) = (basis.is_empty(), content.as_object_mut()) {
        members.insert("basis".to_owned(), basis.into());
    }
    content
}

/// The Flag and the schedule that bipolar disorder asks for, as far as they
/// are not there yet.
fn mania_watch(
    rules: &Rules,
    evidence: &Evidence,
    judged: &[Judged<'_>],
) -> Result<Vec<Value>, Failure> {
    let mut watched = judged
        .iter()
        .filter(|one| one.criterion.fact.judged_by == JudgedBy::Watched);
    let Some(one) = watched.find(|one| one.status == status::Status::NotMet) else {
        return Ok(Vec::new());
    };
    for (name, seen) in [
        ("Flag", &evidence.flags),
        ("ServiceRequest", &evidence.schedules),
    ] {
        if seen.hidden {
            let text = format!(
                "Bipolar disorder asks for a Flag and a schedule, and there may be one already. {LIMITED_VIEW} Its scopes have to let it read, search and create {name}."
            );
            return Err(Failure::new(Kind::Forbidden, text));
        }
    }
    let there = watch(evidence);
    let is_there = |name: &str| there.iter().any(|key| key.starts_with(name));
    let patient = json!({"reference": evidence.patient.key.to_string()});
    let reasons = one.evidence.iter();
    let reasons: Vec<Value> = reasons
        .filter(|source| source.starts_with("Condition/"))
        .map(|source| json!({"reference": source}))
        .collect();
    let fact = &one.criterion.fact;
    let mut wanted = Vec::new();
    if !is_there("Flag") {
        wanted.push(json!({
            "resourceType": "Flag",
            "status": "active",
            "category": [{"coding": [{"system": "http://terminology.hl7.org/CodeSystem/flag-category", "code": "clinical"}]}],
            "code": watch_code(),
            "subject": patient.clone(),
            "period": {"start": instant(evidence.at.0)},
        }));
    }
    if !is_there("ServiceRequest") {
        let scale = fact.scale.as_ref();
        let score = rules
            .knowledge
            .scores
            .iter()
            .find(|one| Some(&one.id) == scale);
        let mut code = watch_code();
        if let (Some(score), Some(codings)) =
            (score, code.get_mut("coding").and_then(Value::as_array_mut))
        {
            codings.push(json!({"system": score.fact.system, "code": score.fact.code, "display": score.fact.name}));
        }
        wanted.push(json!({
            "resourceType": "ServiceRequest",
            "status": "active",
            "intent": "plan",
            "code": code,
            "subject": patient,
            "reasonReference": reasons,
            "occurrenceTiming": {"repeat": {
                "boundsPeriod": {"start": instant(evidence.at.0)},
                "frequency": 1, "period": fact.every_days, "periodUnit": "d",
            }},
        }));
    }
    Ok(wanted)
}
