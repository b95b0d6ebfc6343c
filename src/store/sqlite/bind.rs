//! Statements in SQLite's types.

use diesel::QueryResult;
use diesel::query_builder::{AstPass, QueryFragment};
use diesel::result::Error;
use diesel::sql_types::{BigInt, Nullable, SmallInt, Text};
use diesel::sqlite::Sqlite;

use crate::store::sql::{Bind, Statement};

impl<ST> QueryFragment<Sqlite> for Statement<ST> {
    fn walk_ast<'b>(&'b self, pass: AstPass<'_, 'b, Sqlite>) -> QueryResult<()> {
        self.walk(pass, push)
    }
}

fn push<'b>(pass: &mut AstPass<'_, 'b, Sqlite>, bind: &'b Bind) -> QueryResult<()> {
    match bind {
        Bind::Text(value) => pass.push_bind_param::<Text, _>(value),
        Bind::NullableText(value) => pass.push_bind_param::<Nullable<Text>, _>(value),
        Bind::Big(value) => pass.push_bind_param::<BigInt, _>(value),
        Bind::NullableBig(value) => pass.push_bind_param::<Nullable<BigInt>, _>(value),
        Bind::Small(value) => pass.push_bind_param::<SmallInt, _>(value),
        Bind::BigArray(_)
        | Bind::NullableBigArray(_)
        | Bind::SmallArray(_)
        | Bind::TextArray(_)
        | Bind::NullableTextArray(_) => {
            Err(Error::QueryBuilderError("SQLite has no arrays".into()))
        }
    }
}
