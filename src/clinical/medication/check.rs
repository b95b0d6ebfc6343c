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

    pub(super) fn names(&self) -> &Names {
        &self.names
    }

    pub(super) fn resolver(&self) -> Resolver<'_> {
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
    let usage = match record::usage(&rules.knowledge, resource_type, content) {
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
    if record::says_none_taken(rules, resource_type, content) {
        return Some(Assessment::of_none_taken(content, modified));
    }
    let resolution = rules.resolver().medicine(content, lookup);
    let mut assessment = Assessment::named(medicine_name(content, &resolution));
    assessment.suggestions.clone_from(&resolution.suggestions);
    if modified {
        assessment.doubt(record::MODIFIED.to_owned());
    }
    // The dose of the session that is asked about is no second provider's.
    let own = record::is_own_treatment(content)
        || record::begun(resource_type, content).is_some_and(|begun| begun >= question.at);
    let depot_days = record::depot_days(rules, content, lookup);
    for ingredient in &resolution.ingredients {
        let acting = Acting {
            own,
            usage,
            depot_days,
        };
        assessment.match_rules(rules, ingredient, acting, question);
    }
    if let Use::Ended(end) = usage {
        return assessment.ended(rules, resolution, end, depot_days, question);
    }
    for reason in resolution.open {
        assessment.doubt(reason);
    }
    assessment.ingredients = resolution.ingredients;
    Some(assessment)
}

/// What a person calls the medicine: never a link, and a code only where nothing else is
/// known.
fn medicine_name(content: &Map<String, Value>, resolution: &Resolution) -> String {
    let ingredients = resolution.ingredients.iter().map(|one| one.name.as_str());
    let ingredients: Vec<&str> = ingredients.collect();
    let ingredients = (!ingredients.is_empty()).then(|| ingredients.join(" and "));
    let name = record::written_name(content).or_else(|| resolution.name.clone());
    let name = name.or(ingredients).or_else(|| record::first_code(content));
    name.unwrap_or_else(|| "a medicine without a name".to_owned())
}

/// What decides whether a rule still holds.
#[derive(Clone, Copy)]
struct Acting {
    own: bool,
    usage: Use,
    /// Days that the form acts on after the last dose.
    depot_days: i64,
}

impl<'k> Assessment<'k> {
    /// A record that says that the patient takes nothing.
    fn of_none_taken(content: &Map<String, Value>, modified: bool) -> Self {
        let name = record::written_name(content);
        let mut assessment = Self::named(name.unwrap_or_else(|| "no medicine".to_owned()));
        let said = "The record says that the patient takes no medicine.";
        assessment.reasons.push(said.to_owned());
        if modified {
            assessment.doubt(record::MODIFIED.to_owned());
        }
        assessment
    }

    fn named(name: String) -> Self {
        Self {
            name,
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
        acting: Acting,
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
            if rule.fact.kind == RuleKind::Duplicate && acting.own {
                verdict = verdict.max(Some(Verdict::Compatible));
                self.reasons
                    .push("It is the programme's own treatment.".to_owned());
                continue;
            }
            let found = question.choose(rule.fact.severities());
            verdict = verdict.max(Some(found));
            let days = acts_for(rules, rule, drug, acting.depot_days);
            self.find(rule, found, ingredient, (acting.usage, days), question);
        }
        if matches!(acting.usage, Use::Ended(_)) {
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
        (usage, days): (Use, i64),
        question: &Question,
    ) {
        let washing_out = match usage {
            Use::Ended(end) => {
                if days == 0 {
                    return;
                }
                let until = end.map(|end| end.saturating_add(days.saturating_mul(DAY)));
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
        depot_days: i64,
        question: &Question,
    ) -> Option<Self> {
        let of_rules = rules.knowledge.rules.iter();
        let of_rules = of_rules.filter_map(|rule| rule.fact.wash_out.as_ref());
        let of_drugs = rules.knowledge.drugs.iter();
        let of_drugs = of_drugs.filter_map(|drug| drug.fact.wash_out.as_ref());
        let longest = of_rules.chain(of_drugs).map(|wash_out| wash_out.days);
        let longest = longest.max().unwrap_or(0).max(depot_days);
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

/// Days after the last dose for which a rule holds on a drug.
fn acts_for(rules: &Rules, rule: &Entry<Rule>, drug: &str, depot_days: i64) -> i64 {
    let of_drug = rules.knowledge.drug(drug);
    let of_drug = of_drug.and_then(|drug| drug.fact.wash_out.as_ref());
    let all = rule.fact.wash_out.iter().chain(of_drug);
    let days = all.map(|wash_out| wash_out.days).max().unwrap_or(0);
    days.max(depot_days)
}

/// An allergy matters where it is one to ketamine, or is not understood.
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
    let read: Vec<(Resolution, bool)> =
        concepts.map(|concept| resolver.allergen(concept)).collect();
    let name = record::written_name(content).or_else(|| record::first_code(content));
    let name = name.unwrap_or_else(|| "an allergy without a name".to_owned());
    let mut assessment = Assessment::named(name);
    let about = |rule: &&Entry<Rule>| rule.fact.kind == RuleKind::Allergy;
    for rule in rules.knowledge.rules.iter().filter(about) {
        let ingredients = read.iter().flat_map(|(read, _)| &read.ingredients);
        for ingredient in ingredients {
            let drug = ingredient.drug.as_deref().unwrap_or_default();
            if rule.fact.covers(drug, std::iter::empty()) {
                let verdict = question.choose(rule.fact.severities());
                assessment.verdict = assessment.verdict.max(verdict);
                assessment.find(rule, verdict, ingredient, (Use::Current, 0), question);
                assessment.ingredients.push(ingredient.clone());
            }
        }
        let near = read.iter().flat_map(|(read, _)| &read.suggestions);
        let near = near.filter(|name| rule.fact.drugs.contains(name)).cloned();
        assessment.suggestions.extend(near);
    }
    if read.is_empty() || read.iter().any(|(_, understood)| !understood) {
        assessment.doubt(format!(
            "The allergy to \"{}\" is not understood: it may be one to ketamine.",
            assessment.name
        ));
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
