//! `UNLOOP_KNOWLEDGE_DIR`.

use std::path::PathBuf;

use super::values::Values;

#[derive(Clone, Debug, Default)]
pub struct Clinical {
    /// `UNLOOP_KNOWLEDGE_DIR`: files that replace those of the knowledge base
    /// that the program brings.
    pub knowledge: Option<PathBuf>,
}

impl Clinical {
    pub(super) fn read(values: &Values) -> Self {
        Self {
            knowledge: values.text("UNLOOP_KNOWLEDGE_DIR").map(PathBuf::from),
        }
    }
}
