//! Assessments as parameters of an answer, for people and programs.

use super::check::{Assessment, Finding, Question, Rules, Setting};
use super::issue;
use super::resolve::{By, Ingredient};
use super::verdict::Verdict;
use crate::clinical::CANONICAL;
use crate::clinical::knowledge::{Entry, Rule};
use crate::fhir::operation::{Arguments, Part};
use crate::fhir::record::ResourceKey;
use crate::fhir::resource::instant;

/// What was asked, the verdict on all, and by which rules.
pub fn head(
    rules: &Rules,
    arguments: &Arguments,
    question: &Question,
    overall: Verdict,
    complete: bool,
) -> Vec<Part> {
    let knowledge = &rules.knowledge;
    let canonical = format!(
        "{CANONICAL}/Library/medication-compatibility|{}",
        knowledge.version
    );
    let setting = match question.setting {
        Some(Setting::Clinic) => "clinic",
        Some(Setting::Home) => "home",
        None => "stricter-of-both",
    };
    let mut parts = vec![
        Part::code("overall", overall.code()),
        Part::flag("complete", complete),
        Part::code("agent", arguments.text("agent").unwrap_or("ketamine")),
        Part::code("setting", setting),
        Part::value("at", "DateTime", instant(question.at)),
        Part::value("ruleSet", "Canonical", canonical),
        Part::text("ruleSetVersion", &knowledge.version),
    ];
    if let Some(route) = arguments.text("route") {
        parts.push(Part::code("route", route));
    }
    let signed = if knowledge.reviewed_by.is_empty() {
        "No clinician has signed these rules yet.".to_owned()
    } else {
        format!("Rules signed by {}.", knowledge.reviewed_by.join(", "))
    };
    parts.push(Part::text(
        "notice",
        &format!("Advice for a clinician's review, not a decision. {signed}"),
    ));
    parts
}

pub fn medicine(rules: &Rules, key: Option<&ResourceKey>, assessment: &Assessment<'_>) -> Part {
    let mut parts = vec![
        Part::text("name", &assessment.name),
        Part::code("verdict", assessment.verdict.code()),
    ];
    if let Some(key) = key {
        parts.insert(0, Part::reference("source", &key.to_string()));
    }
    parts.extend(assessment.ingredients.iter().map(ingredient));
    parts.extend(
        assessment
            .findings
            .iter()
            .map(|found| finding(rules, found)),
    );
    parts.extend(assessment.notes.iter().map(|note| self::note(rules, note)));
    let said = |name: &'static str| move |text: &String| Part::text(name, text);
    parts.extend(assessment.reasons.iter().map(said("reason")));
    parts.extend(assessment.suggestions.iter().map(said("suggestion")));
    Part::parts("medicine", parts)
}

fn ingredient(ingredient: &Ingredient) -> Part {
    let (how, tier) = match ingredient.by {
        By::Code(tier) => ("code", tier),
        By::Name(tier) => ("name", tier),
    };
    let mut parts = vec![
        Part::text("name", &ingredient.name),
        Part::code("recognisedBy", how),
    ];
    parts.extend(tier.mark().map(|mark| Part::text("mark", mark)));
    Part::parts("ingredient", parts)
}

fn finding(rules: &Rules, finding: &Finding<'_>) -> Part {
    let fact = &finding.rule.fact;
    let mut parts = rule(rules, finding.rule);
    parts.insert(1, Part::code("verdict", finding.verdict.code()));
    parts.insert(2, Part::text("ingredient", &finding.ingredient));
    parts.push(Part::code("inClinic", fact.clinic.code()));
    parts.push(Part::code("atHome", fact.home.code()));
    if let Some(until) = finding.washing_out.flatten() {
        parts.push(Part::value("holdsUntil", "DateTime", instant(until)));
    }
    Part::parts("finding", parts)
}

fn note(rules: &Rules, entry: &Entry<Rule>) -> Part {
    Part::parts("note", rule(rules, entry))
}

fn rule(rules: &Rules, entry: &Entry<Rule>) -> Vec<Part> {
    let fact = &entry.fact;
    let mut parts = vec![
        Part::value("rule", "Uri", issue::reference_of(rules, &entry.id)),
        Part::text("mechanism", &fact.mechanism),
        Part::text("recommendation", &fact.recommendation),
    ];
    let inference = fact.class_inference.iter();
    parts.extend(inference.map(|text| Part::text("reach", text)));
    let sources = entry.provenance.sources.iter();
    let cited = sources.filter_map(|id| rules.knowledge.citation(id));
    parts.extend(cited.map(|citation| Part::text("evidence", citation)));
    parts.push(Part::code("tier", entry.tier().code()));
    parts.extend(entry.tier().mark().map(|mark| Part::text("mark", mark)));
    parts
}
