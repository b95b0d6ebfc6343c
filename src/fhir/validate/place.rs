//! A place in a document, written out only when something is wrong there.
//! <https://hl7.org/fhir/R4/fhirpath.html>

use std::fmt;

/// Linked from leaf to root, on the stack of the walk.
#[derive(Clone, Copy)]
pub struct Place<'a> {
    parent: Option<&'a Place<'a>>,
    name: &'a str,
    index: Option<usize>,
    pub depth: usize,
}

impl<'a> Place<'a> {
    pub fn root(name: &'a str) -> Self {
        Self {
            parent: None,
            name,
            index: None,
            depth: 0,
        }
    }

    pub fn child(&'a self, name: &'a str) -> Self {
        Self {
            parent: Some(self),
            name,
            index: None,
            depth: self.depth + 1,
        }
    }

    pub fn name(&self) -> &'a str {
        self.name
    }

    /// The same element's item; one that does not repeat has no index.
    pub fn item(self, index: Option<usize>) -> Self {
        Self { index, ..self }
    }
}

impl fmt::Display for Place<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(parent) = self.parent {
            write!(f, "{parent}.")?;
        }
        f.write_str(self.name)?;
        match self.index {
            Some(index) => write!(f, "[{index}]"),
            None => Ok(()),
        }
    }
}
