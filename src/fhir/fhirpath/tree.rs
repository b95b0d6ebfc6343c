//! A parsed expression: names and functions are resolved, literals are values.

use super::function::Function;
use super::item::Item;

#[derive(Debug)]
pub enum Tree {
    Empty,
    Literal(Item<'static>),
    This,
    Index,
    Total,
    /// `%name`
    Variable(String),
    /// A child element; without `of` the first step of a path, where a type name
    /// stands for the context itself.
    Member {
        of: Option<Box<Tree>>,
        name: String,
    },
    Call {
        of: Option<Box<Tree>>,
        function: Function,
        arguments: Vec<Tree>,
    },
    Indexer(Box<Tree>, Box<Tree>),
    Negative(Box<Tree>),
    Positive(Box<Tree>),
    Binary(Operator, Box<Tree>, Box<Tree>),
    Is(Box<Tree>, TypeName),
    As(Box<Tree>, TypeName),
}

/// `FHIR.Patient`, `System.String`, `Quantity`
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TypeName {
    pub namespace: Option<String>,
    pub name: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operator {
    Multiply,
    Divide,
    Div,
    Mod,
    Add,
    Subtract,
    Concatenate,
    Union,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
    Equal,
    NotEqual,
    Equivalent,
    NotEquivalent,
    In,
    Contains,
    And,
    Or,
    Xor,
    Implies,
}
