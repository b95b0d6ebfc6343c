//! Evaluation: a tree and the items it starts from -> items.
//! <http://hl7.org/fhirpath/N1/#expressions>

use std::cell::Cell;

use super::error::{Error, Result};
use super::function::Call;
use super::item::{Collection, Item, Node};
use super::tree::Tree;
use super::{navigate, operator, variable};
use crate::fhir::definitions::Definitions;

/// Steps of one evaluation. A document or an expression made to hold the service
/// up runs out of them.
const STEPS: u32 = 1_000_000;

/// Evaluates any number of expressions on parts of one resource.
pub struct Evaluator<'a> {
    pub(super) definitions: &'a Definitions,
    /// `%resource`: the resource that the items are in.
    pub(super) resource: Node<'a>,
    /// `%rootResource`: the one that contains it, or itself.
    pub(super) root: Node<'a>,
    steps: Cell<u32>,
}

/// What names and `$` stand for at one place of an expression.
#[derive(Clone, Copy)]
pub(super) struct Scope<'s, 'a> {
    /// `$this`, and what a path without beginning starts from.
    pub focus: &'s [Item<'a>],
    /// `%context`
    pub context: &'s [Item<'a>],
    pub index: usize,
    pub total: &'s [Item<'a>],
}

impl<'a> Evaluator<'a> {
    pub fn new(definitions: &'a Definitions, resource: Node<'a>, root: Node<'a>) -> Self {
        Self {
            definitions,
            resource,
            root,
            steps: Cell::new(STEPS),
        }
    }

    /// Steps left; evaluations on one document can share an allowance.
    pub fn steps(&self) -> u32 {
        self.steps.get()
    }

    pub fn allow(&self, steps: u32) {
        self.steps.set(steps);
    }

    pub(super) fn evaluate(&self, tree: &'a Tree, focus: Item<'a>) -> Result<Collection<'a>> {
        let focus = [focus];
        let scope = Scope {
            focus: &focus,
            context: &focus,
            index: 0,
            total: &[],
        };
        self.run(tree, &scope)
    }

    pub(super) fn step(&self) -> Result<()> {
        self.spend(1)
    }

    pub(super) fn spend(&self, steps: usize) -> Result<()> {
        let left = u32::try_from(steps).ok();
        match left.and_then(|steps| self.steps.get().checked_sub(steps)) {
            Some(left) => {
                self.steps.set(left);
                Ok(())
            }
            None => Err(Error::TooComplex),
        }
    }

    pub(super) fn run(&self, tree: &'a Tree, scope: &Scope<'_, 'a>) -> Result<Collection<'a>> {
        self.step()?;
        match tree {
            Tree::Empty => Ok(Vec::new()),
            Tree::Literal(item) => Ok(vec![item.clone()]),
            Tree::This => Ok(scope.focus.to_vec()),
            Tree::Index => {
                let index = i64::try_from(scope.index).unwrap_or(i64::MAX);
                Ok(vec![Item::Integer(index)])
            }
            Tree::Total => Ok(scope.total.to_vec()),
            Tree::Variable(name) => variable::value(self, name, scope),
            Tree::Member { of: None, name } => self.first_member(name, scope.focus),
            Tree::Member { of: Some(of), name } => {
                let items = self.run(of, scope)?;
                self.member(name, &items)
            }
            Tree::Call {
                of,
                function,
                arguments,
            } => {
                let input = match of {
                    Some(of) => self.run(of, scope)?,
                    None => scope.focus.to_vec(),
                };
                self.spend(input.len())?;
                function.run(Call {
                    evaluator: self,
                    scope,
                    input,
                    arguments,
                })
            }
            Tree::Indexer(of, index) => {
                let items = self.run(of, scope)?;
                let index = self.run(index, scope)?;
                let index = match self.single(index)?.map(Item::plain) {
                    Some(Item::Integer(index)) => usize::try_from(index).ok(),
                    Some(_) => return Err(Error::evaluation("an index is an integer")),
                    None => None,
                };
                let item = index.and_then(|index| items.into_iter().nth(index));
                Ok(item.into_iter().collect())
            }
            Tree::Negative(of) => operator::negative(self.single(self.run(of, scope)?)?, true),
            Tree::Positive(of) => operator::negative(self.single(self.run(of, scope)?)?, false),
            Tree::Binary(operator, a, b) => self.binary(*operator, a, b, scope),
            Tree::Is(of, name) => {
                let item = self.single(self.run(of, scope)?)?;
                self.is_of(item, name)
            }
            Tree::As(of, name) => {
                let item = self.single(self.run(of, scope)?)?;
                self.of_type(item.into_iter().collect(), name)
            }
        }
    }

    /// A type name stands for the context when that is of the type.
    fn first_member(&self, name: &str, focus: &[Item<'a>]) -> Result<Collection<'a>> {
        let type_name = name.starts_with(|c: char| c.is_ascii_uppercase());
        match focus {
            [Item::Node(node)] if type_name => {
                let is = self.definitions.is_a(&node.of.name, name);
                Ok(if is { focus.to_vec() } else { Vec::new() })
            }
            _ => self.member(name, focus),
        }
    }

    fn member(&self, name: &str, items: &[Item<'a>]) -> Result<Collection<'a>> {
        let mut found = Vec::new();
        for item in items {
            match item {
                Item::Node(node) => navigate::named(self.definitions, node, name, &mut found),
                Item::Type {
                    namespace,
                    name: own,
                } => match name {
                    "namespace" => found.push(Item::String((*namespace).into())),
                    "name" => found.push(Item::String(own.clone())),
                    _ => {}
                },
                _ => {}
            }
        }
        self.spend(items.len() + found.len())?;
        Ok(found)
    }

    /// <http://hl7.org/fhirpath/N1/#singleton-evaluation-of-collections>
    pub(super) fn single(&self, items: Collection<'a>) -> Result<Option<Item<'a>>> {
        let mut items = items.into_iter();
        match (items.next(), items.next()) {
            (item, None) => Ok(item),
            _ => Err(Error::evaluation("one item was expected, not several")),
        }
    }

    /// A single item that is no boolean counts as true.
    pub(super) fn truth(&self, items: Collection<'a>) -> Result<Option<bool>> {
        Ok(self.single(items)?.map(|item| match item.plain() {
            Item::Boolean(value) => value,
            _ => true,
        }))
    }
}
