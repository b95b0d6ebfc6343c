//! What a medicine is made of, as far as its codes and names tell. A medicine
//! that is not understood stays so: there is no guess.

use serde_json::{Map, Value};

use super::names::{Names, Reading};
use super::record::{MODIFIED, concept_name, is_modified};
use crate::clinical::knowledge::{Drug, Entry, Knowledge, SystemCode, Tier};
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
    /// What the product that the record refers to is called.
    pub name: Option<String>,
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
            let same_code = !new.atc.is_empty() && old.atc == new.atc;
            old.drug == new.drug && (new.drug.is_some() || same_code || old.name == new.name)
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
    pub(super) knowledge: &'k Knowledge,
    pub(super) names: &'k Names,
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
                let code = product.get("code").and_then(Value::as_object);
                resolution.name = code.and_then(concept_name);
                if is_modified(product) {
                    resolution.open.push(MODIFIED.to_owned());
                }
                resolution
            }
            Some(_) => Resolution::open("Products inside products, too deep to follow."),
            // What stands beside a link that leads nowhere is better than nothing.
            None => {
                let mut resolution = match text(reference, "display") {
                    Some(display) => self.display(display),
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
            resolution.open.extend(by_code.open);
            resolution.suggestions.extend(by_code.suggestions);
        }
        if resolution == Resolution::default() {
            return Resolution::open("The Medication has neither a code nor ingredients.");
        }
        resolution
    }

    /// Every coding and the text have to be understood: what one of them says is not
    /// taken back by another, and what one does not say may be anything.
    pub fn concept(&self, concept: &Map<String, Value>) -> Resolution {
        let mut resolution = Resolution::default();
        let mut rest = Vec::new();
        for coding in items(concept, "coding").iter().filter_map(Value::as_object) {
            let known = self.coding(coding, &mut resolution);
            let display = text(coding, "display").unwrap_or_default();
            let reading = self.names.read(display);
            let understood = known || reading.is_whole();
            resolution.add_reading(self.knowledge, &reading);
            if !understood && reading.rest.is_empty() {
                resolution
                    .open
                    .push(format!("{} is not known here.", code_of(coding)));
            } else if !reading.rest.is_empty() {
                resolution.open.push(leftover(display, &reading.rest));
                rest.extend(reading.rest);
            }
        }
        if let Some(said) = text(concept, "text") {
            let reading = self.names.read(said);
            resolution.add_reading(self.knowledge, &reading);
            if !reading.rest.is_empty() {
                resolution.open.push(leftover(said, &reading.rest));
                rest.extend(reading.rest);
            }
        }
        if resolution.ingredients.is_empty() && resolution.open.is_empty() {
            resolution.open.push(match text(concept, "text") {
                None => "It has no code that is known here, and no name.".to_owned(),
                Some(_) => "Its name says no ingredient.".to_owned(),
            });
        }
        resolution.suggestions = self.names.suggestions(&rest);
        resolution
    }

    /// Whether the code is known.
    pub(super) fn coding(&self, coding: &Map<String, Value>, resolution: &mut Resolution) -> bool {
        let system = text(coding, "system").unwrap_or_default();
        let code = text(coding, "code").unwrap_or_default();
        if RXNORM.contains(&system) {
            return self.rxnorm(code, resolution);
        }
        if ATC.contains(&system) {
            return self.atc(code, resolution);
        }
        let mut known = false;
        for drug in &self.knowledge.drugs {
            let codes = drug.fact.other_codes.iter();
            let is_named = |one: &&SystemCode| {
                one.code == code && one.systems.iter().any(|known| known == system)
            };
            for one in codes.filter(is_named) {
                known = true;
                resolution.insert(ingredient(drug, By::Code(one.tier)));
            }
        }
        known
    }

    fn rxnorm(&self, code: &str, resolution: &mut Resolution) -> bool {
        let drugs = self.knowledge.drugs.iter();
        let mut known = drugs.filter_map(|drug| Some((drug, drug.fact.rxnorm.as_ref()?)));
        if let Some((drug, known)) = known.find(|(_, known)| known.code == code) {
            resolution.insert(ingredient(drug, By::Code(known.tier)));
            return true;
        }
        let names = self.knowledge.medicine_names.names_of_rxnorm_code(code);
        let reading = self.names.read_ingredients(&names);
        for named in &reading.named {
            if let Some(drug) = self.knowledge.drug(&named.drug) {
                resolution.insert(ingredient(drug, By::Code(Tier::B)));
            }
        }
        for name in &reading.other {
            resolution.insert(other_ingredient(self.knowledge, name, By::Code(Tier::B)));
        }
        let unknown = reading.rest.iter();
        let unknown = unknown.map(|name| format!("The ingredient {name} is not known here."));
        resolution.open.extend(unknown);
        !names.is_empty()
    }

    fn atc(&self, code: &str, resolution: &mut Resolution) -> bool {
        let drugs = self.knowledge.drugs.iter();
        let known = drugs.flat_map(|drug| drug.fact.atc.iter().map(move |atc| (drug, atc)));
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
            found = true;
            resolution.insert(Ingredient {
                drug: None,
                name: format!("ATC {code}"),
                atc: vec![code.to_owned()],
                by: By::Code(Tier::A),
            });
        }
        found
    }

    /// What a text alone tells, beside a link that leads nowhere.
    fn display(&self, display: &str) -> Resolution {
        let reading = self.names.read(display);
        let mut resolution = Resolution::default();
        resolution.add_reading(self.knowledge, &reading);
        resolution.suggestions = self.names.suggestions(&reading.rest);
        resolution
    }
}

/// `system|code`, for people who look it up.
fn code_of(coding: &Map<String, Value>) -> String {
    match (text(coding, "system"), text(coding, "code")) {
        (Some(system), Some(code)) => format!("The code {system}|{code}"),
        (None, Some(code)) => format!("The code {code} without a system"),
        _ => "A coding without a code".to_owned(),
    }
}

fn leftover(said: &str, rest: &[String]) -> String {
    format!("\"{said}\" is not understood: {}.", rest.join(", "))
}

impl Resolution {
    pub(super) fn add_reading(&mut self, knowledge: &Knowledge, reading: &Reading) {
        for named in &reading.named {
            if let Some(drug) = knowledge.drug(&named.drug) {
                self.insert(ingredient(drug, By::Name(named.tier)));
            }
        }
        for name in &reading.other {
            self.insert(other_ingredient(knowledge, name, By::Name(Tier::B)));
        }
    }
}

fn other_ingredient(knowledge: &Knowledge, name: &str, by: By) -> Ingredient {
    let known = knowledge.medicine_names.ingredient_by_name(name);
    Ingredient {
        drug: None,
        name: name.to_owned(),
        atc: known.map(|known| known.atc.clone()).unwrap_or_default(),
        by,
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
