//! The official R4 definitions as data. `cargo xtask definitions` makes the
//! data files from the published packages; nothing here is written by type.

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

/// R4 (4.0.1), read once.
pub fn r4() -> &'static Definitions {
    static R4: OnceLock<Definitions> = OnceLock::new();
    R4.get_or_init(|| {
        load::definitions(
            include_str!("data/types.txt"),
            include_str!("data/search.txt"),
            include_str!("data/compartments.txt"),
            include_str!("data/value_sets.txt"),
        )
        .expect("the data files are generated and every test run reads them")
    })
}
