//! Records of one drug together, and whether they make an adequate trial. What
//! is missing never makes a trial count, and never makes it not count either.

use std::collections::HashMap;

use super::segment::{Days, Segment};
use crate::clinical::knowledge::{Dose, Entry, Knowledge};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Adequacy {
    Adequate,
    Inadequate,
    Undetermined,
}

impl Adequacy {
    pub fn code(self) -> &'static str {
        match self {
            Self::Adequate => "adequate",
            Self::Inadequate => "inadequate",
            Self::Undetermined => "undetermined",
        }
    }
}

/// The numbers by which trials are judged.
#[derive(Clone, Copy, Debug)]
pub struct Measure {
    pub days: i64,
    pub days_at_dose: i64,
    pub gap_days: i64,
}

impl Measure {
    /// From the knowledge base; `None` where it has no such rule.
    pub fn of(knowledge: &Knowledge) -> Option<Self> {
        let mut trials = knowledge.trials.iter().map(|trial| &trial.fact);
        let rule = trials.find_map(|fact| fact.weeks.zip(fact.weeks_at_dose))?;
        let gap_days = knowledge
            .trials
            .iter()
            .find_map(|trial| trial.fact.gap_days);
        Some(Self {
            days: rule.0 * 7,
            days_at_dose: rule.1 * 7,
            gap_days: gap_days.unwrap_or(0),
        })
    }
}

#[derive(Clone, Debug)]
pub struct Trial<'k> {
    pub dose: &'k Entry<Dose>,
    pub sources: Vec<String>,
    pub first: Option<i64>,
    pub last: i64,
    /// Days that are certain, and days that may be.
    pub days: (i64, i64),
    /// The same at the target dose or above.
    pub days_at_dose: (i64, i64),
    pub adequacy: Adequacy,
    pub reasons: Vec<String>,
}

/// The trials of one drug, in the order of time.
pub fn trials<'k>(
    dose: &'k Entry<Dose>,
    mut segments: Vec<Segment>,
    measure: &Measure,
) -> Vec<Trial<'k>> {
    segments.sort_by_key(|segment| (segment.possible.first, segment.possible.last));
    let mut groups: Vec<Vec<Segment>> = Vec::new();
    let mut reach = i64::MIN;
    for segment in segments {
        let apart = segment.possible.first.saturating_sub(reach) > measure.gap_days + 1;
        reach = reach.max(segment.possible.last);
        match groups.last_mut() {
            Some(group) if !apart => group.push(segment),
            _ => groups.push(vec![segment]),
        }
    }
    groups
        .into_iter()
        .map(|group| trial(dose, &group, measure))
        .collect()
}

fn trial<'k>(dose: &'k Entry<Dose>, group: &[Segment], measure: &Measure) -> Trial<'k> {
    let target = dose.fact.target_low.saturating_mul(1000);
    // Doses of the same day are not added: two records may be of one medicine.
    let mut certain: HashMap<i64, bool> = HashMap::new();
    let mut possible: HashMap<i64, bool> = HashMap::new();
    for segment in group {
        let reached = segment.daily.is_ok_and(|daily| daily >= target);
        let may_reach = segment.daily.is_err() || reached;
        if let Some(days) = segment.certain {
            mark(&mut certain, days, reached);
        }
        mark(&mut possible, segment.possible, may_reach);
    }
    let count = |days: &HashMap<i64, bool>| i64::try_from(days.len()).unwrap_or(i64::MAX);
    let at_dose = |days: &HashMap<i64, bool>| {
        i64::try_from(days.values().filter(|reached| **reached).count()).unwrap_or(i64::MAX)
    };
    let unbounded = group.iter().any(|segment| segment.open_start);
    let unbounded_at_dose = group
        .iter()
        .any(|segment| segment.open_start && segment.daily.is_none_or_reaches(target));
    let mut days = (count(&certain), count(&possible));
    let mut days_at_dose = (at_dose(&certain), at_dose(&possible));
    if unbounded {
        days.1 = i64::MAX;
    }
    if unbounded_at_dose {
        days_at_dose.1 = i64::MAX;
    }
    let adequacy = judge(days, days_at_dose, measure);
    Trial {
        dose,
        sources: group.iter().map(|segment| segment.source.clone()).collect(),
        first: group
            .iter()
            .map(|segment| segment.possible.first)
            .min()
            .filter(|_| !unbounded),
        last: group
            .iter()
            .map(|segment| segment.possible.last)
            .max()
            .unwrap_or(0),
        days,
        days_at_dose,
        adequacy,
        reasons: reasons(dose, group, adequacy, days, days_at_dose, measure),
    }
}

/// Whether an unknown or a known dose may reach the target.
trait MayReach {
    fn is_none_or_reaches(&self, target: i64) -> bool;
}

impl MayReach for super::dosage::Daily {
    fn is_none_or_reaches(&self, target: i64) -> bool {
        self.map_or(true, |daily| daily >= target)
    }
}

fn mark(days: &mut HashMap<i64, bool>, covered: Days, reached: bool) {
    for day in covered.first..=covered.last {
        let before = days.entry(day).or_insert(false);
        *before |= reached;
    }
}

fn judge(days: (i64, i64), at_dose: (i64, i64), measure: &Measure) -> Adequacy {
    if days.0 >= measure.days && at_dose.0 >= measure.days_at_dose {
        Adequacy::Adequate
    } else if days.1 < measure.days || at_dose.1 < measure.days_at_dose {
        Adequacy::Inadequate
    } else {
        Adequacy::Undetermined
    }
}

fn reasons(
    dose: &Entry<Dose>,
    group: &[Segment],
    adequacy: Adequacy,
    days: (i64, i64),
    at_dose: (i64, i64),
    measure: &Measure,
) -> Vec<String> {
    let mut reasons = Vec::new();
    let target = dose.fact.target_low;
    match adequacy {
        Adequacy::Adequate => reasons.push(format!(
            "{} days, {} of them at {target} mg a day or more ({} and {} are asked for).",
            days.0, at_dose.0, measure.days, measure.days_at_dose
        )),
        Adequacy::Inadequate if days.1 < measure.days => reasons.push(format!(
            "{} days at most; {} are asked for.",
            days.1, measure.days
        )),
        Adequacy::Inadequate => reasons.push(format!(
            "{} days at most at {target} mg a day or more; {} are asked for.",
            at_dose.1, measure.days_at_dose
        )),
        Adequacy::Undetermined => {
            for segment in group {
                let gaps = segment.gaps.iter();
                reasons.extend(gaps.map(|gap| format!("{}: {gap}.", segment.source)));
            }
            if reasons.is_empty() {
                reasons.push("The dates are not exact enough.".to_owned());
            }
        }
    }
    reasons
}
