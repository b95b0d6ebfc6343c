//! The official R4 definitions as data. `cargo xtask definitions` makes the
//! data file from the published packages; nothing here is written by type.

mod model;

pub use model::{
    Compartment, Definitions, Element, ParamKind, SearchParam, TypeDefinition, TypeKind,
};
