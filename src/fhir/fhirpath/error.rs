//! Why an expression has no answer.

use thiserror::Error;

#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum Error {
    /// The text is no expression; the byte where that shows.
    #[error("not a FHIRPath expression at byte {at}: {problem}")]
    Syntax { at: usize, problem: String },
    /// An operator or function met something that it is not defined for.
    #[error("{0}")]
    Evaluation(String),
    /// Part of FHIRPath that needs what is not at hand (a terminology server).
    #[error("{0} is not supported")]
    NotSupported(String),
    #[error("the evaluation takes too many steps")]
    TooComplex,
}

impl Error {
    pub(super) fn evaluation(problem: impl Into<String>) -> Self {
        Self::Evaluation(problem.into())
    }
}

pub type Result<T> = std::result::Result<T, Error>;
