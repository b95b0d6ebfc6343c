//! The days of a course. Sessions keep their time on the wall clock, whatever
//! the zone does to its clocks in between.

use std::collections::BTreeSet;

use jiff::civil::{Date, Weekday};
use jiff::{ToSpan, Zoned};

use super::wish::Wish;
use crate::clinical::appointment::booking::SESSION;
use crate::clinical::knowledge::{
    Anchor, Entry, GapUnit, Kind as AppointmentKind, Knowledge, Spacing,
};
use crate::fhir::outcome::{Failure, Kind};

/// One appointment of the course.
#[derive(Clone, Debug, PartialEq)]
pub struct Visit<'k> {
    pub kind: &'k Entry<AppointmentKind>,
    /// From one, among those of its kind.
    pub number: usize,
    pub start: Zoned,
    pub end: Zoned,
}

/// All visits in the order of time; `today` is a day of the wish's zone.
pub fn visits<'k>(
    knowledge: &'k Knowledge,
    wish: &Wish<'_>,
    today: Date,
) -> Result<Vec<Visit<'k>>, Failure> {
    if wish.start < today {
        return Err(wrong("start lies in the past."));
    }
    let sessions = sessions(wish)?;
    let mut days: Vec<(&str, Date)> = sessions.iter().map(|day| (SESSION, *day)).collect();
    let mut taken: BTreeSet<Date> = sessions.iter().copied().collect();
    for spacing in &knowledge.spacings {
        for anchor in anchors(&sessions, spacing.fact.anchor) {
            let day = free_day(&spacing.fact, anchor, &taken, today)?;
            taken.insert(day);
            days.push((&spacing.fact.kind, day));
        }
    }
    days.sort_by_key(|(_, day)| *day);
    let mut visits: Vec<Visit<'k>> = Vec::with_capacity(days.len());
    for (kind, day) in days {
        let kind = knowledge
            .kinds
            .iter()
            .find(|one| one.id == kind)
            .ok_or_else(unknown)?;
        let number = visits
            .iter()
            .filter(|visit| visit.kind.id == kind.id)
            .count()
            + 1;
        // Where the clocks skip the time, it is as much later.
        let start = day.to_datetime(wish.time).to_zoned(wish.zone.clone());
        let start = start.map_err(|_| out_of_reach())?;
        let end = start
            .checked_add(kind.fact.minutes.minutes())
            .map_err(|_| out_of_reach())?;
        visits.push(Visit {
            kind,
            number,
            start,
            end,
        });
    }
    Ok(visits)
}

fn sessions(wish: &Wish<'_>) -> Result<Vec<Date>, Failure> {
    let fact = &wish.protocol.fact;
    let mut day = fitting(wish.start, &wish.weekdays)?;
    let mut days = vec![day];
    for number in 1..wish.sessions {
        let turn = usize::try_from(number - 1).unwrap_or(0) % fact.gaps.len().max(1);
        let usual = fact.gaps.get(turn).copied().unwrap_or(fact.gap_min);
        // On given weekdays a changing rhythm comes of itself.
        let changes = fact.gaps.len() > 1 && !wish.weekdays.is_empty();
        let gap = wish
            .every
            .unwrap_or(if changes { fact.gap_min } else { usual });
        let gap = i64::from(gap);
        let span = match fact.unit {
            GapUnit::Day => gap.days(),
            GapUnit::Month => gap.months(),
        };
        day = fitting(
            day.checked_add(span).map_err(|_| out_of_reach())?,
            &wish.weekdays,
        )?;
        days.push(day);
    }
    let span = (day - wish.start.max(days.first().copied().unwrap_or(day))).get_days();
    if !(fact.span_min..=fact.span_max).contains(&span) {
        return Err(wrong(format!(
            "The sessions would lie within {span} days; in this protocol they lie within {} to {}. Change sessions, every or weekdays.",
            fact.span_min, fact.span_max
        )));
    }
    Ok(days)
}

/// The day, or the next one that is allowed.
fn fitting(day: Date, weekdays: &[Weekday]) -> Result<Date, Failure> {
    let mut days = day.series(1.day()).take(7);
    days.find(|day| weekdays.is_empty() || weekdays.contains(&day.weekday()))
        .ok_or_else(out_of_reach)
}

fn anchors(sessions: &[Date], anchor: Anchor) -> Vec<Date> {
    match anchor {
        Anchor::First => sessions.first().copied().into_iter().collect(),
        Anchor::Last => sessions.last().copied().into_iter().collect(),
        Anchor::Each => sessions.to_vec(),
    }
}

/// A working day without another appointment, else any day without one.
fn free_day(
    spacing: &Spacing,
    anchor: Date,
    taken: &BTreeSet<Date>,
    today: Date,
) -> Result<Date, Failure> {
    let [first, last] = spacing.days;
    let mut days = Vec::new();
    for offset in first..=last {
        let day = anchor
            .checked_add(offset.days())
            .map_err(|_| out_of_reach())?;
        if day >= today && !taken.contains(&day) {
            days.push(day);
        }
    }
    let works = |day: &&Date| !matches!(day.weekday(), Weekday::Saturday | Weekday::Sunday);
    let found = days.iter().find(works).or(days.first());
    found.copied().ok_or_else(|| {
        wrong(format!(
            "There is no day left for {} around {anchor}. Start later, or put the sessions further apart.",
            spacing.kind
        ))
    })
}

fn wrong(text: impl Into<String>) -> Failure {
    Failure::new(Kind::Value, text)
}

fn out_of_reach() -> Failure {
    wrong("start lies too far away.")
}

fn unknown() -> Failure {
    Failure::new(
        Kind::NotSupported,
        "The knowledge base has no such kind of appointment.",
    )
}
