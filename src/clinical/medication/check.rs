//! What the rules say of one record, in a setting and on a day. Pure: the same
//! knowledge and the same records give the same answer.

use serde_json::{Map, Value};

use super::names::Names;
use super::record::{self, Use};
use super::resolve::{By, Ingredient, Lookup, Resolution, Resolver};
use super::verdict::Verdict;
use crate::clinical::knowledge::{Entry, Knowledge, Rule, RuleKind, Severities, Tier};
use crate::fhir::resource::instant;
use crate::fhir::search::path::items;

const DAY: i64 = 86_400_000_000;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Setting {
    Clinic,
    Home,
}

impl Setting {
    pub const CODES: &'static [&'static str] = &["clinic", "home"];

    pub fn from_code(code: &str) -> Option<Self> {
        match code {
            "clinic" => Some(Self::Clinic),
            "home" => Some(Self::Home),
            _ => None,
        }
    }
}

/// What the answer depends on besides the record.
#[derive(Clone, Copy, Debug)]
pub struct Question {
    /// `None`: whichever is worse.
    pub setting: Option<Setting>,
    /// Microseconds since 1970.
    pub at: i64,
}

impl Question {
    fn choose(&self, severities: Severities) -> Verdict {
        match self.setting {
            Some(Setting::Clinic) => severities.clinic,
            Some(Setting::Home) => severities.home,
            None => severities.clinic.max(severities.home),
        }
    }
}

/// A rule that is met.
#[derive(Clone, Debug)]
pub struct Finding<'k> {
    pub rule: &'k Entry<Rule>,
    pub verdict: Verdict,
    /// The ingredient that meets it.
    pub ingredient: String,
    /// The medicine is no longer taken; the rule holds until then, or (`None`
    /// inside) until somebody records when it was stopped.
    pub washing_out: Option<Option<i64>>,
}

#[derive(Clone, Debug)]
pub struct Assessment<'k> {
    pub name: String,
    pub verdict: Verdict,
    pub ingredients: Vec<Ingredient>,
    pub findings: Vec<Finding<'k>>,
    /// Rules that inform.
    pub notes: Vec<&'k Entry<Rule>>,
    /// Why it is not (wholly) checked, and whatever else has to be said.
    pub reasons: Vec<String>,
    pub suggestions: Vec<String>,
    /// Nothing about it stands open.
    pub complete: bool,
}

/// The rules and the names, ready for many questions.
pub struct Rules {
    pub knowledge: Knowledge,
    names: Names,
}

impl Rules {
    pub fn new(knowledge: Knowledge) -> Self {
        let names = Names::new(&knowledge);
        Self { knowledge, names }
    }

    /// What the medicine of a record is made of.
    pub fn medicine(&self, content: &Map<String, Value>, lookup: &dyn Lookup) -> Resolution {
        self.resolver().medicine(content, lookup)
    }

    fn resolver(&self) -> Resolver<'_> {
        Resolver::new(&self.knowledge, &self.names)
    }
}

/// `None` where the record does not matter on that day.
pub fn assess<'k>(
    rules: &'k Rules,
    resource_type: &str,
    content: &Map<String, Value>,
    lookup: &dyn Lookup,
    question: &Question,
) -> Option<Assessment<'k>> {
    let modified = record::is_modified(content);
    let usage = match record::usage(resource_type, content) {
        Use::Never => return None,
        // Who knows whether it is.
        Use::Ended(_) if modified => Use::Current,
        // Ended later than the day asked for: taken on that day.
        Use::Ended(Some(end)) if end >= question.at => Use::Current,
        usage => usage,
    };
    if resource_type == "AllergyIntolerance" {
        return allergy(rules, content, question);
    }
    let resolution = rules.resolver().medicine(content, lookup);
    let mut assessment = Assessment::of(content);
    assessment.suggestions.clone_from(&resolution.suggestions);
    if modified {
        assessment.doubt(record::MODIFIED.to_owned());
    }
    let own = record::is_own_treatment(content);
    for ingredient in &resolution.ingredients {
        assessment.match_rules(rules, ingredient, own, usage, question);
    }
    if let Use::Ended(end) = usage {
        return assessment.ended(rules, resolution, end, question);
    }
    for reason in resolution.open {
        assessment.doubt(reason);
    }
    assessment.ingredients = resolution.ingredients;
    Some(assessment)
}

impl<'k> Assessment<'k> {
    fn of(content: &Map<String, Value>) -> Self {
        Self {
            name: record::name(content),
            verdict: Verdict::Compatible,
            ingredients: Vec::new(),
            findings: Vec::new(),
            notes: Vec::new(),
            reasons: Vec::new(),
            suggestions: Vec::new(),
            complete: true,
        }
    }

    fn match_rules(
        &mut self,
        rules: &'k Rules,
        ingredient: &Ingredient,
        own: bool,
        usage: Use,
        question: &Question,
    ) {
        let mut verdict = None;
        let drug = ingredient.drug.as_deref().unwrap_or_default();
        for rule in &rules.knowledge.rules {
            let codes = ingredient.atc.iter().map(String::as_str);
            if rule.fact.kind == RuleKind::Allergy || !rule.fact.covers(drug, codes) {
                continue;
            }
            if rule.fact.kind == RuleKind::Note {
                if !self.notes.iter().any(|note| note.id == rule.id) {
                    self.notes.push(rule);
                }
                continue;
            }
            if rule.fact.kind == RuleKind::Duplicate && own {
                verdict = verdict.max(Some(Verdict::Compatible));
                self.reasons
                    .push("Marked as the programme's own treatment.".to_owned());
                continue;
            }
            let found = question.choose(rule.fact.severities());
            verdict = verdict.max(Some(found));
            self.find(rule, found, ingredient, usage, question);
        }
        if matches!(usage, Use::Ended(_)) {
            return;
        }
        match (verdict, &ingredient.by) {
            (None, _) => self.doubt(format!("No rule is about {}.", ingredient.name)),
            (Some(verdict), By::Code(Tier::C)) => {
                self.verdict = self.verdict.max(verdict);
                self.doubt(format!(
                    "The code for {} is unverified and no name confirms it.",
                    ingredient.name
                ));
            }
            (Some(verdict), _) => self.verdict = self.verdict.max(verdict),
        }
    }

    fn find(
        &mut self,
        rule: &'k Entry<Rule>,
        verdict: Verdict,
        ingredient: &Ingredient,
        usage: Use,
        question: &Question,
    ) {
        let washing_out = match usage {
            Use::Ended(end) => {
                let Some(wash_out) = &rule.fact.wash_out else {
                    return;
                };
                let until = end.map(|end| end.saturating_add(wash_out.days.saturating_mul(DAY)));
                if until.is_some_and(|until| until < question.at) {
                    return;
                }
                Some(until)
            }
            _ => None,
        };
        match self
            .findings
            .iter_mut()
            .find(|finding| finding.rule.id == rule.id)
        {
            Some(finding) => {
                finding.ingredient = format!("{}, {}", finding.ingredient, ingredient.name)
            }
            None => self.findings.push(Finding {
                rule,
                verdict,
                ingredient: ingredient.name.clone(),
                washing_out,
            }),
        }
    }

    /// Of what is no longer taken only what still acts matters, and what could
    /// still act because nobody knows what or when it was.
    fn ended(
        mut self,
        rules: &Rules,
        resolution: Resolution,
        end: Option<i64>,
        question: &Question,
    ) -> Option<Self> {
        let longest = rules.knowledge.rules.iter();
        let longest = longest.filter_map(|rule| rule.fact.wash_out.as_ref());
        let longest = longest.map(|wash_out| wash_out.days).max().unwrap_or(0);
        let may_act =
            end.is_none_or(|end| end.saturating_add(longest.saturating_mul(DAY)) >= question.at);
        if may_act {
            for reason in resolution.open {
                self.doubt(format!("No longer taken. {reason}"));
            }
        }
        for finding in &self.findings {
            self.verdict = self.verdict.max(finding.verdict);
            let name = &finding.rule.id;
            self.reasons.push(match finding.washing_out.flatten() {
                Some(until) => format!(
                    "No longer taken, but {name} still holds until {}.",
                    day(until)
                ),
                None => format!(
                    "No longer taken, but nobody recorded since when: {name} may still hold."
                ),
            });
        }
        let matters = !self.findings.is_empty() || self.verdict == Verdict::NotChecked;
        self.ingredients = resolution.ingredients;
        matters.then_some(self)
    }

    /// What is not known for certain is at least "not checked".
    fn doubt(&mut self, reason: String) {
        self.verdict = self.verdict.max(Verdict::NotChecked);
        self.complete = false;
        if !self.reasons.contains(&reason) {
            self.reasons.push(reason);
        }
    }
}

/// An allergy matters where it is one to ketamine, or may be meant to be.
fn allergy<'k>(
    rules: &'k Rules,
    content: &Map<String, Value>,
    question: &Question,
) -> Option<Assessment<'k>> {
    let resolver = rules.resolver();
    let reactions = items(content, "reaction")
        .iter()
        .filter_map(|reaction| reaction.get("substance"));
    let concepts = content
        .get("code")
        .into_iter()
        .chain(reactions)
        .filter_map(Value::as_object);
    let resolutions: Vec<Resolution> = concepts.map(|concept| resolver.concept(concept)).collect();
    let mut assessment = Assessment::of(content);
    let about = |rule: &&Entry<Rule>| rule.fact.kind == RuleKind::Allergy;
    for rule in rules.knowledge.rules.iter().filter(about) {
        let ingredients = resolutions
            .iter()
            .flat_map(|resolution| &resolution.ingredients);
        for ingredient in ingredients {
            let drug = ingredient.drug.as_deref().unwrap_or_default();
            if rule.fact.covers(drug, std::iter::empty()) {
                let verdict = question.choose(rule.fact.severities());
                assessment.verdict = assessment.verdict.max(verdict);
                assessment.find(rule, verdict, ingredient, Use::Current, question);
                assessment.ingredients.push(ingredient.clone());
            }
        }
        let near = resolutions
            .iter()
            .flat_map(|resolution| &resolution.suggestions);
        let near = near.filter(|name| rule.fact.drugs.contains(name)).cloned();
        assessment.suggestions.extend(near);
    }
    if !assessment.suggestions.is_empty() {
        assessment.doubt("The allergen is not understood.".to_owned());
    }
    if record::is_modified(content) {
        assessment.doubt(record::MODIFIED.to_owned());
    }
    let matters = !assessment.findings.is_empty() || !assessment.complete;
    matters.then_some(assessment)
}

fn day(micros: i64) -> String {
    instant(micros).chars().take(10).collect()
}
