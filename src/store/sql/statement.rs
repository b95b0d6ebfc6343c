//! A statement put together at run time whose prepared form is still kept.
//!
//! Diesel never keeps what `sql_query` prepares, which costs more than most of
//! our queries; [`Statement`] is kept by its text instead.

use std::borrow::Cow;
use std::collections::HashSet;
use std::collections::hash_map::DefaultHasher;
use std::hash::{Hash, Hasher};
use std::marker::PhantomData;
use std::sync::{Mutex, PoisonError};

use diesel::QueryResult;
use diesel::backend::Backend;
use diesel::query_builder::{AstPass, Query, QueryId};
use diesel::sql_types::Untyped;

/// A statement of a client's shape with more binds than this is prepared anew.
const KEPT_BINDS: usize = 16;

/// How many client-made shapes the process keeps prepared. Without a bound a
/// client could fill the memory with statements.
const KEPT_SHAPES: usize = 256;

static SHAPES: Mutex<Option<HashSet<u64>>> = Mutex::new(None);

/// A value for a placeholder. Arrays exist on PostgreSQL only.
#[derive(Clone, Debug, PartialEq)]
pub enum Bind {
    Text(String),
    NullableText(Option<String>),
    Big(i64),
    NullableBig(Option<i64>),
    Small(i16),
    BigArray(Vec<i64>),
    NullableBigArray(Vec<Option<i64>>),
    SmallArray(Vec<i16>),
    TextArray(Vec<String>),
    NullableTextArray(Vec<Option<String>>),
}

impl Bind {
    fn without_nul(self) -> Self {
        match self {
            Self::Text(text) => Self::Text(visible(text)),
            Self::NullableText(text) => Self::NullableText(text.map(visible)),
            Self::TextArray(texts) => Self::TextArray(texts.into_iter().map(visible).collect()),
            Self::NullableTextArray(texts) => {
                let texts = texts.into_iter().map(|text| text.map(visible));
                Self::NullableTextArray(texts.collect())
            }
            number => number,
        }
    }
}

fn visible(text: String) -> String {
    if text.contains('\0') {
        text.replace('\0', "\u{fffd}")
    } else {
        text
    }
}

#[derive(Clone, Debug, PartialEq)]
enum Piece {
    Text(Cow<'static, str>),
    Bind(Bind),
}

/// Text and binds, in the order in which they stand.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Sql {
    pieces: Vec<Piece>,
    open: bool,
}

impl Sql {
    pub fn new(text: impl Into<Cow<'static, str>>) -> Self {
        let mut sql = Self::default();
        sql.sql(text);
        sql
    }

    /// Appends text of this program, never text of a client.
    pub fn sql(&mut self, text: impl Into<Cow<'static, str>>) -> &mut Self {
        self.pieces.push(Piece::Text(text.into()));
        self
    }

    /// Appends a placeholder and its value.
    pub fn bind(&mut self, bind: Bind) -> &mut Self {
        self.pieces.push(Piece::Bind(bind));
        self
    }

    /// Appends what stands in the other one.
    pub fn append(&mut self, other: Self) -> &mut Self {
        self.pieces.extend(other.pieces);
        self.open |= other.open;
        self
    }

    /// Says that nothing known leads to the rows of some question in here.
    pub fn leave_open(&mut self) {
        self.open = true;
    }

    /// Whether the best way to the rows depends on how frequent the values are.
    pub fn is_open(&self) -> bool {
        self.open
    }

    pub fn text(&mut self, value: impl Into<String>) -> &mut Self {
        self.bind(Bind::Text(value.into()))
    }

    pub fn big(&mut self, value: i64) -> &mut Self {
        self.bind(Bind::Big(value))
    }

    /// A statement of the program's own shape: kept prepared. `ST` is the SQL
    /// type of its rows.
    pub fn rows<ST>(self) -> Statement<ST> {
        Statement {
            sql: self,
            keep: true,
            row: PhantomData,
        }
    }

    /// The same for a statement without rows.
    pub fn command(self) -> Statement<Untyped> {
        self.rows()
    }

    /// A statement whose shape depends on what a client asks: kept prepared
    /// as long as it is small and there is room.
    pub fn rows_of_client<ST>(self) -> Statement<ST> {
        let keep = self.binds() <= KEPT_BINDS && self.has_room();
        Statement {
            sql: self,
            keep,
            row: PhantomData,
        }
    }

    fn binds(&self) -> usize {
        let is_bind = |piece: &&Piece| matches!(piece, Piece::Bind(_));
        self.pieces.iter().filter(is_bind).count()
    }

    fn has_room(&self) -> bool {
        let mut hasher = DefaultHasher::new();
        for piece in &self.pieces {
            match piece {
                Piece::Text(text) => text.hash(&mut hasher),
                Piece::Bind(bind) => std::mem::discriminant(bind).hash(&mut hasher),
            }
        }
        let shape = hasher.finish();
        let mut shapes = SHAPES.lock().unwrap_or_else(PoisonError::into_inner);
        let shapes = shapes.get_or_insert_default();
        shapes.contains(&shape) || (shapes.len() < KEPT_SHAPES && shapes.insert(shape))
    }
}

/// A finished [`Sql`], ready to run like any Diesel query.
#[derive(Debug)]
pub struct Statement<ST = Untyped> {
    sql: Sql,
    keep: bool,
    row: PhantomData<fn() -> ST>,
}

/// Not derived: the type of the rows need not be one that can be copied.
impl<ST> Clone for Statement<ST> {
    fn clone(&self) -> Self {
        Self {
            sql: self.sql.clone(),
            keep: self.keep,
            row: PhantomData,
        }
    }
}

impl<ST> Statement<ST> {
    /// As [`Sql::is_open`].
    pub fn is_open(&self) -> bool {
        self.sql.open
    }

    /// The same with U+FFFD for every U+0000, which PostgreSQL's texts cannot hold.
    pub fn without_nul(mut self) -> Self {
        let pieces = self.sql.pieces.into_iter().map(|piece| match piece {
            Piece::Bind(bind) => Piece::Bind(bind.without_nul()),
            text => text,
        });
        self.sql.pieces = pieces.collect();
        self
    }

    /// What each adapter's `QueryFragment` does; `push` binds one value in
    /// the backend's own types.
    pub fn walk<'b, DB: Backend>(
        &'b self,
        mut pass: AstPass<'_, 'b, DB>,
        push: fn(&mut AstPass<'_, 'b, DB>, &'b Bind) -> QueryResult<()>,
    ) -> QueryResult<()> {
        if !self.keep {
            pass.unsafe_to_cache_prepared();
        }
        for piece in &self.sql.pieces {
            match piece {
                Piece::Text(text) => pass.push_sql(text),
                Piece::Bind(bind) => push(&mut pass, bind)?,
            }
        }
        Ok(())
    }
}

impl<ST> QueryId for Statement<ST> {
    type QueryId = ();
    const HAS_STATIC_QUERY_ID: bool = false;
}

impl<ST> Query for Statement<ST> {
    type SqlType = ST;
}

impl<ST, Conn> diesel::RunQueryDsl<Conn> for Statement<ST> {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_client_cannot_make_the_process_keep_shapes_without_bound() {
        let kept = (0..KEPT_SHAPES * 4)
            .filter(|n| Sql::new(format!("SELECT {n}")).rows_of_client::<()>().keep)
            .count();
        assert!(kept <= KEPT_SHAPES);
        assert!(Sql::new("SELECT 'ours'").command().keep);
    }

    #[test]
    fn a_statement_with_many_binds_is_not_kept() {
        let mut sql = Sql::new("SELECT 0");
        for n in 0..=KEPT_BINDS {
            sql.sql(" + ").big(n as i64);
        }
        assert!(!sql.rows_of_client::<()>().keep);
    }
}
