//! `unloop patient summary`: one page for a person, made of the answers that
//! programs get too.

use clap::{Args, Subcommand};
use serde_json::Value;

use super::account::operator;
use super::error::CliError;
use super::output::say;
use crate::access::Internal;
use crate::app;
use crate::config::Config;
use crate::fhir::audit;
use crate::fhir::authority::Authority as _;
use crate::fhir::engine::{Engine, now};
use crate::fhir::request::{Request, Verb};
use crate::fhir::resource::instant;

/// Sessions that are shown, and issues.
const SESSIONS: &str = "5";
const ISSUES: &str = "200";
/// The highest total of the Y-BOCS stands at the top of the line.
const LEVELS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];

/// Look at the records of one patient
#[derive(Debug, Args)]
pub struct PatientCommand {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    Summary(Summary),
}

/// One page: medicines with verdicts, Y-BOCS, next sessions, open issues
///
/// For whoever runs the service: it shows everything of the patient, and is
/// recorded in the audit trail.
#[derive(Debug, Args)]
#[command(after_long_help = "Examples:
  unloop patient summary demo-alder")]
struct Summary {
    /// The id of the Patient
    id: String,
}

impl PatientCommand {
    pub async fn run(self, config: &Config) -> Result<(), CliError> {
        let What::Summary(Summary { id }) = self.what;
        let engine = app::engine(config, config.server.bind).await?;
        say(page(&engine, &id).await?)
    }
}

/// The page of one patient.
pub async fn page(engine: &Engine, id: &str) -> Result<String, CliError> {
    let patient = format!("Patient/{id}");
    let of = |query: &[(&str, &str)]| -> Vec<(String, String)> {
        let whose = [("patient", patient.as_str())];
        let all = whose.iter().chain(query);
        all.map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect()
    };
    let who = ask(engine, &["Patient", id], Vec::new()).await?;
    let operation = async |name: &str| ask(engine, &["Patient", id, name], Vec::new()).await;
    let medicines = operation("$medication-compatibility").await?;
    let course = operation("$ybocs-trajectory").await?;
    let candidacy = operation("$ketamine-candidacy").await?;
    let from = format!("ge{}", instant(now()));
    let planned = [
        ("date", from.as_str()),
        ("status", "proposed,pending,booked,arrived,checked-in"),
        ("_sort", "date"),
        ("_count", SESSIONS),
    ];
    let sessions = ask(engine, &["Appointment"], of(&planned)).await?;
    let issues = ask(engine, &["DetectedIssue"], of(&[("_count", ISSUES)])).await?;
    let sections = [
        head(&patient, &who, &medicines),
        of_medicines(&medicines),
        of_course(&course),
        of_candidacy(&candidacy),
        of_sessions(&sessions),
        of_issues(&issues),
    ];
    Ok(sections.join("\n\n"))
}

/// As the operator, and not before it is recorded.
async fn ask(
    engine: &Engine,
    path: &[&str],
    query: Vec<(String, String)>,
) -> Result<Value, CliError> {
    let caller = operator(Internal::Operator);
    let segments = path.iter().map(|segment| (*segment).to_owned()).collect();
    let request = Request {
        sent: path.join("/"),
        ..Request::new(Verb::Get, segments, query)
    };
    let answer = engine.handle(&caller, request).await;
    let answer = audit::keep(engine, &caller.actor(), answer).await;
    let content = answer.content.unwrap_or_default();
    let content: Value = serde_json::from_str(&content).map_err(CliError::failed)?;
    if answer.status == 200 {
        return Ok(content);
    }
    let why = text(content.pointer("/issue/0/diagnostics"));
    Err(CliError::Failed(format!("{}: {why}", path.join("/"))))
}

/// What a record says, without what would move the cursor of a terminal.
fn text(value: Option<&Value>) -> String {
    let text = value.and_then(Value::as_str).unwrap_or_default();
    text.chars().filter(|c| !c.is_control()).collect()
}

fn list<'v>(value: &'v Value, name: &str) -> impl Iterator<Item = &'v Value> {
    value
        .get(name)
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
}

/// The parameters, or the parts of one, of a name.
fn named<'v>(of: &'v Value, name: &'static str) -> impl Iterator<Item = &'v Value> {
    let all = list(of, "parameter").chain(list(of, "part"));
    all.filter(move |one| one.get("name").and_then(Value::as_str) == Some(name))
}

/// The first value of a name, whatever its type.
fn value(of: &Value, name: &'static str) -> Option<String> {
    let members = named(of, name).next()?.as_object()?;
    let (_, value) = members.iter().find(|(name, _)| name.starts_with("value"))?;
    Some(match value {
        Value::String(_) => text(Some(value)),
        Value::Object(_) => text(value.get("reference")),
        other => other.to_string(),
    })
}

fn head(patient: &str, who: &Value, medicines: &Value) -> String {
    let name = who.pointer("/name/0");
    let given = name.into_iter().flat_map(|name| list(name, "given"));
    let mut words: Vec<String> = given.map(|given| text(Some(given))).collect();
    words.push(text(name.and_then(|name| name.get("family"))));
    format!(
        "{} ({patient}), {}, born {}\n{}\nRules {}. {}",
        words.join(" ").trim(),
        text(who.get("gender")),
        text(who.get("birthDate")),
        instant(now()).chars().take(10).collect::<String>(),
        value(medicines, "ruleSetVersion").unwrap_or_default(),
        value(medicines, "notice").unwrap_or_default(),
    )
}

fn of_medicines(answer: &Value) -> String {
    let mut lines = vec![format!(
        "Medicines with ketamine: {}",
        value(answer, "overall").unwrap_or_default()
    )];
    for medicine in named(answer, "medicine") {
        let said = |name| value(medicine, name).unwrap_or_default();
        lines.push(format!(
            "  {:<16} {} ({})",
            said("verdict"),
            said("name"),
            said("source")
        ));
        if let Some(reason) = value(medicine, "reason") {
            lines.push(format!("{:19}{reason}", ""));
        }
    }
    if lines.len() == 1 {
        lines.push("  none recorded".to_owned());
    }
    lines.join("\n")
}

fn of_course(answer: &Value) -> String {
    let points: Vec<i64> = named(answer, "point")
        .filter_map(|point| value(point, "value")?.parse().ok())
        .collect();
    let Some(last) = named(answer, "point").last() else {
        return "Y-BOCS: none recorded".to_owned();
    };
    let numbers: Vec<String> = points.iter().map(ToString::to_string).collect();
    let lower = value(last, "reductionPercent");
    let lower = lower.map(|percent| format!(", {percent} % below the baseline"));
    format!(
        "Y-BOCS: {}\n  {}  {} ({}{})",
        value(answer, "overall").unwrap_or_default(),
        sparkline(&points, 40),
        numbers.join(" "),
        value(last, "band").unwrap_or_default(),
        lower.unwrap_or_default(),
    )
}

/// One block for each value, from nothing to the highest that there can be.
fn sparkline(points: &[i64], most: i64) -> String {
    let steps = 7;
    points
        .iter()
        .map(|point| {
            let step = point.clamp(&0, &most) * steps / most.max(1);
            let step = usize::try_from(step).unwrap_or_default();
            LEVELS.get(step).copied().unwrap_or('█')
        })
        .collect()
}

fn of_candidacy(answer: &Value) -> String {
    let mut lines = vec![format!(
        "Criteria: {}",
        value(answer, "overall").unwrap_or_default()
    )];
    for criterion in named(answer, "criterion") {
        let said = |name| value(criterion, name).unwrap_or_default();
        if said("status") != "met" {
            let line = format!(
                "  {:<8} {} ({})",
                said("status"),
                said("text"),
                said("effect")
            );
            lines.push(line);
        }
    }
    lines.join("\n")
}

fn of_sessions(bundle: &Value) -> String {
    let mut lines = vec!["Next appointments:".to_owned()];
    for entry in list(bundle, "entry") {
        let Some(one) = entry.get("resource") else {
            continue;
        };
        let kind = one.pointer("/serviceType/0/coding/0/code");
        let kind = kind.or_else(|| one.get("description"));
        let (start, status) = (text(one.get("start")), text(one.get("status")));
        lines.push(format!("  {start}  {status}  {}", text(kind)));
    }
    if lines.len() == 1 {
        lines.push("  none planned".to_owned());
    }
    lines.join("\n")
}

/// Findings that stand and that nobody has overridden.
fn of_issues(bundle: &Value) -> String {
    let mut lines = vec!["Open issues:".to_owned()];
    for entry in list(bundle, "entry") {
        let Some(one) = entry.get("resource") else {
            continue;
        };
        let open = text(one.get("status")) == "final" && one.get("mitigation").is_none();
        if open {
            let (severity, what) = (text(one.get("severity")), text(one.pointer("/code/text")));
            lines.push(format!("  {severity:<8} {what}"));
        }
    }
    if lines.len() == 1 {
        lines.push("  none".to_owned());
    }
    let more = list(bundle, "link").any(|link| text(link.get("relation")) == "next");
    if more {
        lines.push("  ... and more".to_owned());
    }
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_goes_from_the_lowest_to_the_highest_score() {
        assert_eq!(sparkline(&[0, 40], 40), "▁█");
        assert_eq!(sparkline(&[31, 27, 19], 40), "▆▅▄");
        assert_eq!(sparkline(&[-3, 99], 40), "▁█");
        assert_eq!(sparkline(&[], 40), "");
    }

    #[test]
    fn a_record_cannot_write_on_the_terminal() {
        let name = Value::from("Al\u{1b}[2Jder\n");
        assert_eq!(text(Some(&name)), "Al[2Jder");
    }
}
