//! `UNLOOP_KNOWLEDGE_DIR`, `UNLOOP_STRICT_APPOINTMENTS`.

use std::path::PathBuf;

use super::ConfigError;
use super::values::Values;

#[derive(Clone, Debug, Default)]
pub struct Clinical {
    /// `UNLOOP_KNOWLEDGE_DIR`: files that replace those of the knowledge base
    /// that the program brings.
    pub knowledge: Option<PathBuf>,
    /// `UNLOOP_STRICT_APPOINTMENTS`
    pub strict_appointments: bool,
}

impl Clinical {
    pub(super) fn read(values: &Values) -> Result<Self, ConfigError> {
        Ok(Self {
            knowledge: values.text("UNLOOP_KNOWLEDGE_DIR").map(PathBuf::from),
            strict_appointments: values.flag("UNLOOP_STRICT_APPOINTMENTS")?,
        })
    }
}
