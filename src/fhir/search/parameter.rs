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
    /// `:not`
    TokenNot(Vec<TokenTest>),
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

pub(super) fn test(
    catalogue: &Catalogue,
    param: &Param,
    values: &Values<'_>,
    modifier: Option<&str>,
) -> Result<Test, Failure> {
    let uris = || values.each(|v| Ok(unescape(v)));
    Ok(match (param.storage, param.kind, modifier) {
        (Storage::Id, _, None) => Test::Id(values.each(|v| values.id(v))?),
        (_, ParamKind::Token, None) => Test::Token(values.tokens(param)?),
        (_, ParamKind::Token, Some("not")) => Test::TokenNot(values.tokens(param)?),
        (_, ParamKind::Token, Some("text")) if param.has_texts() => {
            Test::TokenText(values.texts()?)
        }
        (_, ParamKind::Token, Some("of-type")) if param.has_identifiers() => {
            Test::OfType(values.typed()?)
        }
        (Storage::Sounds, _, None) => Test::Sounds(values.sounds()?),
        (Storage::Sounds, _, Some(_)) => return Err(values.unsupported_modifier()),
        (Storage::Place, _, None) => Test::Near(values.places()?),
        (_, ParamKind::String, None) => Test::StartsWith(values.texts()?),
        (_, ParamKind::String, Some("contains")) => Test::Contains(values.texts()?),
        (_, ParamKind::String, Some("exact")) => Test::Exact(uris()?),
        (_, ParamKind::Date, None) => Test::Date(values.dates()?),
        (_, ParamKind::Number, None) => Test::Number(values.numbers()?),
        (_, ParamKind::Quantity, None) => Test::Quantity(values.quantities()?),
        (_, ParamKind::Composite, None) => Test::Composite(values.composites(catalogue, param)?),
        (_, ParamKind::Uri, None) => Test::Uri(uris()?),
        (_, ParamKind::Uri, Some("below")) => Test::UriBelow(values.uris_below()?),
        (_, ParamKind::Uri, Some("above")) => Test::UriAbove(uris()?),
        (_, ParamKind::Reference, Some("identifier")) => {
            Test::ReferenceIdentifier(values.each(|v| values.token(v))?)
        }
        (_, ParamKind::Reference, modifier) => {
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
