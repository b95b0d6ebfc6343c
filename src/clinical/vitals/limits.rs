//! A measured value against the limits of its place and time. Facts stand in
//! `knowledge/vitals.toml`.

use std::cmp::Ordering;

use serde_json::{Map, Value};

use crate::clinical::knowledge::{DosePhase, Entry, Knowledge, Limit, LimitEffect, Place};
use crate::clinical::observation::{compare, shown};

/// When a value was measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MeasuredWhen {
    BeforeDose,
    /// In whole minutes after it.
    AfterDose(i64),
}

/// A limit that a value is beyond, and how that is said.
#[derive(Clone, Debug)]
pub struct LimitCrossed {
    pub id: String,
    pub effect: LimitEffect,
    pub text: String,
}

/// All limits that the values are beyond, the gravest first; an error in words where a
/// value cannot be compared or nothing bounds it.
pub fn crossed_limits(
    knowledge: &Knowledge,
    values: &[(&'static str, Map<String, Value>)],
    place: &Entry<Place>,
    when: MeasuredWhen,
) -> Result<Vec<LimitCrossed>, String> {
    let mut found = Vec::new();
    let mut unread = None;
    for (sign, value) in values {
        let mut bounded = false;
        for limit in limits_of(knowledge, place, when) {
            let unit = unit_of_sign(knowledge, sign).unwrap_or_default();
            let (above, below) = limit.fact.bounds_of(sign);
            for (bound, side) in [(above, Ordering::Greater), (below, Ordering::Less)] {
                let Some(bound) = bound else { continue };
                bounded = true;
                match compare(value, bound, unit) {
                    None => unread = Some(incomparable(value, unit)),
                    Some(found_side) if found_side == side => {
                        found.push(crossing(limit, value, (side, bound, unit)));
                    }
                    Some(_) => {}
                }
            }
        }
        if !bounded {
            let text = format!("The knowledge base has no limit for the {sign} here.");
            unread = Some(text);
        }
    }
    found.sort_by_key(|one| std::cmp::Reverse(one.effect));
    match unread {
        // A value beyond a limit counts, also where another value cannot be read.
        Some(text) if found.is_empty() => Err(text),
        _ => Ok(found),
    }
}

fn limits_of<'k>(
    knowledge: &'k Knowledge,
    place: &Entry<Place>,
    when: MeasuredWhen,
) -> impl Iterator<Item = &'k Entry<Limit>> {
    let limits = knowledge.limits.iter();
    limits.filter(move |limit| {
        let fact = &limit.fact;
        let in_time = match when {
            MeasuredWhen::BeforeDose => fact.phase == DosePhase::Before,
            MeasuredWhen::AfterDose(minute) => {
                fact.phase == DosePhase::After && fact.from_minute <= minute
            }
        };
        in_time && fact.settings.contains(&place.id)
    })
}

fn unit_of_sign<'k>(knowledge: &'k Knowledge, sign: &str) -> Option<&'k str> {
    let sign = knowledge.signs.iter().find(|one| one.id == sign)?;
    sign.fact.units.first().map(String::as_str)
}

fn incomparable(value: &Map<String, Value>, unit: &str) -> String {
    let reading = shown(value);
    format!("{reading} cannot be compared with the limit. Measure in {unit}.")
}

fn crossing(
    limit: &Entry<Limit>,
    value: &Map<String, Value>,
    (side, bound, unit): (Ordering, i64, &str),
) -> LimitCrossed {
    let side = if side == Ordering::Greater {
        "above"
    } else {
        "below"
    };
    let text = format!(
        "{} is {side} the limit {} ({bound} {unit}). {}",
        shown(value),
        limit.id,
        limit.fact.action
    );
    LimitCrossed {
        id: limit.id.clone(),
        effect: limit.fact.effect,
        text,
    }
}
