//! What a function is called on and with, in the forms that functions ask for.

use std::borrow::Cow;

use crate::fhir::fhirpath::error::{Error, Result};
use crate::fhir::fhirpath::evaluate::{Evaluator, Scope};
use crate::fhir::fhirpath::item::{Collection, Item};
use crate::fhir::fhirpath::tree::Tree;

pub struct Call<'s, 'a> {
    pub evaluator: &'s Evaluator<'a>,
    pub scope: &'s Scope<'s, 'a>,
    pub input: Collection<'a>,
    pub arguments: &'a [Tree],
}

pub fn empty<'a>() -> Result<Collection<'a>> {
    Ok(Vec::new())
}

pub fn one<'a>(item: Item<'a>) -> Result<Collection<'a>> {
    Ok(vec![item])
}

pub fn boolean<'a>(value: bool) -> Result<Collection<'a>> {
    one(Item::Boolean(value))
}

pub fn string<'a>(text: impl Into<Cow<'a, str>>) -> Result<Collection<'a>> {
    one(Item::String(text.into()))
}

pub fn integer<'a>(value: usize) -> Result<Collection<'a>> {
    one(Item::Integer(i64::try_from(value).unwrap_or(i64::MAX)))
}

impl<'s, 'a> Call<'s, 'a> {
    /// The argument's tree. Only asked for where the table promises one.
    pub fn tree(&self, index: usize) -> Option<&'a Tree> {
        self.arguments.get(index)
    }

    /// The argument's items, from where the call stands; empty when it is left out.
    pub fn argument(&self, index: usize) -> Result<Collection<'a>> {
        match self.tree(index) {
            Some(tree) => self.evaluator.run(tree, self.scope),
            None => empty(),
        }
    }

    pub fn single_argument(&self, index: usize) -> Result<Option<Item<'a>>> {
        let items = self.argument(index)?;
        Ok(self.evaluator.single(items)?.map(Item::plain))
    }

    pub fn text_argument(&self, index: usize) -> Result<Option<Cow<'a, str>>> {
        text(self.single_argument(index)?)
    }

    pub fn integer_argument(&self, index: usize) -> Result<Option<i64>> {
        match self.single_argument(index)? {
            Some(Item::Integer(value)) => Ok(Some(value)),
            Some(_) => Err(Error::evaluation("the argument is an integer")),
            None => Ok(None),
        }
    }

    /// The one item of the input as a plain value.
    pub fn single(&self) -> Result<Option<Item<'a>>> {
        match self.input.as_slice() {
            [] => Ok(None),
            [item] => Ok(Some(item.clone().plain())),
            _ => Err(Error::evaluation("one item was expected, not several")),
        }
    }

    pub fn text(&self) -> Result<Option<Cow<'a, str>>> {
        text(self.single()?)
    }

    /// The argument evaluated for one item of the input.
    pub fn each(&self, argument: usize, index: usize, item: &Item<'a>) -> Result<Collection<'a>> {
        let Some(tree) = self.tree(argument) else {
            return empty();
        };
        let scope = Scope {
            focus: std::slice::from_ref(item),
            index,
            ..*self.scope
        };
        self.evaluator.run(tree, &scope)
    }

    /// The argument as a condition on one item of the input.
    pub fn holds(&self, argument: usize, index: usize, item: &Item<'a>) -> Result<Option<bool>> {
        let result = self.each(argument, index, item)?;
        self.evaluator.truth(result)
    }
}

fn text<'a>(item: Option<Item<'a>>) -> Result<Option<Cow<'a, str>>> {
    match item {
        Some(Item::String(text)) => Ok(Some(text)),
        Some(_) => Err(Error::evaluation("a text was expected")),
        None => Ok(None),
    }
}
