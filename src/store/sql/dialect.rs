//! The few places where the two stores write SQL differently.

use super::filter::Part;
use super::link::{Far, Linked};
use super::statement::Sql;
use crate::store::{Bounds, Comparison, IndexKey, ResourceKey, StoreError};

/// What a test on a fact may use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reach {
    /// Something else already leads to few rows: look at each of them, and do
    /// not open the index of all facts.
    Row,
    /// The planner may choose.
    Open,
}

/// What leads a search to its rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lead {
    /// Nothing known: the planner may choose.
    Open,
    /// The owner.
    Owner,
    /// An id, or one of several owners and ids.
    Few,
    /// The clinical time of a type, by the index that a store names; where its planner
    /// chooses the index, such a time is a [`Self::Part`].
    Moment,
    /// The fact, text or date in this part of the conditions.
    Part(usize),
}

/// A condition that leads to the rows.
pub enum Leader<'p> {
    Is(&'p Comparison),
    /// At least one of several ranges.
    Ranges(&'p [(IndexKey, Bounds)]),
    Link(&'p Linked<'p>),
}

/// `r` is always the row of `resource` that is judged.
pub trait Dialect {
    /// Chooses what leads, where it is neither owner nor id. A store whose
    /// planner knows its data leaves it open.
    fn lead(&self, _parts: &[Part<'_>]) -> Result<Lead, StoreError> {
        Ok(Lead::Open)
    }

    /// Whether a history is led by these facts. A store whose planner knows its
    /// data leaves it open.
    fn leads_a_history(&self, _keys: &[IndexKey]) -> Result<bool, StoreError> {
        Ok(true)
    }

    /// Whether the planner chooses from which table a join begins.
    fn orders_joins(&self) -> bool {
        true
    }

    /// The table `resource r`, with what the planner must be told.
    fn resource(&self, _lead: Lead) -> &'static str {
        "resource r"
    }

    /// The type of a row as a column that an index of types must not serve,
    /// where something else leads to the rows anyway.
    fn type_beside_leader(&self) -> &'static str {
        "r.type"
    }

    /// Appends the condition that leads to the rows, which are of these types
    /// where any are named.
    fn write_leader(
        &self,
        sql: &mut Sql,
        leader: Leader<'_>,
        types: &[String],
    ) -> Result<(), StoreError>;

    /// Brackets around a `SELECT` of numbers that a column must be among; few
    /// ones, where something known leads to them.
    fn among(&self, _few: bool) -> [&'static str; 2] {
        [" IN (", ")"]
    }

    /// `column` is one of two or more numbers.
    fn one_of_numbers(&self, sql: &mut Sql, column: &'static str, values: Vec<i64>);

    /// `column` is one of two or more texts.
    fn one_of_texts(&self, sql: &mut Sql, column: &'static str, values: Vec<String>);

    /// `r` has at least one of the facts; there is at least one.
    fn has_key(&self, sql: &mut Sql, keys: &[IndexKey], reach: Reach);

    /// `r` has the fact by which it refers to one of the resources.
    fn has_key_to(
        &self,
        sql: &mut Sql,
        key: IndexKey,
        far: &Far<'_>,
        reach: Reach,
    ) -> Result<(), StoreError>;

    /// A `SELECT` of the identities that the resources refer to; among them
    /// are numbers that are no identities.
    fn keys_of(&self, sql: &mut Sql, key: IndexKey, far: &Far<'_>) -> Result<(), StoreError>;

    /// The number combined with a column of numbers.
    fn exclusive_or(&self, sql: &mut Sql, number: i64, column: &'static str);

    /// `column` contains the text, compared bytewise.
    fn contains(&self, sql: &mut Sql, column: &'static str, text: &str);

    /// The first of these names that `r.ordering` has, or NULL; compared and
    /// ordered bytewise.
    fn order_value(&self, sql: &mut Sql, names: &[String]);

    /// The name of the function that makes a JSON array of its arguments.
    fn json_array(&self) -> &'static str;

    /// A table `w(n, type, id)` of the keys, where `n` counts from 1.
    fn key_table(&self, sql: &mut Sql, keys: &[ResourceKey]);
}
