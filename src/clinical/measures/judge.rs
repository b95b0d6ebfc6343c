//! Whether an Observation of a score can be true: its range, its sums, its time
//! and who made it. Every fault with its place.

use serde_json::{Map, Value};

use super::scale::{self, Meaning};
use super::sums::{self, Known};
use super::value;
use crate::clinical::knowledge::{Entry, Knowledge, Score};
use crate::fhir::outcome::{Issue, Kind};
use crate::fhir::record::ResourceKey;
use crate::fhir::search::date;
use crate::fhir::search::path::{items, text};

/// Clocks differ, and a date without a time may be that of another time zone.
const CLOCKS: i64 = 5 * 60 * 1_000_000;
const ZONES: i64 = 14 * 60 * 60 * 1_000_000;

/// What an Observation is judged by besides itself.
#[derive(Clone, Debug, Default)]
pub struct Around {
    pub birth: Option<String>,
    pub members: Vec<Member>,
    pub now: i64,
}

/// An Observation that is named by `hasMember`, directly or by a member.
#[derive(Clone, Debug)]
pub struct Member {
    pub key: ResourceKey,
    pub content: Map<String, Value>,
    /// The writer sent it or may read it: what it says may be told.
    pub told: bool,
    pub same_patient: bool,
}

/// What is refused, and what is only said.
#[derive(Clone, Debug, Default)]
pub struct Findings {
    pub faults: Vec<Issue>,
    pub warnings: Vec<Issue>,
}

impl Findings {
    fn fault(&mut self, place: impl Into<String>, text: impl Into<String>) {
        let issue = Issue::error(Kind::BusinessRule, text).at(place);
        self.faults.push(issue);
    }
}

/// Whether there is a score in it that would have to be right.
pub fn is_scored(knowledge: &Knowledge, content: &Map<String, Value>) -> bool {
    let components = items(content, "component").iter();
    let mut all = std::iter::once(content).chain(components.filter_map(Value::as_object));
    text(content, "status") != Some("entered-in-error")
        && all.any(|of| scale::meaning(knowledge, of) != Meaning::Other)
}

pub fn judge(knowledge: &Knowledge, content: &Map<String, Value>, around: &Around) -> Findings {
    let mut findings = Findings::default();
    if !is_scored(knowledge, content) {
        return findings;
    }
    let score = meant(knowledge, content, "Observation", &mut findings);
    let mut known = Known::new();
    let mut stated = Vec::new();
    if let Some(score) = score {
        if let Some(value) = in_range(knowledge, score, content, "Observation", &mut findings) {
            known.insert(score.id.clone(), value);
            stated.push((score, "Observation.value".to_owned()));
        }
        method(score, content, &mut findings);
        circumstances(score, content, around, &mut findings);
    }
    for (number, component) in components(content) {
        let place = format!("Observation.component[{number}]");
        let Some(part) = meant(knowledge, component, &place, &mut findings) else {
            continue;
        };
        let Some(value) = in_range(knowledge, part, component, &place, &mut findings) else {
            continue;
        };
        if known.insert(part.id.clone(), value).is_some() {
            let text = format!("{} stands more than once. Send it once.", part.fact.name);
            findings.fault(format!("{place}.code"), text);
        }
        stated.push((part, format!("{place}.value")));
    }
    let told = members(knowledge, around, &mut known, &mut findings);
    if findings.faults.is_empty() {
        for (score, place) in stated {
            sum(knowledge, score, &known, told, &place, &mut findings);
        }
    }
    findings
}

fn components(content: &Map<String, Value>) -> impl Iterator<Item = (usize, &Map<String, Value>)> {
    let all = items(content, "component").iter().enumerate();
    all.filter_map(|(number, component)| Some((number, component.as_object()?)))
}

fn meant<'k>(
    knowledge: &'k Knowledge,
    of: &Map<String, Value>,
    place: &str,
    findings: &mut Findings,
) -> Option<&'k Entry<Score>> {
    let text = match scale::meaning(knowledge, of) {
        Meaning::Other => return None,
        Meaning::Score(score) => return Some(score),
        Meaning::Several => {
            "The codings are those of two scores. Send one Observation for each.".to_owned()
        }
        Meaning::Unknown(code) => format!(
            "{} has no code {code}. GET the CodeSystem by this url for those that it has.",
            scale::system()
        ),
    };
    findings.fault(format!("{place}.code"), text);
    None
}

/// The value where it is one that the score can have.
fn in_range(
    knowledge: &Knowledge,
    score: &Entry<Score>,
    of: &Map<String, Value>,
    place: &str,
    findings: &mut Findings,
) -> Option<i64> {
    let place = format!("{place}.value");
    let fact = &score.fact;
    match value::of_score(score, of) {
        Ok(Some(value)) => match scale::out_of_range(knowledge, score, value) {
            Some(text) => {
                findings.fault(place, text);
                None
            }
            None => Some(value),
        },
        Ok(None) => None,
        Err(why) if scale::is_own(score) => {
            findings.fault(place, format!("{}: {why}", fact.name));
            None
        }
        // Others use the code too, and may have their own way to say it.
        Err(why) => {
            let text = format!("{} is stored and not counted. {why}", fact.name);
            let warning = Issue::warning(Kind::BusinessRule, text).at(place);
            findings.warnings.push(warning);
            None
        }
    }
}

fn method(score: &Entry<Score>, content: &Map<String, Value>, findings: &mut Findings) {
    let Some(expected) = &score.fact.method else {
        return;
    };
    let concept = content.get("method").and_then(Value::as_object);
    let codings = concept
        .map(|concept| items(concept, "coding"))
        .unwrap_or_default();
    let mut codings = codings.iter().filter_map(Value::as_object);
    let other = codings.find(|coding| {
        text(coding, "system") == Some("http://snomed.info/sct")
            && text(coding, "code") != Some(expected)
    });
    if let Some(other) = other {
        let text = format!(
            "The method of {} is {expected} in SNOMED CT, not {}.",
            score.fact.name,
            text(other, "code").unwrap_or_default()
        );
        findings.fault("Observation.method", text);
    }
}

/// Who, of whom and when. What others code is held only to what it says.
fn circumstances(
    score: &Entry<Score>,
    content: &Map<String, Value>,
    around: &Around,
    findings: &mut Findings,
) {
    if scale::is_own(score) {
        let name = &score.fact.name;
        if !content.contains_key("subject") {
            findings.fault(
                "Observation.subject",
                format!("{name}: say whose score it is."),
            );
        }
        if items(content, "performer").is_empty() {
            let text = format!("{name}: say in performer who made or reported the rating.");
            findings.fault("Observation.performer", text);
        }
    }
    let Some(effective) = effective(content) else {
        if scale::is_own(score) {
            let text = format!(
                "{}: say when, as effectiveDateTime, effectiveInstant or effectivePeriod with a start.",
                score.fact.name
            );
            findings.fault("Observation.effective", text);
        }
        return;
    };
    let ahead = if effective.contains('T') {
        CLOCKS
    } else {
        ZONES
    };
    let low = date::range(effective).map(|(low, _)| low);
    if low.is_some_and(|low| low > around.now.saturating_add(ahead)) {
        let text = "The time of a score is not in the future.";
        findings.fault("Observation.effective", text);
    }
    let day = |text: &str| date::range(text.split('T').next()?);
    let before = around.birth.as_deref().and_then(day);
    if let Some(((_, high), (birth, _))) = day(effective).zip(before)
        && high < birth
    {
        let text = "The time of a score is not before the patient's birth.";
        findings.fault("Observation.effective", text);
    }
}

/// When it was, as it was sent.
pub fn effective(content: &Map<String, Value>) -> Option<&str> {
    let period = content.get("effectivePeriod").and_then(Value::as_object);
    text(content, "effectiveDateTime")
        .or_else(|| text(content, "effectiveInstant"))
        .or_else(|| text(period?, "start"))
}

/// What the members say; whether all of it may be told.
fn members(
    knowledge: &Knowledge,
    around: &Around,
    known: &mut Known,
    findings: &mut Findings,
) -> bool {
    let place = "Observation.hasMember";
    let mut told = true;
    for member in &around.members {
        if text(&member.content, "status") == Some("entered-in-error") {
            continue;
        }
        if !member.same_patient {
            // Who may not see it must not learn by a refusal that it is there.
            if member.told {
                let text = format!("{} is not about the same patient.", member.key);
                findings.fault(place, text);
            }
            continue;
        }
        let own = std::iter::once(&member.content);
        for of in own.chain(components(&member.content).map(|(_, component)| component)) {
            let Meaning::Score(score) = scale::meaning(knowledge, of) else {
                continue;
            };
            let Ok(Some(value)) = value::of_score(score, of) else {
                continue;
            };
            told &= member.told;
            let before = known.insert(score.id.clone(), value);
            if before.is_some_and(|before| before != value) {
                let name = &score.fact.name;
                let text = format!("{} says something else of {name}.", member.key);
                findings.fault(place, text);
            }
        }
    }
    told
}

fn sum(
    knowledge: &Knowledge,
    score: &Entry<Score>,
    known: &Known,
    told: bool,
    place: &str,
    findings: &mut Findings,
) {
    let expected = sums::expected(knowledge, score, known);
    let Some((value, (low, high))) = known.get(&score.id).zip(expected) else {
        return;
    };
    let name = &score.fact.name;
    if (low..=high).contains(value) {
        return;
    }
    let text = if !told {
        format!("{name} is {value}, which does not fit its members as they are stored.")
    } else if low == high {
        format!("{name} is {value}, but its parts add up to {low}. Expected: {low}.")
    } else {
        format!(
            "{name} is {value}, but with the {} items sent it is from {low} to {high}.",
            sums::answered(knowledge, score, known)
        )
    };
    findings.fault(place, text);
}
