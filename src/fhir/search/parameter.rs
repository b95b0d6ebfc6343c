//! One search parameter of a request: name, modifier and typed values.
//! <https://hl7.org/fhir/R4/search.html#modifiers>

use super::catalogue::{Catalogue, Param, Storage};
use super::near::Near;
use super::prefix::{DateTest, NumberTest};
use super::quantity::QuantityTest;
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
    /// `:not`: what the plain value asks does not hold.
    Not(Box<Test>),
    /// `:text`, folded
    TokenText(Vec<String>),
    /// `:of-type`: system and code of the type, and the value
    OfType(Vec<[String; 3]>),
    StartsWith(Vec<String>),
    Contains(Vec<String>),
    Exact(Vec<String>),
    Reference(Vec<ReferenceTest>),
    /// `:identifier`
    ReferenceIdentifier(Vec<TokenTest>),
    Uri(Vec<String>),
    /// `:below`
    UriBelow(Vec<String>),
    /// `:above`
    UriAbove(Vec<String>),
    Date(Vec<DateTest>),
    Number(Vec<NumberTest>),
    Quantity(Vec<QuantityTest>),
    /// Each word of one of these names sounds like a word that is there.
    Sounds(Vec<Vec<Vec<String>>>),
    Near(Vec<Near>),
    /// Two values that stand together.
    Composite(Vec<(Test, Test)>),
    Missing(bool),
    /// Of a reference: the types it leads to, and what is asked there.
    Chain(Vec<(String, Parameter)>),
    /// `_has`
    Has(Has),
}

/// Something refers to the resource: `_has:source:link:parameter`.
#[derive(Clone, Debug, PartialEq)]
pub struct Has {
    pub source: String,
    pub link: String,
    pub parameter: Box<Parameter>,
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
        test(catalogue, param, &values, modifier)?
    };
    Ok(Parameter {
        code: param.code.clone(),
        test,
    })
}

/// The one table of modifiers. What is no value in rows has none but those that are
/// named here, so that a modifier never asks for facts that nothing extracts.
pub(super) fn test(
    catalogue: &Catalogue,
    param: &Param,
    values: &Values<'_>,
    modifier: Option<&str>,
) -> Result<Test, Failure> {
    Ok(match (param.storage, modifier) {
        (_, Some("not")) if param.kind == ParamKind::Token => {
            Test::Not(Box::new(test(catalogue, param, values, None)?))
        }
        (Storage::Id, None) => Test::Id(values.each(|v| values.id(v))?),
        (Storage::Updated, None) => Test::Date(values.dates()?),
        (Storage::Sounds, None) => Test::Sounds(values.sounds()?),
        (Storage::Place, None) => Test::Near(values.places()?),
        (Storage::Rows | Storage::Owner | Storage::Moment, _) => {
            row_test(catalogue, param, values, modifier)?
        }
        (Storage::Id | Storage::Updated | Storage::Sounds | Storage::Place, Some(_)) => {
            return Err(values.unsupported_modifier());
        }
    })
}

fn row_test(
    catalogue: &Catalogue,
    param: &Param,
    values: &Values<'_>,
    modifier: Option<&str>,
) -> Result<Test, Failure> {
    let uris = || values.each(|v| Ok(unescape(v)));
    Ok(match (param.kind, modifier) {
        (ParamKind::Token, None) => Test::Token(values.tokens(param)?),
        (ParamKind::Token, Some("text")) if param.has_texts() => Test::TokenText(values.texts()?),
        (ParamKind::Token, Some("of-type")) if param.has_identifiers() => {
            Test::OfType(values.typed()?)
        }
        (ParamKind::String, None) => Test::StartsWith(values.texts()?),
        (ParamKind::String, Some("contains")) => Test::Contains(values.texts()?),
        (ParamKind::String, Some("exact")) => Test::Exact(uris()?),
        (ParamKind::Date, None) => Test::Date(values.dates()?),
        (ParamKind::Number, None) => Test::Number(values.numbers()?),
        (ParamKind::Quantity, None) => Test::Quantity(values.quantities()?),
        (ParamKind::Composite, None) => Test::Composite(values.composites(catalogue, param)?),
        (ParamKind::Uri, None) => Test::Uri(uris()?),
        (ParamKind::Uri, Some("below")) => Test::UriBelow(values.uris_below()?),
        (ParamKind::Uri, Some("above")) => Test::UriAbove(uris()?),
        (ParamKind::Reference, Some("identifier")) => {
            Test::ReferenceIdentifier(values.each(|v| values.token(v))?)
        }
        (ParamKind::Reference, modifier) => {
            let target = values.target(catalogue, modifier)?;
            Test::Reference(values.references(catalogue, target)?)
        }
        _ => return Err(values.unsupported_modifier()),
    })
}

/// Whether it is missing can be asked: it is kept in rows, not in a column that
/// every resource has.
fn has_rows(param: &Param) -> bool {
    !matches!(param.storage, Storage::Id | Storage::Updated)
}
