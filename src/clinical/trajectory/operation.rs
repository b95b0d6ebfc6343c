//! `Patient/{id}/$ybocs-trajectory`: the course of a patient's scores along the
//! treatment, and what it amounts to.

use std::sync::Arc;

use serde_json::Value;

use super::outcome::{Course, Judged, Verdict, outcomes};
use super::run::Truth;
use super::series::{Point, Series, baseline, reduction};
use super::session::{self, Sessions};
use crate::clinical::CANONICAL;
use crate::clinical::course;
use crate::clinical::knowledge::{Entry, Score};
use crate::clinical::linked_patients::PatientRecords;
use crate::clinical::measures::scale;
use crate::clinical::medication::Rules;
use crate::clinical::medication::gather::gather;
use crate::fhir::answer::Answer;
use crate::fhir::engine::now;
use crate::fhir::operation::{
    Call, Definition, LIMITED_VIEW, Level, Operation, Parameter, Part, output,
};
use crate::fhir::outcome::{Failure, Kind};
use crate::fhir::resource::instant;
use crate::fhir::search::date;

pub static YBOCS_TRAJECTORY: Definition = Definition {
    name: "ybocs-trajectory",
    url: "https://unloop.dev/fhir/OperationDefinition/ybocs-trajectory",
    title: "The course of the scores",
    text: "The patient's Y-BOCS totals in the order of time with their change from the baseline, the ketamine sessions along them, and whether response, partial response, remission or relapse is met by the definitions of the knowledge base; undetermined where ratings, clinician's impressions or the caller's access do not tell. Other measures have series, change and band. It advises; it does not decide.",
    types: &["Patient"],
    levels: &[Level::Instance],
    affects_state: false,
    parameters: &[
        Parameter {
            name: "at",
            kind: "dateTime",
            required: false,
            codes: &[],
            text: "The day up to which is looked; today unless said otherwise.",
        },
        Parameter {
            name: "measure",
            kind: "code",
            required: false,
            codes: &[],
            text: "The id of a score in the knowledge base, such as phq9-total; ybocs-total unless said otherwise.",
        },
    ],
};

/// The score that the outcomes are about.
const TOTAL: &str = "ybocs-total";

pub struct YbocsTrajectory(pub Arc<Rules>);

/// All that was read.
#[derive(Default)]
struct Read {
    series: Series,
    improvement: Series,
    severity: Series,
    sessions: Sessions,
    withdrawn: Option<bool>,
    /// The caller's rights do not reach all that it rests on.
    hidden: bool,
    /// A Medication that is named is not there, as far as the caller may see.
    missing: bool,
}

#[async_trait::async_trait]
impl Operation for YbocsTrajectory {
    fn definition(&self) -> &'static Definition {
        &YBOCS_TRAJECTORY
    }

    async fn run(&self, call: Call<'_>) -> Result<Answer, Failure> {
        let patient = call.instance()?;
        let score = self.score(call.arguments.text("measure").unwrap_or(TOTAL))?;
        // A day is looked at to its end.
        let at = call.arguments.text("at").and_then(date::range);
        let at = at.map_or_else(now, |(_, high)| high);
        let patient = PatientRecords::load(call.records(), patient).await?;
        let read = self.read(&call, &patient, &score.id, at).await?;
        Ok(output::answer(self.parts(score, &read, at)))
    }
}

impl YbocsTrajectory {
    fn score(&self, id: &str) -> Result<&Entry<Score>, Failure> {
        let knowledge = &self.0.knowledge;
        scale::score(knowledge, id).ok_or_else(|| {
            let known: Vec<&str> = knowledge
                .scores
                .iter()
                .map(|score| score.id.as_str())
                .collect();
            let text = format!("measure is one of {}.", known.join(", "));
            Failure::new(Kind::Value, text)
        })
    }

    async fn read(
        &self,
        call: &Call<'_>,
        patient: &PatientRecords<'_>,
        score: &str,
        at: i64,
    ) -> Result<Read, Failure> {
        let knowledge = &self.0.knowledge;
        let mut read = Read::default();
        let codes: Vec<String> = [score, "cgi-improvement", "cgi-severity"]
            .iter()
            .filter_map(|id| scale::score(knowledge, id))
            .map(|score| format!("{}|{}", score.fact.system, score.fact.code))
            .collect();
        let codes = codes.join(",");
        let criteria = [("code", codes.as_str())];
        let seen = patient.search("Observation", &criteria).await?;
        read.hidden |= seen.hidden;
        for version in &seen.resources {
            let (source, content) = (version.key.to_string(), &version.resource.content);
            for (id, series) in [
                (score, &mut read.series),
                ("cgi-improvement", &mut read.improvement),
                ("cgi-severity", &mut read.severity),
            ] {
                series.add(knowledge, id, &source, content, at);
            }
        }
        for series in [&mut read.series, &mut read.improvement, &mut read.severity] {
            series.sort();
        }
        for name in session::TYPES {
            let seen = patient.search(name, &[]).await?;
            read.hidden |= seen.hidden;
            let contents = seen.resources.iter().map(|one| &one.resource.content);
            let shelf = gather(call.engine, patient.records(), &[], contents).await?;
            read.missing |= !shelf.missing.is_empty();
            for version in &seen.resources {
                let source = version.key.to_string();
                let content = &version.resource.content;
                session::add(&mut read.sessions, &self.0, &shelf, &source, content, at);
            }
        }
        read.withdrawn = withdrawn(patient).await?;
        Ok(read)
    }

    fn parts(&self, score: &Entry<Score>, read: &Read, at: i64) -> Vec<Part> {
        let knowledge = &self.0.knowledge;
        let points = &read.series.points;
        let first_session = read.sessions.keys().next().copied();
        let start = baseline(knowledge, points, first_session);
        let baseline = start.and_then(|start| points.get(start));
        let judged = match baseline.zip(start) {
            Some((baseline, start)) if score.id == TOTAL => outcomes(&Course {
                baseline,
                points: points.get(start + 1..).unwrap_or_default(),
                improvement: &read.improvement,
                severity: &read.severity,
                today: at.div_euclid(DAY),
                withdrawn: Truth::of(read.withdrawn),
                knowledge,
            }),
            _ => Vec::new(),
        };
        let complete = !read.hidden && !read.missing && read.uncounted().is_empty();
        let mut parts = vec![
            Part::code("measure", &score.fact.code),
            Part::flag("complete", complete),
            Part::value("at", "DateTime", instant(at)),
            Part::text("ruleSetVersion", &knowledge.version),
            Part::text("notice", "Advice for a clinician's review, not a decision."),
        ];
        if score.id == TOTAL {
            parts.insert(0, Part::code("overall", overall(&judged, complete)));
        }
        parts.extend(read.notices());
        if let Some(baseline) = baseline {
            let mut shown = self.point(score, baseline, None);
            shown.extend(self.baseline_rule());
            parts.push(Part::parts("baseline", shown));
        } else {
            let text = "There is no rating to begin with.";
            parts.push(Part::text("notice", text));
            parts.extend(self.baseline_rule());
        }
        for (place, point) in points.iter().enumerate() {
            let behind = start.is_some_and(|start| place > start);
            let from = baseline.filter(|_| behind);
            parts.push(Part::parts("point", self.point(score, point, from)));
        }
        for (day, sources) in &read.sessions {
            let mut session = vec![Part::value("date", "Date", date_of(*day))];
            session.extend(
                sources
                    .iter()
                    .map(|source| Part::reference("source", source)),
            );
            parts.push(Part::parts("session", session));
        }
        let behind = start.map_or(0, |start| start + 1);
        let judged_points = points.get(behind..).unwrap_or_default();
        parts.extend(
            judged
                .iter()
                .map(|one| self.outcome(one, judged_points, complete)),
        );
        parts
    }

    /// By which rule the baseline is chosen.
    fn baseline_rule(&self) -> Vec<Part> {
        let Some(rule) = self.0.knowledge.baselines.first() else {
            return Vec::new();
        };
        let mut parts = vec![
            Part::text("definition", &rule.fact.text),
            Part::code("tier", rule.tier().code()),
        ];
        parts.extend(rule.tier().mark().map(|mark| Part::text("mark", mark)));
        parts
    }

    fn point(&self, score: &Entry<Score>, point: &Point, from: Option<&Point>) -> Vec<Part> {
        let mut parts = vec![
            Part::reference("source", &point.source),
            Part::value("time", "DateTime", point.time.as_str()),
            Part::value("value", "Integer", point.value),
        ];
        let band = scale::band(&self.0.knowledge, &score.id, point.value);
        parts.extend(band.map(|band| Part::code("band", &band.id)));
        if let Some(from) = from {
            parts.push(Part::value("change", "Integer", point.value - from.value));
            let tenths = reduction(from.value, point.value);
            parts.extend(
                tenths.map(|tenths| Part::value("reductionPercent", "Decimal", decimal(tenths))),
            );
        }
        parts
    }

    fn outcome(&self, judged: &Judged<'_>, points: &[Point], complete: bool) -> Part {
        let knowledge = &self.0.knowledge;
        let rule = judged.rule;
        let (verdict, reason) = if complete {
            (judged.verdict, judged.reason)
        } else {
            (
                Verdict::Undetermined,
                "Not all ratings and sessions are known.",
            )
        };
        let mut parts = vec![
            Part::code("outcome", &rule.id),
            Part::code("verdict", verdict.code()),
            Part::flag("current", judged.current && verdict == Verdict::Met),
            Part::text("reason", reason),
            Part::text("definition", &rule.fact.text),
        ];
        if verdict == Verdict::Met
            && let Some(row) = judged.row
        {
            for (name, place) in [("from", row.first), ("to", row.last)] {
                let point = points.get(place);
                parts.extend(point.map(|point| Part::value(name, "DateTime", point.time.as_str())));
            }
        }
        let uri = format!(
            "{CANONICAL}/Library/medication-compatibility|{}#{}",
            knowledge.version, rule.id
        );
        parts.push(Part::value("rule", "Uri", uri));
        let sources = rule.provenance.sources.iter();
        let cited = sources.filter_map(|id| knowledge.citation(id));
        parts.extend(cited.map(|citation| Part::text("evidence", citation)));
        parts.push(Part::code("tier", rule.tier().code()));
        parts.extend(rule.tier().mark().map(|mark| Part::text("mark", mark)));
        Part::parts("outcome", parts)
    }
}

/// Whether a course of the programme was revoked; `None` where that is not to be seen.
async fn withdrawn(patient: &PatientRecords<'_>) -> Result<Option<bool>, Failure> {
    let courses = format!("{}|", course::system());
    let criteria = [("identifier", courses.as_str()), ("status", "revoked")];
    let seen = patient.search("CarePlan", &criteria).await?;
    Ok(match seen.resources.is_empty() {
        false => Some(true),
        true if seen.hidden => None,
        true => Some(false),
    })
}

const DAY: i64 = 86_400_000_000;

impl Read {
    fn uncounted(&self) -> Vec<&String> {
        let all = [&self.series, &self.improvement, &self.severity];
        all.iter().flat_map(|series| &series.uncounted).collect()
    }

    fn notices(&self) -> Vec<Part> {
        let mut parts = Vec::new();
        if self.hidden {
            parts.push(Part::text("notice", LIMITED_VIEW));
        }
        if self.missing {
            let text = "Not checked: a Medication that is named cannot be read.";
            parts.push(Part::text("notice", text));
        }
        let uncounted = self.uncounted();
        if !uncounted.is_empty() {
            let text = "Ratings of unknown value or of no certain day are not counted.";
            parts.push(Part::text("notice", text));
            parts.extend(
                uncounted
                    .iter()
                    .map(|source| Part::reference("notCounted", source)),
            );
        }
        parts
    }
}

/// How it stands by the last rating: what is worst comes first.
fn overall<'j>(judged: &'j [Judged<'_>], complete: bool) -> &'j str {
    const UNDETERMINED: &str = "undetermined";
    if !complete || judged.is_empty() {
        return UNDETERMINED;
    }
    let order = ["relapse", "remission", "response", "partial-response"];
    let find = |id: &&str| judged.iter().find(|one| one.rule.id == **id);
    for one in order.iter().filter_map(find) {
        if one.current {
            return &one.rule.id;
        }
    }
    let open = judged
        .iter()
        .any(|one| one.verdict == Verdict::Undetermined);
    if open { UNDETERMINED } else { "no-response" }
}

fn date_of(day: i64) -> String {
    instant(day.saturating_mul(DAY)).chars().take(10).collect()
}

/// Tenths as a decimal.
fn decimal(tenths: i64) -> Value {
    let sign = if tenths < 0 { "-" } else { "" };
    let tenths = tenths.unsigned_abs();
    let text = format!("{sign}{}.{}", tenths / 10, tenths % 10);
    serde_json::from_str(&text).unwrap_or_default()
}
