//! What has to hold between entries: ids and codes stand once, whatever is
//! named exists, every fact has a source as good as its tier.

use std::collections::{HashMap, HashSet};

use super::criterion::JudgedBy;
use super::entry::{Entry, Tier};
use super::facts::RuleKind;
use super::{Fault, Knowledge};
use crate::clinical::medication::Verdict;

pub fn check(knowledge: &Knowledge) -> Vec<Fault> {
    let mut faults = Vec::new();
    ids(knowledge, &mut faults);
    sources(knowledge, &mut faults);
    drugs(knowledge, &mut faults);
    rules(knowledge, &mut faults);
    scores(knowledge, &mut faults);
    course(knowledge, &mut faults);
    criteria(knowledge, &mut faults);
    watched(knowledge, &mut faults);
    faults
}

fn at<T>(entry: &Entry<T>, fault: impl Into<String>) -> Fault {
    Fault::new(entry.file, format!("{} {}", entry.list, entry.id), fault)
}

/// A fault for every name that is none of the entries.
fn named<'n, T, U>(
    faults: &mut Vec<Fault>,
    by: &Entry<T>,
    what: &str,
    names: impl IntoIterator<Item = &'n String>,
    among: &[Entry<U>],
) {
    let missing = names
        .into_iter()
        .filter(|name| !among.iter().any(|entry| entry.id == **name));
    let place = match among.first() {
        Some(one) if one.file != by.file => format!("in {}", one.file),
        _ => "there".to_owned(),
    };
    faults.extend(missing.map(|name| at(by, format!("{what} {name} is not {place}"))));
}

fn ids(knowledge: &Knowledge, faults: &mut Vec<Fault>) {
    let mut seen = HashSet::new();
    for entry in &knowledge.shown {
        if !seen.insert((entry.list, &entry.id)) {
            faults.push(at(entry, "stands more than once"));
        }
        let legal = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
        if !entry.id.chars().all(legal) {
            faults.push(at(entry, "an id has small letters, digits and '-'"));
        }
    }
}

/// A fact cannot be better than the best source that it comes from.
fn sources(knowledge: &Knowledge, faults: &mut Vec<Fault>) {
    let tiers: HashMap<&str, Tier> = knowledge
        .sources
        .iter()
        .map(|source| (source.id.as_str(), source.tier()))
        .collect();
    for entry in &knowledge.shown {
        if matches!(entry.list, "source" | "class") {
            continue;
        }
        let named = &entry.provenance.sources;
        let known: Vec<Tier> = named
            .iter()
            .filter_map(|id| tiers.get(id.as_str()).copied())
            .collect();
        for id in named.iter().filter(|id| !tiers.contains_key(id.as_str())) {
            faults.push(at(entry, format!("source {id} is not in sources.toml")));
        }
        match known.iter().min() {
            None => faults.push(at(entry, "has no source")),
            Some(best) if *best > entry.tier() => {
                faults.push(at(entry, "its tier is better than that of its sources"));
            }
            Some(_) => {}
        }
    }
}

fn drugs(knowledge: &Knowledge, faults: &mut Vec<Fault>) {
    let mut codes = HashSet::new();
    for drug in &knowledge.drugs {
        if let Some(code) = &drug.fact.rxnorm
            && !codes.insert(&code.code)
        {
            faults.push(at(
                drug,
                format!("RxNorm {} is that of another drug too", code.code),
            ));
        }
        let class = [&drug.fact.class];
        named(faults, drug, "class", class, &knowledge.classes);
        let ruled = knowledge.rules.iter().any(|rule| {
            rule.fact.kind != RuleKind::Note && rule.fact.covers(&drug.id, drug.fact.codes())
        });
        if !ruled {
            faults.push(at(drug, "no rule is about it"));
        }
    }
    for class in &knowledge.classes {
        if !knowledge
            .drugs
            .iter()
            .any(|drug| drug.fact.class == class.id)
        {
            faults.push(at(class, "has no members"));
        }
    }
    for drug in &knowledge.drugs {
        if drug.fact.wash_out.as_ref().is_some_and(|one| one.days < 1) {
            faults.push(at(drug, "wash_out has at least one day"));
        }
    }
    names(knowledge, faults);
}

/// A name that meant two drugs would be a wrong answer for one of them.
fn names(knowledge: &Knowledge, faults: &mut Vec<Fault>) {
    let mut owners: HashMap<String, &str> = HashMap::new();
    for drug in &knowledge.drugs {
        let fact = &drug.fact;
        let all = std::iter::once(&fact.name)
            .chain(&fact.names)
            .chain(&fact.brands);
        for name in all {
            let folded = crate::clinical::medication::names::folded(name);
            if let Some(other) = owners.insert(folded, &drug.id)
                && other != drug.id
            {
                faults.push(at(drug, format!("the name {name} is that of {other} too")));
            }
        }
    }
}

fn rules(knowledge: &Knowledge, faults: &mut Vec<Fault>) {
    for rule in &knowledge.rules {
        let fact = &rule.fact;
        named(faults, rule, "drug", &fact.drugs, &knowledge.drugs);
        let mut members = knowledge.drugs.iter();
        if !members.any(|drug| fact.covers(&drug.id, drug.fact.codes())) {
            faults.push(at(rule, "matches no drug"));
        }
        for (name, text) in [
            ("mechanism", &fact.mechanism),
            ("recommendation", &fact.recommendation),
        ] {
            if text.trim().is_empty() {
                faults.push(at(rule, format!("has no {name}")));
            }
        }
        if fact.clinic == Verdict::NotChecked || fact.home == Verdict::NotChecked {
            faults.push(at(
                rule,
                "a severity is compatible, monitor, caution or contraindicated",
            ));
        }
        if fact.home < fact.clinic {
            faults.push(at(rule, "is milder at home than in the clinic"));
        }
        if fact
            .wash_out
            .as_ref()
            .is_some_and(|wash_out| wash_out.days < 1)
        {
            faults.push(at(rule, "wash_out has at least one day"));
        }
    }
    for dose in &knowledge.doses {
        named(faults, dose, "drug", [&dose.fact.drug], &knowledge.drugs);
        if dose.fact.target_low > dose.fact.target_high || dose.fact.start > dose.fact.target_low {
            faults.push(at(
                dose,
                "start, target_low and target_high are out of order",
            ));
        }
    }
}

fn scores(knowledge: &Knowledge, faults: &mut Vec<Fault>) {
    let find = |id: &str| knowledge.scores.iter().find(|score| score.id == id);
    for score in &knowledge.scores {
        let fact = &score.fact;
        named(faults, score, "score", &fact.sum_of, &knowledge.scores);
        let parts = fact.sum_of.iter().filter_map(|id| find(id));
        let highest: i64 = parts.map(|part| part.fact.max).sum();
        if fact.min > fact.max || (!fact.sum_of.is_empty() && highest != fact.max) {
            faults.push(at(score, "max is not the sum of the parts, or below min"));
        }
    }
    for (place, outcome) in knowledge.outcomes.iter().enumerate() {
        let mut before = knowledge.outcomes.iter().take(place);
        let after = outcome.fact.after.as_ref();
        if after.is_some_and(|id| !before.any(|other| other.id == *id)) {
            faults.push(at(outcome, "after names no outcome that stands before it"));
        }
        let mut before = knowledge.outcomes.iter().take(place);
        let unless = outcome.fact.unless.as_ref();
        if unless.is_some_and(|id| !before.any(|other| other.id == *id)) {
            faults.push(at(outcome, "unless names no outcome that stands before it"));
        }
        let fact = &outcome.fact;
        let impressions = [
            fact.cgi_improvement_min,
            fact.cgi_improvement_max,
            fact.cgi_severity_max,
        ];
        if fact.score_only && impressions.iter().any(Option::is_some) {
            faults.push(at(outcome, "score_only goes without an impression"));
        }
    }
    for outcome in &knowledge.outcomes {
        let lasts = [&outcome.fact.lasts];
        named(faults, outcome, "duration", lasts, &knowledge.durations);
    }
    for instrument in &knowledge.instruments {
        let total = [&instrument.fact.total];
        named(faults, instrument, "score", total, &knowledge.scores);
    }
    for band in &knowledge.bands {
        named(faults, band, "score", [&band.fact.score], &knowledge.scores);
    }
    for duration in &knowledge.durations {
        if duration.fact.days < 1 {
            faults.push(at(duration, "has at least one day"));
        }
    }
    // There is one rule of each, whatever it is called.
    for baseline in knowledge.baselines.iter().skip(1) {
        faults.push(at(baseline, "is a second one"));
    }
    for baseline in &knowledge.baselines {
        if baseline.fact.horizon_days < 1 || baseline.fact.pause_days < 1 {
            faults.push(at(baseline, "horizon_days and pause_days are at least 1"));
        }
    }
    for pairing in &knowledge.pairings {
        if pairing.fact.within_days < 0 {
            faults.push(at(pairing, "within_days is at least 0"));
        }
    }
    for pairing in knowledge.pairings.iter().skip(1) {
        faults.push(at(pairing, "is a second one"));
    }
}

fn course(knowledge: &Knowledge, faults: &mut Vec<Fault>) {
    for protocol in &knowledge.protocols {
        let fact = &protocol.fact;
        let setting = [&fact.setting];
        named(faults, protocol, "setting", setting, &knowledge.places);
        let ordered = fact.sessions_min <= fact.sessions
            && fact.sessions <= fact.sessions_max
            && fact.span_min <= fact.span_max;
        let bounds = fact.gap_min..=fact.gap_max;
        if !ordered || fact.gap_min < 1 || !fact.gaps.iter().all(|gap| bounds.contains(gap)) {
            faults.push(at(protocol, "sessions, gaps or spans are out of order"));
        }
        if fact.gaps.is_empty() || fact.sessions_min < 1 {
            faults.push(at(protocol, "has no gaps or no sessions"));
        }
    }
    for spacing in &knowledge.spacings {
        let fact = &spacing.fact;
        named(faults, spacing, "kind", [&fact.kind], &knowledge.kinds);
        let [first, last] = fact.days;
        if first > last {
            faults.push(at(spacing, "days are out of order"));
        }
    }
    for place in &knowledge.places {
        let fact = &place.fact;
        let schedule = [&fact.schedule];
        named(faults, place, "schedule", schedule, &knowledge.schedules);
        named(faults, place, "sign", &fact.signs, &knowledge.signs);
    }
    for kind in &knowledge.kinds {
        if kind.fact.minutes < 1 {
            faults.push(at(kind, "lasts at least a minute"));
        }
    }
}

/// A criterion has what it is judged by.
fn criteria(knowledge: &Knowledge, faults: &mut Vec<Fault>) {
    for horizon in &knowledge.horizons {
        if horizon.fact.days.is_some_and(|days| days < 1) {
            faults.push(at(horizon, "has at least one day"));
        }
    }
    for criterion in &knowledge.criteria {
        let fact = &criterion.fact;
        let findings = &fact.findings;
        named(faults, criterion, "finding", findings, &knowledge.findings);
        let sets = fact.sets.iter().chain(&fact.doubt).chain(&fact.remission);
        named(faults, criterion, "set", sets, knowledge.conditions.sets());
        let horizon = [&fact.horizon];
        named(faults, criterion, "horizon", horizon, &knowledge.horizons);
        let scores = fact.score.iter().chain(&fact.scale);
        named(faults, criterion, "score", scores, &knowledge.scores);
        let (missing, name) = match fact.judged_by {
            JudgedBy::Age => (fact.at_least.is_none(), "at_least"),
            JudgedBy::Score => (
                fact.at_least.is_none() || fact.score.is_none(),
                "score and at_least",
            ),
            JudgedBy::Participant => (fact.participant.is_none(), "participant"),
            JudgedBy::Watched => (
                fact.scale.is_none() || fact.every_days.is_none() || fact.sets.is_empty(),
                "sets, scale and every_days",
            ),
            JudgedBy::Procedure => (fact.findings.is_empty(), "findings"),
            JudgedBy::Condition
            | JudgedBy::NoCondition
            | JudgedBy::NoHistory
            | JudgedBy::NotPregnant
            | JudgedBy::BloodPressure
            | JudgedBy::Screen => (fact.sets.is_empty(), "sets"),
            JudgedBy::SriTrial | JudgedBy::Answer | JudgedBy::Location | JudgedBy::RecordInUse => {
                (false, "")
            }
        };
        if missing {
            faults.push(at(criterion, format!("is judged by {name}, and has none")));
        }
    }
}

/// Limits and routes name what is there, and a limit bounds something.
fn watched(knowledge: &Knowledge, faults: &mut Vec<Fault>) {
    let bounded = ["systolic", "diastolic", "heart-rate", "oxygen-saturation"];
    for limit in &knowledge.limits {
        let settings = &limit.fact.settings;
        named(faults, limit, "setting", settings, &knowledge.places);
        let mut bounds = bounded.iter().map(|sign| limit.fact.bounds_of(sign));
        if settings.is_empty() || bounds.all(|bound| bound == (None, None)) {
            faults.push(at(limit, "bounds nothing, or holds nowhere"));
        }
    }
    for route in &knowledge.routes {
        let schedule = [&route.fact.schedule];
        named(faults, route, "schedule", schedule, &knowledge.schedules);
        if route.fact.observe < 1 {
            faults.push(at(route, "observe is at least a minute"));
        }
    }
    for threshold in &knowledge.thresholds {
        let score = [&threshold.fact.score];
        named(faults, threshold, "score", score, &knowledge.scores);
    }
}
