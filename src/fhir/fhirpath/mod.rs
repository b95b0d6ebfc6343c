//! FHIRPath: expressions over resources. <http://hl7.org/fhirpath/N1/>
//!
//! Text -> tokens (`lexer`) -> tree (`parser`) -> items (`evaluate`). The
//! document stays `serde_json`; each item knows its R4 type by its place.

mod arithmetic;
mod compare;
mod decimal;
mod error;
mod evaluate;
mod function;
mod item;
mod lexer;
mod navigate;
mod operator;
mod parser;
mod quantity;
mod temporal;
mod tree;
mod types;
mod variable;

pub use error::Error;
pub use evaluate::Evaluator;
pub use item::{Collection, Content, Item, Node};

/// A parsed expression, good for any number of evaluations.
#[derive(Debug)]
pub struct Expression(tree::Tree);

impl Expression {
    pub fn parse(text: &str) -> Result<Self, Error> {
        parser::parse(text).map(Self)
    }

    /// Starts from one item, which is also `%context`.
    pub fn evaluate<'a>(
        &'a self,
        evaluator: &Evaluator<'a>,
        focus: Item<'a>,
    ) -> Result<Collection<'a>, Error> {
        evaluator.evaluate(&self.0, focus)
    }
}
