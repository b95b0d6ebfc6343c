//! Names of medicines in free text. A name matches as a whole or not at all;
//! what is only similar is a suggestion for a person.

use std::collections::{HashMap, HashSet};

use crate::clinical::knowledge::{Knowledge, KnownIngredient, Tier};
use crate::fhir::search::string::fold;

/// Shorter names are letters that may mean anything.
const SHORTEST_NAME: usize = 3;

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
    /// Ingredients that are recognised, and that no entry of the drugs is about.
    pub other: Vec<String>,
    pub rest: Vec<String>,
}

impl Reading {
    /// Every word is understood, and something is named.
    pub fn is_whole(&self) -> bool {
        !(self.named.is_empty() && self.other.is_empty()) && self.rest.is_empty()
    }
}

#[derive(Clone, Debug)]
enum Meaning {
    Drug(Named),
    Product(Composition),
}

/// The ingredients of a product.
#[derive(Clone, Debug, Default)]
struct Composition {
    named: Vec<Named>,
    /// Recognised, and no drug of the knowledge base.
    other: Vec<String>,
    /// Not recognised.
    unknown: Vec<String>,
}

/// All names of the knowledge base.
#[derive(Clone, Debug)]
pub struct Names {
    meanings: HashMap<String, Meaning>,
    /// The names of the knowledge base's own entries.
    own: Vec<String>,
    /// Ingredients by the names of `medicines.tsv`.
    ingredients: HashMap<String, Composition>,
    longest: usize,
    idle: HashSet<String>,
    /// Names of forms that act on, between spaces, and for how many days.
    depots: Vec<(String, i64)>,
    allergens: HashSet<String>,
}

impl Names {
    pub fn new(knowledge: &Knowledge) -> Self {
        let idle: HashSet<String> = knowledge.words.iter().map(|word| folded(word)).collect();
        let ingredients = ingredients_by_name(knowledge);
        let mut meanings = recognised(knowledge, &ingredients, &idle);
        let mut own = Vec::new();
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
                own.push(folded(name));
                meanings.insert(folded(name), Meaning::Drug(named(name, tier)));
            }
        }
        for product in &knowledge.products {
            let fact = &product.fact;
            let mut composition = Composition::default();
            for ingredient in &fact.ingredients {
                match knowledge.drug(ingredient) {
                    Some(drug) => composition.named.push(Named {
                        drug: drug.id.clone(),
                        tier: product.tier(),
                        name: fact.name.clone(),
                    }),
                    None => {
                        let named = std::slice::from_ref(ingredient);
                        composition.add(&composition_of(&ingredients, named));
                    }
                }
            }
            own.push(folded(&fact.name));
            meanings.insert(folded(&fact.name), Meaning::Product(composition));
        }
        let longest = meanings.keys().map(|name| name.split(' ').count()).max();
        Self {
            meanings,
            longest: longest.unwrap_or(1),
            own,
            ingredients,
            depots: depots(knowledge),
            idle,
            allergens: knowledge
                .allergen_words
                .iter()
                .map(|word| folded(word))
                .collect(),
        }
    }

    /// Days that a form acts on which one of the texts names.
    pub fn depot_days(&self, texts: &[&str]) -> i64 {
        let texts: Vec<String> = texts
            .iter()
            .map(|said| format!(" {} ", folded(said)))
            .collect();
        let named = |name: &str| texts.iter().any(|said| said.contains(name));
        let found = self.depots.iter().filter(|(name, _)| named(name));
        found.map(|(_, days)| *days).max().unwrap_or(0)
    }

    /// What these ingredients, by the names of `medicines.tsv`, are here.
    pub fn read_ingredients(&self, names: &[String]) -> Reading {
        let mut reading = Reading::default();
        reading.add(&composition_of(&self.ingredients, names));
        reading
    }

    /// The same for the name of an allergy: words of what is no medicine are
    /// understood, too.
    pub fn read_allergen(&self, text: &str) -> (Reading, bool) {
        let mut reading = self.read(text);
        let before = reading.rest.len();
        reading.rest.retain(|word| !self.allergens.contains(word));
        let understood = reading.rest.is_empty() && (reading.is_whole() || before > 0);
        (reading, understood)
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
                Meaning::Product(composition) => reading.add(composition),
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
            for name in &self.own {
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

fn depots(knowledge: &Knowledge) -> Vec<(String, i64)> {
    let forms = knowledge.depot_forms.iter().flat_map(|form| {
        let names = form.fact.names.iter();
        names.map(|name| (format!(" {} ", folded(name)), form.fact.days))
    });
    forms.collect()
}

impl Composition {
    fn add(&mut self, other: &Self) {
        self.named.extend(other.named.iter().cloned());
        self.other.extend(other.other.iter().cloned());
        self.unknown.extend(other.unknown.iter().cloned());
    }
}

impl Reading {
    fn add(&mut self, composition: &Composition) {
        self.named.extend(composition.named.iter().cloned());
        self.other.extend(composition.other.iter().cloned());
        self.rest.extend(composition.unknown.iter().cloned());
    }
}

/// What each ingredient of `medicines.tsv` is here: a drug of the knowledge base by its
/// code or one of its names, or recognised and nothing more.
fn ingredients_by_name(knowledge: &Knowledge) -> HashMap<String, Composition> {
    let mut by_code = HashMap::new();
    let mut by_name = HashMap::new();
    for drug in &knowledge.drugs {
        if let Some(code) = &drug.fact.rxnorm {
            by_code.insert(code.code.as_str(), drug);
        }
        for name in std::iter::once(&drug.fact.name).chain(&drug.fact.names) {
            by_name.insert(folded(name), drug);
        }
    }
    let names = knowledge.medicine_names;
    let all = names.ingredients.iter().map(|known| {
        let base = names.base_of(known);
        let drug_of = |one: &KnownIngredient| {
            let by_code = one.rxnorm.as_deref().and_then(|code| by_code.get(code));
            by_code.or_else(|| by_name.get(&folded(&one.name))).copied()
        };
        let mut composition = Composition::default();
        match drug_of(known).or_else(|| drug_of(base)) {
            Some(drug) => composition.named.push(Named {
                drug: drug.id.clone(),
                tier: Tier::B,
                name: known.name.clone(),
            }),
            None => composition.other.push(base.name.clone()),
        }
        (known.name.clone(), composition)
    });
    all.collect()
}

fn composition_of(ingredients: &HashMap<String, Composition>, names: &[String]) -> Composition {
    let mut composition = Composition::default();
    for name in names {
        match ingredients.get(name) {
            Some(found) => composition.add(found),
            None => composition.unknown.push(name.clone()),
        }
    }
    composition
}

/// The names of `medicines.tsv`, which those of the knowledge base outrank. A name of
/// idle words alone, such as `calcium`, would swallow what stands behind a drug's name.
fn recognised(
    knowledge: &Knowledge,
    ingredients: &HashMap<String, Composition>,
    idle: &HashSet<String>,
) -> HashMap<String, Meaning> {
    let mut meanings = HashMap::new();
    let mut add = |name: &str, composition: &Composition| {
        let name = folded(name);
        let says_something = name.split(' ').any(|word| !idle.contains(word));
        if says_something && name.chars().count() >= SHORTEST_NAME {
            meanings.insert(name, Meaning::Product(composition.clone()));
        }
    };
    let names = knowledge.medicine_names;
    for known in &names.ingredients {
        if let Some(composition) = ingredients.get(&known.name) {
            for name in &known.names {
                add(name, composition);
            }
        }
    }
    for (brand, parts) in &names.brands {
        add(brand, &composition_of(ingredients, parts));
    }
    // The name of an ingredient outranks another one's second name.
    for (name, composition) in ingredients {
        add(name, composition);
    }
    meanings
}
