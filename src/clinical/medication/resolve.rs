//! What a medicine is made of, as far as its codes and names tell. A medicine
//! that is not understood stays so: there is no guess.

use serde_json::{Map, Value};

use super::names::{Named, Names, Reading};
use super::record::{MODIFIED, is_modified};
use crate::clinical::knowledge::{Drug, Entry, Knowledge, Tier};
use crate::fhir::search::path::{items, text};

const RXNORM: [&str; 2] = [
    "http://www.nlm.nih.gov/research/umls/rxnorm",
    "urn:oid:2.16.840.1.113883.6.88",
];
const ATC: [&str; 2] = ["http://www.whocc.no/atc", "urn:oid:2.16.840.1.113883.6.73"];

/// How an ingredient was recognised.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum By {
    /// RxNorm or ATC, and the tier of that code.
    Code(Tier),
    Name(Tier),
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ingredient {
    /// `None` where only the ATC code is known.
    pub drug: Option<String>,
    pub name: String,
    pub atc: Vec<String>,
    pub by: By,
}

/// What is known of a medicine, and what is not.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Resolution {
    pub ingredients: Vec<Ingredient>,
    /// Why it is not understood, or not wholly.
    pub open: Vec<String>,
    /// Names that may have been meant.
    pub suggestions: Vec<String>,
}

impl Resolution {
    fn open(reason: impl Into<String>) -> Self {
        Self {
            open: vec![reason.into()],
            ..Self::default()
        }
    }

    fn add(&mut self, other: Self) {
        for ingredient in other.ingredients {
            self.insert(ingredient);
        }
        self.open.extend(other.open);
        self.suggestions.extend(other.suggestions);
    }

    /// A drug that was recognised twice is recognised by the better way.
    fn insert(&mut self, new: Ingredient) {
        let same = |old: &&mut Ingredient| {
            old.drug == new.drug && (new.drug.is_some() || old.atc == new.atc)
        };
        match self.ingredients.iter_mut().find(same) {
            Some(old) if rank(&old.by) <= rank(&new.by) => {}
            Some(old) => *old = new,
            None => self.ingredients.push(new),
        }
    }
}

/// A name confirms a code that nobody has verified, so it comes before it.
fn rank(by: &By) -> u8 {
    match by {
        By::Code(Tier::A | Tier::B) => 0,
        By::Name(Tier::A | Tier::B) => 1,
        By::Name(Tier::C) => 2,
        By::Code(Tier::C) => 3,
    }
}

/// Where the resource behind a reference is looked up.
pub trait Lookup {
    fn find(&self, reference: &str) -> Option<&Map<String, Value>>;
}

/// How deep products may be made of products.
const DEEPEST: usize = 4;

pub struct Resolver<'k> {
    knowledge: &'k Knowledge,
    names: &'k Names,
}

impl<'k> Resolver<'k> {
    pub fn new(knowledge: &'k Knowledge, names: &'k Names) -> Self {
        Self { knowledge, names }
    }

    /// The medicine of a MedicationStatement or MedicationRequest.
    pub fn medicine(&self, record: &Map<String, Value>, lookup: &dyn Lookup) -> Resolution {
        if let Some(Value::Object(concept)) = record.get("medicationCodeableConcept") {
            return self.concept(concept);
        }
        match record.get("medicationReference") {
            Some(Value::Object(reference)) => self.reference(reference, record, lookup, 0),
            _ => Resolution::open("No medicine is named."),
        }
    }

    fn reference(
        &self,
        reference: &Map<String, Value>,
        container: &Map<String, Value>,
        lookup: &dyn Lookup,
        depth: usize,
    ) -> Resolution {
        let target = text(reference, "reference").unwrap_or_default();
        let found = match target.strip_prefix('#') {
            Some(id) => items(container, "contained")
                .iter()
                .filter_map(Value::as_object)
                .find(|contained| text(contained, "id") == Some(id)),
            None => lookup.find(target),
        };
        match found {
            Some(product) if depth < DEEPEST => {
                let mut resolution = self.product(product, container, lookup, depth + 1);
                if is_modified(product) {
                    resolution.open.push(MODIFIED.to_owned());
                }
                resolution
            }
            Some(_) => Resolution::open("Products inside products, too deep to follow."),
            // What stands beside a link that leads nowhere is better than nothing.
            None => {
                let mut resolution = match text(reference, "display") {
                    Some(display) => self.texts(&[display]),
                    None => Resolution::default(),
                };
                resolution
                    .open
                    .push("The Medication that it refers to cannot be read here.".to_owned());
                resolution
            }
        }
    }

    /// A Medication by its ingredients and by its own code; a Substance by its code.
    fn product(
        &self,
        product: &Map<String, Value>,
        container: &Map<String, Value>,
        lookup: &dyn Lookup,
        depth: usize,
    ) -> Resolution {
        let inside = if product.contains_key("contained") {
            product
        } else {
            container
        };
        let mut resolution = Resolution::default();
        for ingredient in items(product, "ingredient")
            .iter()
            .filter_map(Value::as_object)
        {
            if ingredient.get("isActive") == Some(&Value::Bool(false)) {
                continue;
            }
            resolution.add(
                match (
                    ingredient.get("itemCodeableConcept"),
                    ingredient.get("itemReference"),
                ) {
                    (Some(Value::Object(concept)), _) => self.concept(concept),
                    (_, Some(Value::Object(item))) => self.reference(item, inside, lookup, depth),
                    _ => Resolution::open("An ingredient is not named."),
                },
            );
        }
        if let Some(Value::Object(code)) = product.get("code") {
            let by_code = self.concept(code);
            if resolution.ingredients.is_empty() && resolution.open.is_empty() {
                return by_code;
            }
            // The ingredients say what it is; the code may say more.
            for ingredient in by_code.ingredients {
                resolution.insert(ingredient);
            }
        }
        if resolution == Resolution::default() {
            return Resolution::open("The Medication has neither a code nor ingredients.");
        }
        resolution
    }

    /// Codes first; names add to them, and stand alone where no code is known.
    pub fn concept(&self, concept: &Map<String, Value>) -> Resolution {
        let mut resolution = Resolution::default();
        let mut texts = Vec::new();
        texts.extend(text(concept, "text"));
        for coding in items(concept, "coding").iter().filter_map(Value::as_object) {
            texts.extend(text(coding, "display"));
            self.coding(coding, &mut resolution);
        }
        let by_name = self.texts(&texts);
        if resolution.ingredients.is_empty() {
            return by_name;
        }
        for ingredient in by_name.ingredients {
            resolution.insert(ingredient);
        }
        resolution
    }

    fn coding(&self, coding: &Map<String, Value>, resolution: &mut Resolution) {
        let system = text(coding, "system").unwrap_or_default();
        let code = text(coding, "code").unwrap_or_default();
        let drugs = &self.knowledge.drugs;
        if RXNORM.contains(&system) {
            let known = drugs
                .iter()
                .filter_map(|drug| Some((drug, drug.fact.rxnorm.as_ref()?)));
            for (drug, known) in known.filter(|(_, known)| known.code == code) {
                resolution.insert(ingredient(drug, By::Code(known.tier)));
            }
        } else if ATC.contains(&system) {
            let known = drugs
                .iter()
                .flat_map(|drug| drug.fact.atc.iter().map(move |atc| (drug, atc)));
            let mut found = false;
            for (drug, atc) in known.filter(|(_, atc)| atc.code == code) {
                found = true;
                resolution.insert(ingredient(drug, By::Code(atc.tier)));
                if atc.combination {
                    resolution.open.push(
                        "The ATC code is that of a combination with something unnamed.".to_owned(),
                    );
                }
            }
            let mut rules = self.knowledge.rules.iter();
            if !found && rules.any(|rule| rule.fact.covers("", [code].into_iter())) {
                resolution.insert(Ingredient {
                    drug: None,
                    name: format!("ATC {code}"),
                    atc: vec![code.to_owned()],
                    by: By::Code(Tier::A),
                });
            }
        }
    }

    /// One text that is understood as a whole is enough; all that any names counts.
    fn texts(&self, texts: &[&str]) -> Resolution {
        let readings: Vec<Reading> = texts.iter().map(|text| self.names.read(text)).collect();
        let mut resolution = Resolution::default();
        for named in readings.iter().flat_map(|reading| &reading.named) {
            resolution.ingredients_of(self.knowledge, named);
        }
        if readings.iter().any(Reading::is_whole) {
            return resolution;
        }
        let rest: Vec<String> = readings
            .into_iter()
            .flat_map(|reading| reading.rest)
            .collect();
        resolution.suggestions = self.names.suggestions(&rest);
        resolution
            .open
            .push(match (texts.first(), rest.is_empty()) {
                (None, _) => "It has no code that is known here, and no name.".to_owned(),
                (Some(_), true) => "Its name says no ingredient.".to_owned(),
                (Some(text), false) => {
                    format!("\"{text}\" is not understood: {}.", rest.join(", "))
                }
            });
        resolution
    }
}

impl Resolution {
    fn ingredients_of(&mut self, knowledge: &Knowledge, named: &Named) {
        if let Some(drug) = knowledge.drug(&named.drug) {
            self.insert(ingredient(drug, By::Name(named.tier)));
        }
    }
}

fn ingredient(drug: &Entry<Drug>, by: By) -> Ingredient {
    Ingredient {
        drug: Some(drug.id.clone()),
        name: drug.fact.name.clone(),
        atc: drug.fact.codes().map(str::to_owned).collect(),
        by,
    }
}
