//! Chores of the project: `cargo xtask definitions` writes the R4 data files,
//! `cargo xtask condition-sets` the codes of conditions, `cargo xtask medicines` the
//! names of medicines, `cargo xtask advisories` the known faults of crates.

pub mod advisories;
pub mod condition_sets;
pub mod definitions;
pub mod medicines;

/// What stopped a chore, in one sentence.
pub type Result<T> = std::result::Result<T, String>;
