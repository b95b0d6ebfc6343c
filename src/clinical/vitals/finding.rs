//! What is wrong with an Observation of a vital sign, and how badly.
//! <https://hl7.org/fhir/R4/observation-vitalsigns.html>

use std::cmp::Ordering;

use serde_json::{Map, Value};

use crate::clinical::knowledge::{Entry, Knowledge, Sign};
use crate::clinical::observation::{
    CONFIRMED, LOINC, compare, effective, has_code, in_base, quality, quantity, shown, sign_of,
    unit_of,
};
use crate::clinical::readiness::minutes_of;
use crate::fhir::search::path::{items, text};
use crate::fhir::search::ucum;

/// The profile that all others here are made of.
const VITAL_SIGNS: &str = "http://hl7.org/fhir/StructureDefinition/vitalsigns";
const CATEGORY: &str = "http://terminology.hl7.org/CodeSystem/observation-category";

/// What a deployment refuses besides the impossible.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Strictness {
    /// Nothing: another system's history comes in as it is, with warnings.
    History,
    /// Values that cannot be read, and whatever breaks a profile it claims.
    #[default]
    Standard,
    /// Everything that the profiles ask for, and what is implausible too.
    Strict,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Grade {
    /// No body has this value: it is false from every sender. Where history comes in
    /// as it is, it is stored and flagged, and nobody can confirm it.
    Impossible,
    /// The value cannot be read as the vital sign that it claims to be.
    Unreadable,
    /// Something beside the value that the profile asks for is missing.
    Incomplete,
    /// Legal, and less than a reader hopes for.
    Advice,
    /// Most likely a mistake of entry.
    Implausible,
}

impl Grade {
    /// Whether it stops the write. What is implausible may be confirmed.
    pub fn refuses(self, strictness: Strictness, claims_profile: bool, confirmed: bool) -> bool {
        match self {
            Self::Impossible | Self::Unreadable => strictness != Strictness::History,
            Self::Incomplete => match strictness {
                Strictness::History => false,
                Strictness::Standard => claims_profile,
                Strictness::Strict => true,
            },
            Self::Advice => strictness == Strictness::Strict,
            Self::Implausible => strictness == Strictness::Strict && !confirmed,
        }
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    pub grade: Grade,
    pub place: String,
    pub text: String,
}

/// Whether the content says of itself that it meets one of the profiles.
pub fn claims_profile(knowledge: &Knowledge, content: &Map<String, Value>) -> bool {
    let meta = content.get("meta").and_then(Value::as_object);
    let profiles = meta.into_iter().flat_map(|meta| items(meta, "profile"));
    let mut named = profiles
        .filter_map(Value::as_str)
        .map(|profile| profile.split('|').next().unwrap_or_default());
    named.any(|profile| {
        let own = |sign: &Entry<Sign>| sign.fact.profile.as_deref() == Some(profile);
        profile == VITAL_SIGNS || knowledge.signs.iter().any(own)
    })
}

/// Everything that is wrong with it at this time (microseconds since 1970); nothing where
/// it is no vital sign, or says itself that it was a mistake.
pub fn findings(knowledge: &Knowledge, content: &Map<String, Value>, now: i64) -> Vec<Finding> {
    let mut found = Found(Vec::new());
    if text(content, "status") == Some("entered-in-error") {
        return found.0;
    }
    if let Some(sign) = sign_of(knowledge, content) {
        if sign.fact.profile.is_some() {
            found.of_context(content);
        }
        found.of_codes(sign, content);
        if sign.fact.units.is_empty() {
            found.of_panel(knowledge, content);
        } else {
            let grouped = ["hasMember", "component"];
            let may_be_empty = grouped.iter().any(|name| content.contains_key(*name));
            found.of_value(sign, content, "Observation", may_be_empty);
        }
    }
    for (number, component) in items(content, "component").iter().enumerate() {
        let Some(component) = component.as_object() else {
            continue;
        };
        if let Some(sign) = sign_of(knowledge, component) {
            let place = format!("Observation.component[{number}]");
            found.of_value(sign, component, &place, false);
        }
    }
    found.of_pressure(knowledge, content);
    let component_signs = items(content, "component").iter();
    let mut component_signs = component_signs.filter_map(Value::as_object);
    if sign_of(knowledge, content).is_some()
        || component_signs.any(|one| sign_of(knowledge, one).is_some())
    {
        found.of_time(knowledge, content, now);
    }
    found.0
}

struct Found(Vec<Finding>);

impl Found {
    fn add(&mut self, grade: Grade, place: &str, text: impl Into<String>) {
        self.0.push(Finding {
            grade,
            place: place.to_owned(),
            text: text.into(),
        });
    }

    fn of_context(&mut self, content: &Map<String, Value>) {
        let mut categories = items(content, "category").iter();
        if !categories.any(|category| has_code(Some(category), CATEGORY, "vital-signs")) {
            let text = format!("The profile asks for the category {CATEGORY}|vital-signs.");
            self.add(Grade::Incomplete, "Observation.category", text);
        }
        if !content.contains_key("subject") {
            let text = "The profile asks for the Patient that it was measured on.";
            self.add(Grade::Incomplete, "Observation.subject", text);
        }
        let times = ["effectiveDateTime", "effectivePeriod"];
        if !times.iter().any(|name| content.contains_key(*name)) {
            let text = "The profile asks for the time of the measurement, as dateTime or Period.";
            self.add(Grade::Incomplete, "Observation.effective", text);
        }
    }

    /// What is dated ahead was not measured then.
    fn of_time(&mut self, knowledge: &Knowledge, content: &Map<String, Value>, now: i64) {
        let ahead = minutes_of(knowledge, "clock-difference").unwrap_or_default();
        let late = effective(content).is_some_and(|(low, _)| low > now.saturating_add(ahead));
        if late {
            let text = format!(
                "The measurement is dated in the future. It is stored, flagged and left out of every computation: correct its time, or tag it {}|{CONFIRMED} and say in a note who confirms it, when and why.",
                quality()
            );
            self.add(Grade::Implausible, "Observation.effective", text);
        }
    }

    fn of_codes(&mut self, sign: &Entry<Sign>, content: &Map<String, Value>) {
        let code = content.get("code");
        let main = has_code(code, LOINC, &sign.fact.loinc);
        if !main {
            let text = format!(
                "The profile asks for the code {LOINC}|{} beside the one that is there, which is understood.",
                sign.fact.loinc
            );
            self.add(Grade::Incomplete, "Observation.code", text);
        }
        for also in &sign.fact.also {
            if main && !has_code(code, LOINC, also) {
                let text = format!(
                    "Measured by pulse oximetry, it should have the code {LOINC}|{also} beside {}.",
                    sign.fact.loinc
                );
                self.add(Grade::Advice, "Observation.code", text);
            }
        }
    }

    /// A blood pressure: two components, each with a value or a reason. With one of them it
    /// says less than it should, and nothing false.
    fn of_panel(&mut self, knowledge: &Knowledge, content: &Map<String, Value>) {
        if content.keys().any(|name| name.starts_with("value")) {
            let text = "A blood pressure has its values in two components and none of its own.";
            self.add(Grade::Unreadable, "Observation.value", text);
        }
        let mut counts = Vec::new();
        for half in ["systolic", "diastolic"] {
            let components = items(content, "component")
                .iter()
                .filter_map(Value::as_object);
            let count = components
                .filter(|one| sign_of(knowledge, one).is_some_and(|sign| sign.id == half))
                .count();
            counts.push((half, count));
        }
        let empty = counts.iter().all(|(_, count)| *count == 0);
        for (half, count) in counts.into_iter().filter(|(_, count)| *count != 1) {
            let text = format!(
                "A blood pressure has one {half} component, with its value or a dataAbsentReason; there are {count}."
            );
            let bare = empty && !content.contains_key("hasMember");
            let grade = if count > 1 || (bare && !content.contains_key("dataAbsentReason")) {
                Grade::Unreadable
            } else {
                Grade::Incomplete
            };
            self.add(grade, "Observation.component", text);
        }
    }

    fn of_value(
        &mut self,
        sign: &Entry<Sign>,
        holder: &Map<String, Value>,
        place: &str,
        may_be_empty: bool,
    ) {
        let Some(unit) = sign.fact.units.first() else {
            return;
        };
        let place = format!("{place}.value");
        let Some(quantity) = quantity(holder) else {
            let other = holder.keys().any(|name| name.starts_with("value"));
            if other {
                let text = format!("The {} is a Quantity in {unit}.", sign.id);
                self.add(Grade::Unreadable, &place, text);
            } else if !may_be_empty && !holder.contains_key("dataAbsentReason") {
                let component = place.contains(".component");
                let grade = if component {
                    Grade::Unreadable
                } else {
                    Grade::Incomplete
                };
                let text = format!("The {} has neither value nor dataAbsentReason.", sign.id);
                self.add(grade, &place, text);
            }
            return;
        };
        if text(quantity, "system") != Some(ucum::SYSTEM) || !quantity.contains_key("code") {
            let text = format!(
                "The unit is to be a UCUM code: system {}, code {unit}.",
                ucum::SYSTEM
            );
            self.add(Grade::Unreadable, &place, text);
            return;
        }
        let code = text(quantity, "code").unwrap_or_default();
        let known = unit_of(quantity);
        match (&known, ucum::unit(unit)) {
            (None, _) => {
                let text = format!("{code:?} is no unit of UCUM that is known here; send {unit}.");
                self.add(Grade::Unreadable, &place, text);
            }
            (Some(known), Some(own)) if known.kind() != own.kind() => {
                let text = format!(
                    "{code} does not measure the {}; that is measured in {unit}.",
                    sign.id
                );
                self.add(Grade::Impossible, &place, text);
            }
            _ => self.of_size(sign, quantity, &place, unit),
        }
    }

    fn of_size(
        &mut self,
        sign: &Entry<Sign>,
        quantity: &Map<String, Value>,
        place: &str,
        unit: &str,
    ) {
        if !quantity.contains_key("value") {
            let text = format!("The {} has a unit and no value.", sign.id);
            self.add(Grade::Unreadable, place, text);
        }
        let code = text(quantity, "code").unwrap_or_default();
        if !sign.fact.units.iter().any(|known| known == code) {
            let text = format!(
                "The profile has {} for the {}; {code} is understood and converted.",
                sign.fact.units.join(" or "),
                sign.id
            );
            self.add(Grade::Incomplete, place, text);
        }
        let Some([low, high]) = sign.fact.plausible else {
            return;
        };
        let below = compare(quantity, low, unit) == Some(Ordering::Less);
        let above = compare(quantity, high, unit) == Some(Ordering::Greater);
        if below || above {
            let text = format!(
                "{} is implausible for the {} (plausible: {low} to {high} {unit}). It is stored, flagged and left out of every computation until somebody confirms it: tag it {}|{} and say in a note who confirms it, when and why.",
                shown(quantity),
                sign.id,
                quality(),
                CONFIRMED,
            );
            self.add(Grade::Implausible, place, text);
        }
    }

    fn of_pressure(&mut self, knowledge: &Knowledge, content: &Map<String, Value>) {
        let halves = |wanted: &'static str| {
            let components = items(content, "component").iter();
            let components = components.filter_map(Value::as_object);
            let halves = components
                .filter(move |one| sign_of(knowledge, one).is_some_and(|sign| sign.id == wanted));
            halves.filter_map(quantity)
        };
        let kind = |quantity| unit_of(quantity).map(|unit| unit.kind().to_owned());
        for systolic in halves("systolic") {
            for diastolic in halves("diastolic") {
                let values = in_base(systolic).zip(in_base(diastolic));
                if kind(systolic) == kind(diastolic)
                    && values.is_some_and(|(systolic, diastolic)| systolic <= diastolic)
                {
                    let text = format!(
                        "The systolic pressure ({}) is not above the diastolic one ({}). Look at the reading again.",
                        shown(systolic),
                        shown(diastolic)
                    );
                    self.add(Grade::Impossible, "Observation.component", text);
                }
            }
        }
    }
}
