//! Names and codes that a list of medicines can hold: `medicines.tsv`, made by
//! `cargo xtask medicines`. What stands there is recognised; what goes with ketamine
//! is said by rules alone.

use std::collections::HashMap;
use std::sync::LazyLock;

/// The file as it was made.
pub const LINES: &str = include_str!("medicines.tsv");

/// An ingredient that may have no entry among the drugs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KnownIngredient {
    pub name: String,
    /// The code of the ingredient in RxNorm, where one was seen.
    pub rxnorm: Option<String>,
    /// Other names.
    pub names: Vec<String>,
    pub atc: Vec<String>,
    /// The name of the base ingredient, where this is its salt or ester.
    pub base: Option<String>,
}

/// Ingredients, brands and products by name and code.
#[derive(Clone, Debug, Default)]
pub struct MedicineNames {
    pub ingredients: Vec<KnownIngredient>,
    /// Places of ingredients, by name.
    by_name: HashMap<String, usize>,
    by_code: HashMap<String, usize>,
    /// A brand and the names of its ingredients.
    pub brands: Vec<(String, Vec<String>)>,
    /// RxNorm codes of products, and the names of their ingredients.
    products: HashMap<String, Vec<String>>,
}

impl MedicineNames {
    /// The lines that the program brings, read once.
    pub fn embedded() -> &'static Self {
        static EMBEDDED: LazyLock<MedicineNames> =
            LazyLock::new(|| MedicineNames::from_lines(LINES));
        &EMBEDDED
    }

    fn from_lines(text: &str) -> Self {
        let mut names = Self::default();
        for line in text.lines() {
            let mut fields = line.split('\t');
            let kind = fields.next().unwrap_or_default();
            let fields: Vec<&str> = fields.collect();
            let field = |place: usize| fields.get(place).copied().unwrap_or_default();
            match kind {
                "ingredient" => names.add_ingredient(&field),
                "brand" => {
                    let ingredients = split_list(field(1), '|');
                    names.brands.push((field(0).to_owned(), ingredients));
                }
                "product" => {
                    let ingredients = split_list(field(0), '|');
                    for code in field(1).split(' ') {
                        names.products.insert(code.to_owned(), ingredients.clone());
                    }
                }
                _ => {}
            }
        }
        names
    }

    fn add_ingredient<'t>(&mut self, field: &dyn Fn(usize) -> &'t str) {
        let filled = |text: &str| (!text.is_empty()).then(|| text.to_owned());
        let ingredient = KnownIngredient {
            name: field(0).to_owned(),
            rxnorm: filled(field(1)),
            names: split_list(field(2), '|'),
            atc: split_list(field(3), ' '),
            base: filled(field(4)),
        };
        let place = self.ingredients.len();
        self.by_name.insert(ingredient.name.clone(), place);
        if let Some(code) = &ingredient.rxnorm {
            self.by_code.insert(code.clone(), place);
        }
        self.ingredients.push(ingredient);
    }

    /// The ingredient of this name; for a salt, its base ingredient.
    pub fn ingredient_by_name(&self, name: &str) -> Option<&KnownIngredient> {
        let found = self.ingredients.get(*self.by_name.get(name)?)?;
        Some(self.base_of(found))
    }

    /// What an RxNorm code of an ingredient, a salt or a product stands for.
    pub fn names_of_rxnorm_code(&self, code: &str) -> Vec<String> {
        let place = self.by_code.get(code);
        if let Some(found) = place.and_then(|place| self.ingredients.get(*place)) {
            return vec![self.base_of(found).name.clone()];
        }
        self.products.get(code).cloned().unwrap_or_default()
    }

    pub fn base_of<'n>(&'n self, ingredient: &'n KnownIngredient) -> &'n KnownIngredient {
        let place = ingredient.base.as_ref();
        let place = place.and_then(|base| self.by_name.get(base));
        let base = place.and_then(|place| self.ingredients.get(*place));
        base.unwrap_or(ingredient)
    }
}

fn split_list(text: &str, separator: char) -> Vec<String> {
    let parts = text.split(separator).filter(|part| !part.is_empty());
    parts.map(str::to_owned).collect()
}
