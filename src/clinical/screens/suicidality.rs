//! What one record says of the risk of suicide. Only a whole screen that was
//! understood says low. A sign of more risk always counts.

use serde_json::{Map, Value, json};

use super::answer::{ScreenValue, read_screen_value};
use crate::clinical::conditions::{Standing, standing};
use crate::clinical::knowledge::{
    Entry, Knowledge, ScreenMeaning, SuicideScreen, SuicideScreenKind,
};
use crate::clinical::observation::{effective, is_usable, loinc_codes};
use crate::fhir::operation::records::Version;
use crate::fhir::search::date;
use crate::fhir::search::path::{items, text};

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum SuicideRiskLevel {
    /// Nothing above low, and no whole screen: an item, or question 9 of PHQ-9.
    Partial,
    Low,
    NotUnderstood,
    AboveLow,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SuicideScreenReading {
    pub level: SuicideRiskLevel,
    /// A sentence for a reader.
    pub said: String,
    /// A question that counts points, as item 9 of PHQ-9, is answered above 0.
    pub by_points: bool,
}

impl SuicideScreenReading {
    fn new(level: SuicideRiskLevel, said: impl Into<String>) -> Self {
        Self {
            level,
            said: said.into(),
            by_points: false,
        }
    }
}

/// The LOINC codes of all screens and items, for a search by `combo-code`. Without their
/// system, because it has several spellings: the reading decides what was found.
pub fn codes_of_suicide_screens(knowledge: &Knowledge) -> Vec<String> {
    let screens = knowledge.suicide_screens.iter();
    screens.map(|screen| screen.fact.code.clone()).collect()
}

/// A screen of a record, and when it was made.
pub struct TimedSuicideScreen<'v> {
    pub version: &'v Version,
    /// Its first moment; `None` where it states no time: it may be of now.
    pub time: Option<i64>,
    pub reading: SuicideScreenReading,
}

/// All screens among these. A panel whose members are among them too is told by
/// its members.
pub fn read_suicide_screens<'v>(
    knowledge: &Knowledge,
    versions: &'v [Version],
) -> Vec<TimedSuicideScreen<'v>> {
    let all = versions.iter().filter_map(|version| {
        let content = &version.resource.content;
        let issued = || text(content, "issued").and_then(date::range);
        Some(TimedSuicideScreen {
            version,
            time: effective(content).or_else(issued).map(|(low, _)| low),
            reading: read_suicide_screen(knowledge, content)?,
        })
    });
    let mut screens: Vec<TimedSuicideScreen<'v>> = all.collect();
    let levels: Vec<String> = screens
        .iter()
        .filter(|screen| screen.reading.level == SuicideRiskLevel::Low)
        .map(|screen| screen.version.key.to_string())
        .collect();
    screens.retain(|screen| {
        let content = &screen.version.resource.content;
        let empty = !content.contains_key("component")
            && !content.keys().any(|name| name.starts_with("value"));
        let mut members = items(content, "hasMember").iter();
        let told = members.any(|member| {
            let reference = member.get("reference").and_then(Value::as_str);
            reference.is_some_and(|reference| levels.iter().any(|level| level == reference))
        });
        !(empty && told)
    });
    screens
}

/// What an Observation says; `None` where it is no screen, or was withdrawn.
pub fn read_suicide_screen(
    knowledge: &Knowledge,
    observation: &Map<String, Value>,
) -> Option<SuicideScreenReading> {
    let withdrawn = matches!(
        text(observation, "status"),
        Some("entered-in-error" | "cancelled")
    );
    if withdrawn {
        return None;
    }
    let components = items(observation, "component")
        .iter()
        .filter_map(Value::as_object);
    let mut found: Vec<_> = std::iter::once(observation)
        .chain(components)
        .filter_map(|holder| Some((screen_of(knowledge, holder)?, holder)))
        .collect();
    if found.is_empty() {
        return None;
    }
    found.dedup_by_key(|(screen, holder)| (screen.id.clone(), std::ptr::from_ref(*holder)));
    let mut reading = read_parts(knowledge, &found);
    reading.by_points = has_points(knowledge, &found);
    if reading.level <= SuicideRiskLevel::Low && !is_usable(observation) {
        reading = SuicideScreenReading::new(
            SuicideRiskLevel::NotUnderstood,
            "A screen is not final, or something in it may change its meaning.",
        );
    }
    Some(reading)
}

/// What the answers of a QuestionnaireResponse say: items whose linkId is, or ends with,
/// the code of a screen (`/44260-8`); `None` where it has none, or was withdrawn.
pub fn read_answered_screens(
    knowledge: &Knowledge,
    response: &Map<String, Value>,
) -> Option<SuicideScreenReading> {
    if text(response, "status") == Some("entered-in-error") {
        return None;
    }
    let mut answers = Vec::new();
    collect_answers(knowledge, response, &mut answers);
    if answers.is_empty() {
        return None;
    }
    let found: Vec<Part<'_, '_>> = answers
        .iter()
        .map(|(screen, holder)| (*screen, holder))
        .collect();
    let mut reading = read_parts(knowledge, &found);
    reading.by_points = has_points(knowledge, &found);
    Some(reading)
}

/// Every answer as a holder of `value[x]`, in the form of a component.
fn collect_answers<'k>(
    knowledge: &'k Knowledge,
    holder: &Map<String, Value>,
    found: &mut Vec<(&'k Entry<SuicideScreen>, Map<String, Value>)>,
) {
    for item in items(holder, "item").iter().filter_map(Value::as_object) {
        let link = text(item, "linkId").unwrap_or_default();
        let code = link.rsplit('/').next().unwrap_or_default();
        let mut screens = knowledge.suicide_screens.iter();
        let screen = screens.find(|screen| screen.fact.code == code);
        for answer in items(item, "answer").iter().filter_map(Value::as_object) {
            if let Some(screen) = screen {
                let mut value = answer.clone();
                value.remove("item");
                if let Some(coding) = value.remove("valueCoding") {
                    let concept = json!({"coding": [coding]});
                    value.insert("valueCodeableConcept".to_owned(), concept);
                }
                found.push((screen, value));
            }
            collect_answers(knowledge, answer, found);
        }
        collect_answers(knowledge, item, found);
    }
}

fn has_points(knowledge: &Knowledge, found: &[Part<'_, '_>]) -> bool {
    found.iter().any(|(screen, holder)| {
        screen.fact.kind == SuicideScreenKind::Points
            && read_part(&screen.fact, &read_screen_value(knowledge, holder)).level
                == SuicideRiskLevel::AboveLow
    })
}

/// An active Condition of ideation or of an attempt; `None` where it is neither.
pub fn read_suicide_condition(
    knowledge: &Knowledge,
    condition: &Map<String, Value>,
) -> Option<SuicideScreenReading> {
    let concern = "suicidality";
    let reading = knowledge.conditions.read_concept(condition.get("code"));
    let hit = reading
        .hits
        .iter()
        .find(|hit| hit.set.fact.concern == concern)?;
    let level = match standing(condition) {
        Standing::Active { .. } | Standing::Suspected => SuicideRiskLevel::AboveLow,
        Standing::Remission | Standing::Past | Standing::Refuted => return None,
    };
    Some(SuicideScreenReading::new(
        level,
        format!("An active condition is recorded: {}.", hit.set.fact.text),
    ))
}

fn screen_of<'k>(
    knowledge: &'k Knowledge,
    holder: &Map<String, Value>,
) -> Option<&'k Entry<SuicideScreen>> {
    let codes = loinc_codes(knowledge, holder.get("code"));
    let mut screens = knowledge.suicide_screens.iter();
    screens.find(|screen| codes.contains(&screen.fact.code.as_str()))
}

type Part<'k, 'v> = (&'k Entry<SuicideScreen>, &'v Map<String, Value>);

/// The gravest of all parts; low where a level says so, or every item was answered.
fn read_parts(knowledge: &Knowledge, found: &[Part<'_, '_>]) -> SuicideScreenReading {
    let mut gravest: Option<SuicideScreenReading> = None;
    let mut answered = Vec::new();
    let mut level_is_low = false;
    let holds_parts = found.len() > 1;
    for (screen, holder) in found {
        let is_panel = screen.fact.kind == SuicideScreenKind::Panel;
        let value = read_screen_value(knowledge, holder);
        if is_panel && value == ScreenValue::Nothing && holds_parts {
            continue;
        }
        let one = read_part(&screen.fact, &value);
        match (screen.fact.kind, one.level) {
            (SuicideScreenKind::Item, SuicideRiskLevel::Partial) => answered.push(&screen.id),
            (_, SuicideRiskLevel::Low) => level_is_low = true,
            _ => {}
        }
        if gravest.as_ref().is_none_or(|known| known.level < one.level) {
            gravest = Some(one);
        }
    }
    let nothing = "A screen has no value.";
    let gravest = gravest
        .unwrap_or_else(|| SuicideScreenReading::new(SuicideRiskLevel::NotUnderstood, nothing));
    if gravest.level > SuicideRiskLevel::Low || level_is_low {
        return gravest;
    }
    let is_panel = |(screen, _): &Part<'_, '_>| screen.fact.kind == SuicideScreenKind::Panel;
    if !found.iter().any(is_panel) {
        return gravest;
    }
    let mut items = knowledge.suicide_screens.iter();
    let missing = items.find(|screen| {
        screen.fact.kind == SuicideScreenKind::Item && !answered.contains(&&screen.id)
    });
    match missing {
        None => SuicideScreenReading::new(SuicideRiskLevel::Low, "The screen shows a low risk."),
        Some(item) => SuicideScreenReading::new(
            SuicideRiskLevel::NotUnderstood,
            format!(
                "The screen has no level, and no answer to {}.",
                item.fact.text
            ),
        ),
    }
}

fn read_part(screen: &SuicideScreen, value: &ScreenValue) -> SuicideScreenReading {
    let name = &screen.text;
    let says = match value {
        ScreenValue::Says(says) => says,
        ScreenValue::Nothing => {
            let said = format!("{name} has no value.");
            return SuicideScreenReading::new(SuicideRiskLevel::NotUnderstood, said);
        }
        ScreenValue::NotUnderstood(written) => {
            let said = format!("{name} was not understood: {written}.");
            return SuicideScreenReading::new(SuicideRiskLevel::NotUnderstood, said);
        }
    };
    let levels = says.iter().map(|meaning| level_of(screen, *meaning));
    let level = levels.max().unwrap_or(SuicideRiskLevel::NotUnderstood);
    let said = match level {
        SuicideRiskLevel::AboveLow => format!("{name} is above low."),
        SuicideRiskLevel::Low => format!("{name} shows a low risk."),
        SuicideRiskLevel::Partial => format!("{name} shows nothing above low."),
        SuicideRiskLevel::NotUnderstood => format!("{name} was not understood."),
    };
    SuicideScreenReading::new(level, said)
}

/// An answer of another kind of question is not understood, unless it is grave.
fn level_of(screen: &SuicideScreen, meaning: ScreenMeaning) -> SuicideRiskLevel {
    use SuicideScreenKind::{Item, Level, Panel, Points};
    match (screen.kind, meaning) {
        (_, ScreenMeaning::Moderate | ScreenMeaning::High) => SuicideRiskLevel::AboveLow,
        (Level | Panel, ScreenMeaning::Low) => SuicideRiskLevel::Low,
        (Item, ScreenMeaning::No) => SuicideRiskLevel::Partial,
        (Item, ScreenMeaning::Yes) => match screen.yes {
            Some(ScreenMeaning::Low) => SuicideRiskLevel::Partial,
            _ => SuicideRiskLevel::AboveLow,
        },
        (Points, ScreenMeaning::NoPoints) => SuicideRiskLevel::Partial,
        (Points, ScreenMeaning::Points | ScreenMeaning::Yes) => SuicideRiskLevel::AboveLow,
        _ => SuicideRiskLevel::NotUnderstood,
    }
}
