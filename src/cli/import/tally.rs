//! What became of one file.

use std::collections::BTreeMap;
use std::ops::AddAssign;

use super::send::{EntryResult, Planned};
use crate::fhir::request::Verb;

/// Problems of one file that the report shows.
const SHOWN: usize = 20;

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    pub created: usize,
    pub updated: usize,
    /// A condition found it there already.
    pub unchanged: usize,
    pub deleted: usize,
    pub failed: usize,
}

impl AddAssign for Counts {
    fn add_assign(&mut self, other: Self) {
        self.created += other.created;
        self.updated += other.updated;
        self.unchanged += other.unchanged;
        self.deleted += other.deleted;
        self.failed += other.failed;
    }
}

#[derive(Debug, Default)]
pub struct FileTally {
    pub name: String,
    pub by_type: BTreeMap<String, Counts>,
    /// The first ones, place and text.
    pub problems: Vec<String>,
    pub more_problems: usize,
    /// Creations that a repetition would do again.
    pub unconditional: usize,
}

impl FileTally {
    pub fn new(name: String) -> Self {
        Self {
            name,
            ..Self::default()
        }
    }

    /// The file gave nothing that could be counted.
    pub fn failed_whole(&mut self, problem: String) {
        self.problem(problem);
    }

    pub fn failed_line(&mut self, number: usize, problem: String) {
        self.problem(format!("line {number}: {problem}"));
        self.by_type.entry("?".to_owned()).or_default().failed += 1;
    }

    pub fn failed_entry(&mut self, index: usize, problem: &str) {
        self.problem(format!("entry {index}: {problem}"));
        self.by_type.entry("?".to_owned()).or_default().failed += 1;
    }

    /// The bundle was judged entry by entry.
    pub fn add_all(&mut self, planned: &[Planned], results: Vec<EntryResult>) {
        for (planned, result) in planned.iter().zip(results) {
            match result {
                Ok(status) => self.done(planned, status),
                Err(problem) => {
                    self.counts(planned).failed += 1;
                    self.problem(at(&planned.place, &problem));
                }
            }
        }
    }

    /// The bundle was refused, so nothing of it was written.
    pub fn refused(&mut self, planned: &[Planned], problems: Vec<String>) {
        for planned in planned {
            self.counts(planned).failed += 1;
        }
        for problem in problems {
            let place = match planned {
                [only] => only.place.as_str(),
                _ => named_entry(planned, &problem),
            };
            self.problem(at(place, &problem));
        }
    }

    fn done(&mut self, planned: &Planned, status: u16) {
        let counts = self.counts(planned);
        match (planned.verb, status) {
            (Verb::Get, _) => {}
            (Verb::Delete, _) => counts.deleted += 1,
            (Verb::Post, 201) => {
                counts.created += 1;
                self.unconditional += usize::from(!planned.conditional);
            }
            (_, 201) => counts.created += 1,
            (Verb::Put | Verb::Patch, 200 | 204) => counts.updated += 1,
            _ => counts.unchanged += 1,
        }
    }

    fn counts(&mut self, planned: &Planned) -> &mut Counts {
        self.by_type
            .entry(planned.resource_type.clone())
            .or_default()
    }

    fn problem(&mut self, problem: String) {
        if self.problems.len() < SHOWN {
            self.problems.push(problem);
        } else {
            self.more_problems += 1;
        }
    }
}

/// The resource that a problem's `Bundle.entry[3]` is about.
fn named_entry<'p>(planned: &'p [Planned], problem: &str) -> &'p str {
    let rest = problem.strip_prefix("Bundle.entry[");
    let index = rest.and_then(|rest| rest.split(']').next()?.parse::<usize>().ok());
    let entry = index.and_then(|index| planned.get(index));
    entry.map_or("", |entry| entry.place.as_str())
}

fn at(place: &str, problem: &str) -> String {
    if place.is_empty() {
        return problem.to_owned();
    }
    format!("{place}: {problem}")
}
