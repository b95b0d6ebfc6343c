//! The medicines that a list can hold, as one compact file: ingredients, brands and
//! RxNorm products. Being in it means that a name is recognised, and nothing more.

use std::collections::BTreeMap;
use std::path::Path;

use serde_json::Value;

use crate::Result;

pub const DEFAULT_SOURCE: &str = "../shared/clinical/valuesets";
pub const DATA_FILE: &str = "src/clinical/knowledge/medicines.tsv";

const HEAD: &str = "# Made by `cargo xtask medicines`; do not edit.\n\
# ingredient, name, RxNorm code, other names, ATC codes, base of a salt\n\
# brand, name, ingredients\n\
# product, ingredients, RxNorm codes\n\
# Sources: NDF-RT, FDA UNII and RxNorm (public domain), OHDSI PhenotypeLibrary, published FHIR\n\
# value sets, the EMA register and its map to RxNorm. Tier B. Nothing here speaks of ketamine.\n";

/// The text of the data file, made of `ingredients.json`, `brands.json` and
/// `rxnorm-products.json` in the folder.
///
/// # Errors
/// A file that cannot be read, or that has another shape.
pub fn generate(folder: &Path) -> Result<String> {
    let mut text = HEAD.to_owned();
    let file = read(folder, "ingredients.json")?;
    for row in list(&file, "rows")? {
        let fields = [
            "ingredient".to_owned(),
            string(row, 0),
            string(row, 1),
            strings(&row[2]).join("|"),
            strings(&row[3]).join(" "),
            string(row, 5),
        ];
        push_line(&mut text, &fields);
    }
    let brands = read(folder, "brands.json")?;
    let mut all = BTreeMap::new();
    for kind in ["published", "own"] {
        let members = brands[kind].as_object();
        for (name, ingredients) in members.ok_or_else(|| format!("brands.json has no {kind}"))? {
            all.insert(name.clone(), strings(ingredients).join("|"));
        }
    }
    for (name, ingredients) in all {
        push_line(&mut text, &["brand".to_owned(), name, ingredients]);
    }
    let products = read(folder, "rxnorm-products.json")?;
    let names = list(&products, "ingredients")?;
    let mut by_ingredients: BTreeMap<String, Vec<&str>> = BTreeMap::new();
    let members = products["products"].as_object();
    for (code, places) in members.ok_or("rxnorm-products.json has no products")? {
        let places = places.as_array().into_iter().flatten();
        let places = places.filter_map(|place| usize::try_from(place.as_u64()?).ok());
        let found: Vec<&str> = places
            .filter_map(|place| names.get(place)?.as_str())
            .collect();
        by_ingredients
            .entry(found.join("|"))
            .or_default()
            .push(code.as_str());
    }
    for (ingredients, codes) in by_ingredients {
        push_line(
            &mut text,
            &["product".to_owned(), ingredients, codes.join(" ")],
        );
    }
    Ok(text)
}

fn push_line(text: &mut String, fields: &[String]) {
    text.push_str(fields.join("\t").trim_end());
    text.push('\n');
}

fn read(folder: &Path, name: &str) -> Result<Value> {
    let path = folder.join(name);
    let text = std::fs::read_to_string(&path).map_err(|e| format!("{}: {e}", path.display()))?;
    serde_json::from_str(&text).map_err(|e| format!("{}: {e}", path.display()))
}

fn list<'v>(file: &'v Value, name: &str) -> Result<&'v Vec<Value>> {
    let found = file[name].as_array();
    found.ok_or_else(|| format!("there is no list {name}"))
}

fn string(row: &Value, place: usize) -> String {
    row[place].as_str().unwrap_or_default().to_owned()
}

fn strings(value: &Value) -> Vec<String> {
    let all = value.as_array().into_iter().flatten();
    all.filter_map(|one| one.as_str().map(str::to_owned))
        .collect()
}
