//! The official R4 definitions as data. `cargo xtask definitions` makes the
//! data files from the published packages; nothing here is written by type.
//! `own_search.txt` is written by hand: search parameters that R4 lacks.

mod by_name;
mod load;
mod load_search;
mod load_types;
mod load_value_sets;
mod model;
mod value_set;

use std::sync::OnceLock;

pub use model::{
    Compartment, Definitions, Element, ParamKind, SearchParam, TypeDefinition, TypeKind,
};
pub use value_set::ValueSet;

const TYPES: &str = include_str!("data/types.txt");
const SEARCH: &str = include_str!("data/search.txt");
const OWN_SEARCH: &str = include_str!("data/own_search.txt");
const COMPARTMENTS: &str = include_str!("data/compartments.txt");

/// What decides by what a resource can be found.
pub const INDEXED_BY: [&str; 4] = [TYPES, SEARCH, OWN_SEARCH, COMPARTMENTS];

/// R4 (4.0.1), read once.
pub fn r4() -> &'static Definitions {
    static R4: OnceLock<Definitions> = OnceLock::new();
    R4.get_or_init(|| {
        load::definitions(
            TYPES,
            &[SEARCH, OWN_SEARCH].concat(),
            COMPARTMENTS,
            include_str!("data/value_sets.txt"),
        )
        .expect("the data files are generated and every test run reads them")
    })
}
