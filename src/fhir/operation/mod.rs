//! Operations that are more than an interaction.

pub mod everything;
