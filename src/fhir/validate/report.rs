//! The problems found, each with its place and its remedy.

use super::place::Place;
use crate::fhir::outcome::{Issue, Kind};

/// A document of nothing but problems must not make an answer larger than itself.
const MOST: usize = 200;
/// A longer name is cut: it came from the client and is only to be recognised.
const LONGEST_NAME: usize = 64;

#[derive(Default)]
pub struct Report {
    issues: Vec<Issue>,
    left_out: usize,
}

impl Report {
    /// Not the JSON form the definition asks for.
    pub fn structure(&mut self, place: &Place<'_>, text: impl Into<String>) {
        self.problem(Kind::Structure, place, text);
    }

    pub fn problem(&mut self, kind: Kind, place: &Place<'_>, text: impl Into<String>) {
        if self.issues.len() == MOST {
            self.left_out += 1;
            return;
        }
        self.issues
            .push(Issue::error(kind, text).at(place.to_string()));
    }

    pub fn count(&self) -> usize {
        self.issues.len() + self.left_out
    }

    pub fn finish(mut self) -> Vec<Issue> {
        if self.left_out > 0 {
            let text = format!(
                "{} further problems are not listed; correct these first",
                self.left_out
            );
            self.issues.push(Issue::error(Kind::Structure, text));
        }
        self.issues
    }
}

/// A property name as a message shows it.
pub fn shown(name: &str) -> String {
    match name.char_indices().nth(LONGEST_NAME) {
        Some((end, _)) => format!("`{}…`", name.get(..end).unwrap_or_default()),
        None => format!("`{name}`"),
    }
}
