//! Codes to the sets that hold them. Built once; a code costs a few lookups.

use std::collections::{BTreeSet, HashMap, HashSet};

use super::spelling::CodeSystemKind;
use crate::clinical::knowledge::{
    AttentionPrefix, CodesWithoutConcern, CodingSystemAlias, ConcernWords, ConditionSet, Entry,
    Tier,
};

/// How a code is of a set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SetMembership {
    /// The place of the set in the list.
    pub set: usize,
    pub tier: Tier,
    /// The code says use, not a disorder.
    pub use_only: bool,
}

/// What is known of one code.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CodeMeaning<'k> {
    OfSets(Vec<SetMembership>),
    /// In no set, and near no concern.
    WithoutConcern,
    /// In no set, and near these.
    NearConcerns(BTreeSet<&'k str>),
    /// It may be anything.
    Unknown,
}

type Members = HashMap<String, Vec<SetMembership>>;

#[derive(Clone, Debug, Default)]
pub struct ConditionIndex {
    pub(super) sets: Vec<Entry<ConditionSet>>,
    aliases: Vec<Entry<CodingSystemAlias>>,
    attention: Vec<Entry<AttentionPrefix>>,
    words: Vec<Entry<ConcernWords>>,
    snomed: Members,
    icd10cm: Members,
    icd10who: Members,
    icd9cm: Members,
    without_concern: HashSet<String>,
}

impl ConditionIndex {
    pub fn new(
        sets: Vec<Entry<ConditionSet>>,
        aliases: Vec<Entry<CodingSystemAlias>>,
        attention: Vec<Entry<AttentionPrefix>>,
        others: &[Entry<CodesWithoutConcern>],
        words: Vec<Entry<ConcernWords>>,
    ) -> Self {
        let mut index = Self {
            aliases,
            attention,
            words,
            ..Self::default()
        };
        for (place, set) in sets.iter().enumerate() {
            index.add_set(place, &set.fact);
        }
        let codes = others.iter().flat_map(|one| codes_in(&one.fact.snomed));
        index.without_concern = codes.map(str::to_owned).collect();
        index.sets = sets;
        index
    }

    fn add_set(&mut self, set: usize, fact: &ConditionSet) {
        let of_tier = |tier| SetMembership {
            set,
            tier,
            use_only: false,
        };
        add(&mut self.snomed, &fact.published, of_tier(Tier::A));
        add(&mut self.snomed, &fact.matched, of_tier(Tier::B));
        add(&mut self.icd10cm, &fact.icd10cm, of_tier(Tier::C));
        add(&mut self.icd10who, &fact.icd10who, of_tier(Tier::B));
        add(&mut self.icd9cm, &fact.icd9cm, of_tier(Tier::B));
    }

    pub fn set(&self, id: &str) -> Option<&Entry<ConditionSet>> {
        self.sets.iter().find(|set| set.id == id)
    }

    pub fn sets(&self) -> &[Entry<ConditionSet>] {
        &self.sets
    }

    pub fn aliases(&self) -> &[Entry<CodingSystemAlias>] {
        &self.aliases
    }

    pub(super) fn explain_code(&self, system: CodeSystemKind, code: &str) -> CodeMeaning<'_> {
        let code = code.trim();
        match system {
            CodeSystemKind::SnomedCt => self.explain_snomed(code),
            CodeSystemKind::Icd10Cm => self.explain_icd10(code, &[Book::American]),
            CodeSystemKind::Icd10National => self.explain_icd10(code, &[Book::World]),
            // American feeds write the one and mean the other.
            CodeSystemKind::Icd10 => self.explain_icd10(code, &[Book::American, Book::World]),
            CodeSystemKind::Icd9Cm => self.explain_icd9(code),
            CodeSystemKind::Unstated => self.explain_unstated(code),
            CodeSystemKind::Loinc | CodeSystemKind::Other => CodeMeaning::Unknown,
        }
    }

    fn explain_snomed(&self, code: &str) -> CodeMeaning<'_> {
        match self.snomed.get(code) {
            Some(of) => CodeMeaning::OfSets(of.clone()),
            None if self.without_concern.contains(code) => CodeMeaning::WithoutConcern,
            None => CodeMeaning::Unknown,
        }
    }

    fn explain_icd9(&self, code: &str) -> CodeMeaning<'_> {
        match self.icd9cm.get(&bare(code)) {
            Some(of) => CodeMeaning::OfSets(of.clone()),
            None => CodeMeaning::Unknown,
        }
    }

    /// What a code without a system may mean counts against, never for.
    fn explain_unstated(&self, code: &str) -> CodeMeaning<'_> {
        let guesses = [
            CodeSystemKind::SnomedCt,
            CodeSystemKind::Icd10,
            CodeSystemKind::Icd9Cm,
        ];
        let mut all = Vec::new();
        for guess in guesses {
            if let CodeMeaning::OfSets(of) = self.explain_code(guess, code) {
                all.extend(of);
            }
        }
        if all.is_empty() {
            CodeMeaning::Unknown
        } else {
            CodeMeaning::OfSets(all)
        }
    }

    fn explain_icd10(&self, code: &str, books: &[Book]) -> CodeMeaning<'_> {
        let code = bare(code);
        if !is_icd10(&code) {
            return CodeMeaning::Unknown;
        }
        let mut all: Vec<SetMembership> = Vec::new();
        for book in books {
            let found = match book {
                Book::American => self.in_icd10cm(&code),
                Book::World => self.in_icd10who(&code),
            };
            for one in found {
                if !all.iter().any(|known| known.set == one.set) {
                    all.push(one);
                }
            }
        }
        if !all.is_empty() {
            return CodeMeaning::OfSets(all);
        }
        let near = self.concerns_near(&code, books);
        if near.is_empty() {
            CodeMeaning::WithoutConcern
        } else {
            CodeMeaning::NearConcerns(near)
        }
    }

    fn in_icd10cm(&self, code: &str) -> Vec<SetMembership> {
        let mut found = beginnings(&self.icd10cm, code);
        for membership in &mut found {
            let fact = self.sets.get(membership.set).map(|set| &set.fact);
            membership.use_only =
                fact.is_some_and(|fact| codes_in(&fact.icd10cm_use).any(|one| bare(one) == code));
        }
        for (set, entry) in self.sets.iter().enumerate() {
            if codes_in(&entry.fact.icd10cm_exact).any(|one| bare(one) == code) {
                found.push(SetMembership {
                    set,
                    tier: Tier::C,
                    use_only: false,
                });
            }
        }
        found
    }

    fn in_icd10who(&self, code: &str) -> Vec<SetMembership> {
        let mut found = beginnings(&self.icd10who, code);
        found.retain(|membership| {
            let fact = self.sets.get(membership.set).map(|set| &set.fact);
            let excepted = |fact: &ConditionSet| {
                codes_in(&fact.icd10who_except).any(|start| code.starts_with(&bare(start)))
            };
            !fact.is_some_and(excepted)
        });
        found
    }

    /// The concerns that a text speaks of.
    pub(super) fn concerns_in_text(&self, text: &str) -> BTreeSet<&str> {
        let text = text.to_lowercase();
        let said: Vec<&str> = text
            .split(|one: char| !one.is_alphanumeric())
            .filter(|word| !word.is_empty())
            .collect();
        // "Severe without psychotic features" speaks of none.
        let before = std::iter::once("").chain(said.iter().copied());
        let heard = || {
            let pairs = said.iter().zip(before.clone());
            pairs.filter(|(_, before)| *before != "without")
        };
        let speaks = |words: &ConcernWords| {
            let mut words = words.words.iter();
            words.any(|start| heard().any(|(word, _)| word.starts_with(start.as_str())))
        };
        let concerns = self.words.iter().filter(|entry| speaks(&entry.fact));
        concerns.map(|entry| entry.fact.concern.as_str()).collect()
    }

    /// By the first characters; and a heading is near what stands below it.
    fn concerns_near(&self, code: &str, books: &[Book]) -> BTreeSet<&str> {
        let attention = self.attention.iter();
        let attention = attention.filter(|row| code.starts_with(&bare(&row.fact.prefix)));
        let attention = attention.flat_map(|row| &row.fact.concerns);
        let mut near: BTreeSet<&str> = attention.map(String::as_str).collect();
        for book in books {
            let members = match book {
                Book::American => &self.icd10cm,
                Book::World => &self.icd10who,
            };
            let below = members.iter().filter(|(start, _)| start.starts_with(code));
            for membership in below.flat_map(|(_, of)| of) {
                if let Some(set) = self.sets.get(membership.set) {
                    near.insert(&set.fact.concern);
                }
            }
        }
        near
    }
}

#[derive(Clone, Copy)]
enum Book {
    American,
    World,
}

fn codes_in(list: &str) -> impl Iterator<Item = &str> {
    list.split_whitespace()
}

/// Without the dot, and without what stands behind a code in national ones.
fn bare(code: &str) -> String {
    let code = code.split_whitespace().next().unwrap_or_default();
    let kept = code.chars().filter(char::is_ascii_alphanumeric);
    kept.map(|one| one.to_ascii_uppercase()).collect()
}

/// <https://www.cdc.gov/nchs/icd/icd-10-cm/index.html>: a letter, a digit, and one
/// to five more.
fn is_icd10(code: &str) -> bool {
    let mut characters = code.chars();
    let letter = characters
        .next()
        .is_some_and(|one| one.is_ascii_uppercase());
    let digit = characters.next().is_some_and(|one| one.is_ascii_digit());
    letter && digit && (3..=7).contains(&code.len())
}

fn add(members: &mut Members, codes: &str, membership: SetMembership) {
    for code in codes_in(codes) {
        members.entry(bare(code)).or_default().push(membership);
    }
}

fn beginnings(members: &Members, code: &str) -> Vec<SetMembership> {
    let starts = (3..=code.len()).filter_map(|length| code.get(..length));
    let found = starts.filter_map(|start| members.get(start));
    found.flatten().copied().collect()
}
