//! The functions by name. Each file has those of one section of the specification.
//! <http://hl7.org/fhirpath/N1/#functions>

mod call;
mod convert;
mod existence;
mod fhir;
mod filter;
mod html;
mod math;
mod subset;
mod text;
mod text_code;
mod utility;

use std::fmt;

pub(super) use call::Call;

use super::error::Result;
use super::item::Collection;

type Body = for<'s, 'a> fn(Call<'s, 'a>) -> Result<Collection<'a>>;
/// (name, fewest and most arguments, what it does)
type Table = &'static [(&'static str, usize, usize, Body)];

const TABLES: &[Table] = &[
    existence::TABLE,
    filter::TABLE,
    subset::TABLE,
    convert::TABLE,
    text::TABLE,
    text_code::TABLE,
    math::TABLE,
    utility::TABLE,
    fhir::TABLE,
];

#[derive(Clone, Copy)]
pub struct Function {
    name: &'static str,
    fewest: usize,
    most: usize,
    body: Body,
}

impl Function {
    pub fn named(name: &str) -> Option<Self> {
        let mut all = TABLES.iter().flat_map(|table| table.iter());
        let (name, fewest, most, body) = all.find(|(own, ..)| *own == name)?;
        Some(Self {
            name,
            fewest: *fewest,
            most: *most,
            body: *body,
        })
    }

    pub fn takes(&self, arguments: usize) -> bool {
        (self.fewest..=self.most).contains(&arguments)
    }

    pub(super) fn run<'a>(&self, call: Call<'_, 'a>) -> Result<Collection<'a>> {
        (self.body)(call)
    }
}

impl fmt::Debug for Function {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}()", self.name)
    }
}
