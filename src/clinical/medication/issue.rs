//! A finding as a DetectedIssue: one for each rule and record, under an id that
//! never changes. <https://hl7.org/fhir/R4/detectedissue.html>

use data_encoding::HEXLOWER;
use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};

use super::check::{Assessment, Finding, Rules};
use super::verdict::Verdict;
use crate::clinical::CANONICAL;
use crate::clinical::knowledge::RuleKind;
use crate::fhir::outcome::{Issue, Kind};
use crate::fhir::record::ResourceKey;
use crate::fhir::resource::instant;
use crate::fhir::search::date;
use crate::fhir::search::path::{items, text};
use crate::fhir::search::reference::{Base, local};

/// The system of the identifiers of issues that this service keeps.
pub fn system() -> String {
    format!("{CANONICAL}/detected-issue")
}

/// The system of the ids of rules.
pub fn rule_system() -> String {
    format!("{CANONICAL}/CodeSystem/medication-compatibility")
}

pub fn key(rule: &str, subject: &ResourceKey) -> ResourceKey {
    let digest = Sha256::digest(format!("{rule}\n{subject}"));
    let digits = HEXLOWER.encode(&digest);
    ResourceKey::new("DetectedIssue", format!("mc-{digits:.32}"))
}

/// The system of the identifiers of what an issue was found in: the medicine as it was
/// recorded, with its dose, route and status.
pub fn basis_system() -> String {
    format!("{CANONICAL}/detected-issue-basis")
}

/// A hash over everything in a record that a review of it may rest on.
fn basis_of(record: &Map<String, Value>) -> String {
    let mut record = record.clone();
    let beside = ["id", "meta", "text", "language", "implicitRules"];
    // In the order of the rest: removing one by one would change it.
    record.retain(|name, _| !beside.contains(&name.as_str()));
    let digest = Sha256::digest(Value::Object(record).to_string());
    format!("{:.32}", HEXLOWER.encode(&digest))
}

fn basis(issue: &Map<String, Value>) -> Option<&str> {
    let system = basis_system();
    let identifiers = items(issue, "identifier")
        .iter()
        .filter_map(Value::as_object);
    let mut own = identifiers.filter(|one| text(one, "system") == Some(&system));
    text(own.next()?, "value")
}

/// Whether a person has overridden the finding as it stands: at or after the time when it
/// was found in the record as it is now, and no longer ago than `lasts` (microseconds).
pub fn is_overridden(issue: &Map<String, Value>, now: i64, lasts: i64) -> bool {
    let period = issue.get("identifiedPeriod").and_then(Value::as_object);
    let found = text(issue, "identifiedDateTime").or_else(|| text(period?, "start"));
    let Some((found, _)) = found.and_then(date::range) else {
        return false;
    };
    let mitigations = items(issue, "mitigation")
        .iter()
        .filter_map(Value::as_object);
    let given = mitigations.filter_map(|one| date::range(text(one, "date")?));
    let mut given = given.map(|(low, _)| low);
    text(issue, "status") == Some("final")
        && given.any(|given| given >= found && given <= now && given >= now.saturating_sub(lasts))
}

/// Says when a mitigation was given that does not say it itself.
pub fn date_mitigations(issue: &mut Map<String, Value>, now: i64) {
    let Some(Value::Array(mitigations)) = issue.get_mut("mitigation") else {
        return;
    };
    for mitigation in mitigations.iter_mut().filter_map(Value::as_object_mut) {
        if !mitigation.contains_key("date") {
            mitigation.insert("date".to_owned(), instant(now).into());
        }
    }
}

/// Kept by this service, by its identifier.
pub fn is_kept(content: &Map<String, Value>) -> bool {
    let system = system();
    items(content, "identifier")
        .iter()
        .any(|identifier| identifier.get("system").and_then(Value::as_str) == Some(system.as_str()))
}

/// Said of a rule wherever one of its findings is shown.
pub fn provenance(rules: &Rules, finding: &Finding<'_>) -> String {
    let tier = finding.rule.tier();
    let mark = tier
        .mark()
        .map(|mark| format!(", {mark}"))
        .unwrap_or_default();
    let signed = match finding.rule.provenance.reviewed_by.as_slice() {
        [] => "no clinician has signed it".to_owned(),
        names => format!("signed by {}", names.join(", ")),
    };
    format!(
        "Rule {}, version {}, tier {}{mark}; {signed}.",
        finding.rule.id,
        rules.knowledge.version,
        tier.code()
    )
}

/// In words: verdicts, mechanism, advice, and where it comes from.
pub fn detail(rules: &Rules, name: &str, finding: &Finding<'_>) -> String {
    let fact = &finding.rule.fact;
    let mut text = format!(
        "{name}: {} in the clinic, {} at home. {} {}",
        fact.clinic.code(),
        fact.home.code(),
        fact.mechanism,
        fact.recommendation
    );
    if let Some(inference) = &fact.class_inference {
        text.push(' ');
        text.push_str(inference);
    }
    text.push(' ');
    text.push_str(&provenance(rules, finding));
    text
}

/// The issue of a finding; `None` where there is nothing to detect.
pub fn content(
    rules: &Rules,
    subject: &ResourceKey,
    record: &Map<String, Value>,
    name: &str,
    finding: &Finding<'_>,
    at: i64,
) -> Option<Map<String, Value>> {
    let severity = finding.verdict.severity()?;
    let rule = finding.rule.id.as_str();
    let (code, display) = match finding.rule.fact.kind {
        RuleKind::Food => ("FOOD", "Food Interaction Alert"),
        RuleKind::Herbal => ("NHP", "Natural Health Product Alert"),
        RuleKind::Duplicate => ("DUPTHPY", "Duplicate Therapy Alert"),
        RuleKind::Allergy => ("COND", "Condition Alert"),
        RuleKind::Drug | RuleKind::Note => ("DRG", "Drug Interaction Alert"),
    };
    let reference = json!({"reference": subject.to_string()});
    let mut issue = json!({
        "resourceType": "DetectedIssue",
        "id": key(rule, subject).id,
        "identifier": [
            {"system": system(), "value": format!("{rule}/{subject}")},
            {"system": basis_system(), "value": basis_of(record)},
        ],
        "status": "final",
        "code": {
            "coding": [
                {"system": "http://terminology.hl7.org/CodeSystem/v3-ActCode", "code": code, "display": display},
                {"system": rule_system(), "code": rule},
            ],
            "text": format!("{name} with ketamine"),
        },
        "severity": severity,
        "implicated": [reference.clone()],
        "evidence": [{"code": [{"text": finding.ingredient}], "detail": [reference]}],
        "detail": detail(rules, name, finding),
        "reference": reference_of(rules, rule),
    });
    let members = issue.as_object_mut()?;
    if let Some(patient) = patient(record) {
        members.insert("patient".to_owned(), patient);
    }
    // Whoever may not see the record may not see what follows from it.
    if let Some(labels) = record.get("meta").and_then(|meta| meta.get("security")) {
        members.insert("meta".to_owned(), json!({"security": labels}));
    }
    let identified = match finding.washing_out.flatten() {
        Some(until) => (
            "identifiedPeriod",
            json!({"start": instant(at), "end": instant(until)}),
        ),
        None => ("identifiedDateTime", instant(at).into()),
    };
    members.insert(identified.0.to_owned(), identified.1);
    issue.as_object().cloned()
}

/// The rule's own address.
pub fn reference_of(rules: &Rules, rule: &str) -> String {
    format!(
        "{CANONICAL}/Library/medication-compatibility|{}#{rule}",
        rules.knowledge.version
    )
}

/// The records that an issue is about.
pub fn implicated(base: &Base, issue: &Map<String, Value>) -> Vec<ResourceKey> {
    let links = items(issue, "implicated").iter();
    let links = links.filter_map(|link| link.get("reference")?.as_str());
    links
        .filter_map(|link| local(base.normalise(link)?))
        .collect()
}

fn patient(record: &Map<String, Value>) -> Option<Value> {
    let subject = record.get("subject").or_else(|| record.get("patient"))?;
    let reference = subject
        .as_object()
        .and_then(|subject| text(subject, "reference"));
    let is_patient = reference.is_some_and(|reference| reference.contains("Patient/"));
    is_patient.then(|| subject.clone())
}

/// What a person added to an issue, and when it was found, stay.
pub fn merged(mut new: Map<String, Value>, old: &Map<String, Value>) -> Map<String, Value> {
    for name in ["mitigation", "text", "extension"] {
        if let Some(kept) = old.get(name) {
            new.insert(name.to_owned(), kept.clone());
        }
    }
    // What was found in another dose, route or status was found anew.
    let same = basis(old).is_none_or(|basis_before| basis(&new) == Some(basis_before));
    if same && old.get("status") == new.get("status") {
        let start = old
            .get("identifiedDateTime")
            .or_else(|| old.get("identifiedPeriod")?.get("start"));
        match (start, new.get_mut("identifiedPeriod")) {
            (Some(start), Some(Value::Object(period))) => {
                period.insert("start".to_owned(), start.clone());
            }
            (Some(start), _) => {
                new.insert("identifiedDateTime".to_owned(), start.clone());
            }
            (None, _) => {}
        }
    }
    new
}

/// The same issue once its finding no longer stands.
pub fn resolved(old: &Map<String, Value>) -> Map<String, Value> {
    let mut new = old.clone();
    new.insert("status".to_owned(), "cancelled".into());
    new
}

/// Without what the store keeps beside the content.
pub fn bare(content: &Map<String, Value>) -> Map<String, Value> {
    let mut bare = content.clone();
    if let Some(Value::Object(meta)) = bare.get_mut("meta") {
        meta.retain(|name, _| name != "versionId" && name != "lastUpdated");
        if meta.is_empty() {
            bare.remove("meta");
        }
    }
    bare
}

/// Whether something is to be seen here that only a person may change.
pub fn differs_beyond_mitigation(old: &Map<String, Value>, new: &Map<String, Value>) -> bool {
    let strip = |content: &Map<String, Value>| {
        let mut content = bare(content);
        content.retain(|name, _| !matches!(name.as_str(), "mitigation" | "text" | "extension"));
        content
    };
    strip(old) != strip(new)
}

/// A worst verdict that has an issue.
pub fn is_issue(verdict: Verdict) -> bool {
    verdict.severity().is_some()
}

/// What the writer of the record hears.
pub fn warnings(rules: &Rules, key: &ResourceKey, assessment: &Assessment<'_>) -> Vec<Issue> {
    let place = match key.resource_type.as_str() {
        "AllergyIntolerance" => "AllergyIntolerance.code".to_owned(),
        name => format!("{name}.medication"),
    };
    let findings = assessment
        .findings
        .iter()
        .filter(|finding| is_issue(finding.verdict));
    let mut warnings: Vec<Issue> = findings
        .map(|finding| {
            let text = detail(rules, &assessment.name, finding);
            Issue::warning(Kind::BusinessRule, text).at(&place)
        })
        .collect();
    if !assessment.complete {
        let mut text = format!(
            "{}: not checked. {}",
            assessment.name,
            assessment.reasons.join(" ")
        );
        if !assessment.suggestions.is_empty() {
            text.push_str(&format!(
                " Is {} meant?",
                assessment.suggestions.join(" or ")
            ));
        }
        warnings.push(Issue::warning(Kind::BusinessRule, text).at(place));
    }
    warnings
}
