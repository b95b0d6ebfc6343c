//! One search parameter of a request: name, modifier and typed values.
//! <https://hl7.org/fhir/R4/search.html#modifiers>

use super::catalogue::{Catalogue, Param, Storage};
use super::prefix::DateTest;
use super::value::unescape;
use super::values::Values;
use crate::fhir::definitions::ParamKind;
use crate::fhir::outcome::Failure;

/// All values of one occurrence: a resource matches when one of them does.
#[derive(Clone, Debug, PartialEq)]
pub struct Parameter {
    pub code: String,
    pub test: Test,
}

#[derive(Clone, Debug, PartialEq)]
pub enum Test {
    Id(Vec<String>),
    Token(Vec<TokenTest>),
    /// `:not`
    TokenNot(Vec<TokenTest>),
    StartsWith(Vec<String>),
    Contains(Vec<String>),
    Exact(Vec<String>),
    Reference(Vec<ReferenceTest>),
    /// `:identifier`
    ReferenceIdentifier(Vec<TokenTest>),
    Uri(Vec<String>),
    Date(Vec<DateTest>),
    Missing(bool),
}

/// `system|code`. No system: any; an empty one: none. No code: any.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TokenTest {
    pub system: Option<String>,
    pub code: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ReferenceTest {
    /// An id of any type that the parameter may point at.
    Id(String),
    /// `Type/id`, an absolute address or a canonical.
    Literal(String),
}

/// Reads one occurrence. `name` is as the client wrote it, with its modifier.
pub fn parse(
    catalogue: &Catalogue,
    param: &Param,
    name: &str,
    modifier: Option<&str>,
    value: &str,
) -> Result<Parameter, Failure> {
    let values = Values { name, value };
    let test = if modifier == Some("missing") && has_rows(param) {
        Test::Missing(values.flag()?)
    } else {
        match (param.storage, param.kind, modifier) {
            (Storage::Id, _, None) => Test::Id(values.each(|v| values.id(v))?),
            (_, ParamKind::Token, None) => Test::Token(values.tokens(param)?),
            (_, ParamKind::Token, Some("not")) => Test::TokenNot(values.tokens(param)?),
            (_, ParamKind::String, None) => Test::StartsWith(values.texts()?),
            (_, ParamKind::String, Some("contains")) => Test::Contains(values.texts()?),
            (_, ParamKind::String, Some("exact")) => Test::Exact(values.each(|v| Ok(unescape(v)))?),
            (_, ParamKind::Date, None) => Test::Date(values.dates()?),
            (_, ParamKind::Uri, None) => Test::Uri(values.each(|v| Ok(unescape(v)))?),
            (_, ParamKind::Reference, Some("identifier")) => {
                Test::ReferenceIdentifier(values.each(|v| values.token(v))?)
            }
            (_, ParamKind::Reference, modifier) => {
                let target = values.target(catalogue, modifier)?;
                Test::Reference(values.references(catalogue, target)?)
            }
            _ => return Err(values.unsupported_modifier()),
        }
    };
    Ok(Parameter {
        code: param.code.clone(),
        test,
    })
}

/// Whether it is missing can be asked: it is kept in rows, not in a column that
/// every resource has.
fn has_rows(param: &Param) -> bool {
    !matches!(param.storage, Storage::Id | Storage::Updated)
}
