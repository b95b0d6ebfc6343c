//! Names of medicines in free text. A name matches as a whole or not at all;
//! what is only similar is a suggestion for a person.

use std::collections::{HashMap, HashSet};

use crate::clinical::knowledge::{Knowledge, Tier};
use crate::fhir::search::string::fold;

/// The words of a text, without case, accents and apostrophes.
fn words(text: &str) -> Vec<String> {
    let text: String = fold(text)
        .chars()
        .filter(|c| !matches!(c, '\'' | '’' | '`'))
        .collect();
    let words = text.split(|c: char| !c.is_alphanumeric());
    words
        .filter(|word| !word.is_empty())
        .map(str::to_owned)
        .collect()
}

/// The form in which names are compared.
pub fn folded(name: &str) -> String {
    words(name).join(" ")
}

/// Something named in a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Named {
    /// The id of a drug.
    pub drug: String,
    pub tier: Tier,
    /// The name as the knowledge base writes it.
    pub name: String,
}

/// What a text names, and the words that are left over.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Reading {
    pub named: Vec<Named>,
    pub rest: Vec<String>,
}

impl Reading {
    /// Every word is understood, and something is named.
    pub fn is_whole(&self) -> bool {
        !self.named.is_empty() && self.rest.is_empty()
    }
}

#[derive(Clone, Debug)]
enum Meaning {
    Drug(Named),
    /// The ingredients of a product: those known, and the names of others.
    Product(Vec<Named>, Vec<String>),
}

/// All names of the knowledge base.
#[derive(Clone, Debug)]
pub struct Names {
    meanings: HashMap<String, Meaning>,
    longest: usize,
    idle: HashSet<String>,
}

impl Names {
    pub fn new(knowledge: &Knowledge) -> Self {
        let mut meanings = HashMap::new();
        for drug in &knowledge.drugs {
            let named = |name: &str, tier: Tier| Named {
                drug: drug.id.clone(),
                tier,
                name: name.to_owned(),
            };
            let generic = std::iter::once(&drug.fact.name).chain(&drug.fact.names);
            let generic = generic.map(|name| (name, Tier::A));
            let brands = drug.fact.brands.iter().map(|name| (name, Tier::C));
            for (name, tier) in generic.chain(brands) {
                meanings.insert(folded(name), Meaning::Drug(named(name, tier)));
            }
        }
        for product in &knowledge.products {
            let fact = &product.fact;
            let mut known = Vec::new();
            let mut others = Vec::new();
            for ingredient in &fact.ingredients {
                match knowledge.drug(ingredient) {
                    Some(drug) => known.push(Named {
                        drug: drug.id.clone(),
                        tier: product.tier(),
                        name: fact.name.clone(),
                    }),
                    None => others.push(ingredient.clone()),
                }
            }
            meanings.insert(folded(&fact.name), Meaning::Product(known, others));
        }
        let longest = meanings.keys().map(|name| name.split(' ').count()).max();
        Self {
            meanings,
            longest: longest.unwrap_or(1),
            idle: knowledge.words.iter().map(|word| folded(word)).collect(),
        }
    }

    pub fn read(&self, text: &str) -> Reading {
        let words = words(text);
        let mut reading = Reading::default();
        let mut at = 0;
        while let Some(rest) = words.get(at..).filter(|rest| !rest.is_empty()) {
            let lengths = (1..=self.longest.min(rest.len())).rev();
            let found = lengths.into_iter().find_map(|length| {
                let name = rest.get(..length)?.join(" ");
                self.meanings.get(&name).map(|meaning| (length, meaning))
            });
            let Some((length, meaning)) = found else {
                reading
                    .rest
                    .extend(rest.first().filter(|word| !self.is_idle(word)).cloned());
                at += 1;
                continue;
            };
            match meaning {
                Meaning::Drug(named) => reading.named.push(named.clone()),
                Meaning::Product(known, others) => {
                    reading.named.extend(known.iter().cloned());
                    reading.rest.extend(others.iter().cloned());
                }
            }
            at += length;
        }
        reading
    }

    /// Strengths and forms: `50`, `5mg`, `tablet`.
    fn is_idle(&self, word: &str) -> bool {
        let unit = word.trim_start_matches(|c: char| c.is_ascii_digit());
        let measured = unit.len() < word.len();
        unit.is_empty() || self.idle.contains(unit) && (measured || unit == word)
    }

    /// The names that come close to a word, for a person to decide.
    pub fn suggestions(&self, rest: &[String]) -> Vec<String> {
        let mut near: Vec<(usize, &str)> = Vec::new();
        for word in rest.iter().filter(|word| word.chars().count() >= 4) {
            let most = if word.chars().count() < 7 { 1 } else { 2 };
            for name in self.meanings.keys() {
                let distance = strsim::damerau_levenshtein(word, name);
                if distance <= most {
                    near.push((distance, name));
                }
            }
        }
        near.sort_unstable();
        near.dedup();
        near.into_iter()
            .take(3)
            .map(|(_, name)| name.to_owned())
            .collect()
    }
}
