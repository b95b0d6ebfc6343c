//! Operators between two collections.
//! <http://hl7.org/fhirpath/N1/#operations>

use std::cmp::Ordering;

use super::arithmetic;
use super::compare::number;
use super::decimal::Decimal;
use super::error::{Error, Result};
use super::evaluate::{Evaluator, Scope};
use super::item::{Collection, Item};
use super::tree::{Operator, Tree};

pub(super) fn negative<'a>(item: Option<Item<'a>>, negate: bool) -> Result<Collection<'a>> {
    let Some(item) = item.map(Item::plain) else {
        return Ok(Vec::new());
    };
    let negated = match item {
        Item::Integer(_) | Item::Decimal(_) | Item::Quantity(_) if !negate => Some(item),
        Item::Integer(value) => value.checked_neg().map(Item::Integer),
        Item::Decimal(value) => value.negated().map(Item::Decimal),
        Item::Quantity(mut quantity) => quantity.value.negated().map(|value| {
            quantity.value = value;
            Item::Quantity(quantity)
        }),
        _ => return Err(Error::evaluation("only a number has a sign")),
    };
    Ok(negated.into_iter().collect())
}

/// A result, or the empty collection.
fn boolean<'a>(value: Option<bool>) -> Collection<'a> {
    value.map(Item::Boolean).into_iter().collect()
}

impl<'a> Evaluator<'a> {
    pub(super) fn binary(
        &self,
        operator: Operator,
        a: &'a Tree,
        b: &'a Tree,
        scope: &Scope<'_, 'a>,
    ) -> Result<Collection<'a>> {
        use Operator as O;
        let left = self.run(a, scope)?;
        if let O::And | O::Or | O::Xor | O::Implies = operator {
            let left = self.truth(left)?;
            // What the left side decides needs no right side.
            match (operator, left) {
                (O::And, Some(false)) => return Ok(boolean(Some(false))),
                (O::Or, Some(true)) | (O::Implies, Some(false)) => {
                    return Ok(boolean(Some(true)));
                }
                _ => {}
            }
            let right = self.truth(self.run(b, scope)?)?;
            return Ok(boolean(logic(operator, left, right)));
        }
        let right = self.run(b, scope)?;
        let not = |value: Option<bool>| value.map(|v| !v);
        Ok(match operator {
            O::Union => {
                let mut all = left;
                all.extend(right);
                self.distinct(all)?
            }
            O::Equal => boolean(self.equal_all(&left, &right)?),
            O::NotEqual => boolean(not(self.equal_all(&left, &right)?)),
            O::Equivalent => boolean(Some(self.equivalent_all(&left, &right)?)),
            O::NotEquivalent => boolean(Some(!self.equivalent_all(&left, &right)?)),
            O::In => boolean(self.member_of(left, &right)?),
            O::Contains => boolean(self.member_of(right, &left)?),
            O::Less | O::LessOrEqual | O::Greater | O::GreaterOrEqual => {
                let (Some(a), Some(b)) = (self.single(left)?, self.single(right)?) else {
                    return Ok(Vec::new());
                };
                let order = self.order(&a, &b)?;
                boolean(order.map(|order| match operator {
                    O::Less => order == Ordering::Less,
                    O::LessOrEqual => order != Ordering::Greater,
                    O::Greater => order == Ordering::Greater,
                    _ => order != Ordering::Less,
                }))
            }
            O::Concatenate => {
                let text = |items| -> Result<String> {
                    match self.single(items)?.map(Item::plain) {
                        Some(Item::String(text)) => Ok(text.into_owned()),
                        None => Ok(String::new()),
                        Some(_) => Err(Error::evaluation("& joins texts")),
                    }
                };
                let joined = text(left)? + &text(right)?;
                self.spend(joined.len() / 16)?;
                vec![Item::String(joined.into())]
            }
            _ => {
                let (Some(a), Some(b)) = (self.single(left)?, self.single(right)?) else {
                    return Ok(Vec::new());
                };
                let result = self.calculate(operator, a.plain(), b.plain())?;
                result.into_iter().collect()
            }
        })
    }

    fn member_of(&self, item: Collection<'a>, collection: &[Item<'a>]) -> Result<Option<bool>> {
        match self.single(item)? {
            Some(item) => Ok(Some(self.contains(collection, &item)?)),
            None => Ok(None),
        }
    }

    /// None where the result does not exist or does not fit.
    fn calculate(&self, operator: Operator, a: Item<'a>, b: Item<'a>) -> Result<Option<Item<'a>>> {
        use Operator as O;
        let quantity = |item: &Item<'a>| match item {
            Item::Quantity(quantity) => Some((**quantity).clone()),
            Item::Node(node) => node.quantity(self.definitions),
            _ => number(item).map(|value| super::quantity::Quantity {
                value,
                unit: "1".to_owned(),
            }),
        };
        match (&a, &b) {
            (Item::Integer(a), Item::Integer(b)) if operator != O::Divide => {
                return integers(operator, *a, *b);
            }
            (Item::String(a), Item::String(b)) if operator == O::Add => {
                self.spend((a.len() + b.len()) / 16)?;
                return Ok(Some(Item::String(format!("{a}{b}").into())));
            }
            (Item::Temporal(temporal), Item::Quantity(by)) if operator == O::Add => {
                let shifted = arithmetic::shifted(temporal, by, 1)?;
                return Ok(shifted.map(Item::Temporal));
            }
            (Item::Temporal(temporal), Item::Quantity(by)) if operator == O::Subtract => {
                let shifted = arithmetic::shifted(temporal, by, -1)?;
                return Ok(shifted.map(Item::Temporal));
            }
            _ => {}
        }
        if let (Some(a), Some(b)) = (number(&a), number(&b)) {
            return decimals(operator, a, b);
        }
        let (Some(a), Some(b)) = (quantity(&a), quantity(&b)) else {
            return Err(Error::evaluation("these two cannot be calculated with"));
        };
        let result = match operator {
            O::Multiply => a.times(&b),
            O::Divide => a.over(&b),
            O::Add | O::Subtract if a.unit == b.unit => {
                let value = match operator {
                    O::Add => a.value.add(b.value),
                    _ => a.value.subtract(b.value),
                };
                value.map(|value| super::quantity::Quantity { value, ..a })
            }
            _ => None,
        };
        Ok(result.map(|quantity| Item::Quantity(Box::new(quantity))))
    }
}

/// Three-valued. <http://hl7.org/fhirpath/N1/#boolean-logic>
fn logic(operator: Operator, a: Option<bool>, b: Option<bool>) -> Option<bool> {
    match (operator, a, b) {
        (Operator::And, Some(false), _) | (Operator::And, _, Some(false)) => Some(false),
        (Operator::Or, Some(true), _) | (Operator::Or, _, Some(true)) => Some(true),
        (Operator::Implies, Some(false), _) | (Operator::Implies, _, Some(true)) => Some(true),
        (_, None, _) | (_, _, None) => None,
        (Operator::And, Some(a), Some(b)) => Some(a && b),
        (Operator::Or, Some(a), Some(b)) => Some(a || b),
        (Operator::Xor, Some(a), Some(b)) => Some(a != b),
        (_, Some(a), Some(b)) => Some(!a || b),
    }
}

fn integers<'a>(operator: Operator, a: i64, b: i64) -> Result<Option<Item<'a>>> {
    let result = match operator {
        Operator::Add => a.checked_add(b),
        Operator::Subtract => a.checked_sub(b),
        Operator::Multiply => a.checked_mul(b),
        Operator::Div => a.checked_div(b),
        Operator::Mod => a.checked_rem(b),
        _ => return Err(Error::evaluation("no such calculation with integers")),
    };
    Ok(result.map(Item::Integer))
}

fn decimals<'a>(operator: Operator, a: Decimal, b: Decimal) -> Result<Option<Item<'a>>> {
    let result = match operator {
        Operator::Add => a.add(b),
        Operator::Subtract => a.subtract(b),
        Operator::Multiply => a.multiply(b),
        Operator::Divide => a.divide(b),
        Operator::Mod => a.remainder(b),
        Operator::Div => {
            let whole = a.quotient(b).and_then(|n| i64::try_from(n).ok());
            return Ok(whole.map(Item::Integer));
        }
        _ => return Err(Error::evaluation("no such calculation with decimals")),
    };
    Ok(result.map(Item::Decimal))
}
