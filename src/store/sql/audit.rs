//! The questions on the audit trail, and how a chain's end is kept.

use diesel::sql_types::{BigInt, Nullable, Text};

use super::statement::{Bind, Sql, Statement};
use crate::store::audit::{AuditEntry, Chain, ChainPlace};

/// `began, after_writer, after_position, after_hash, writer, position, hash`.
pub type ChainSql = (BigInt, Nullable<Text>, BigInt, Text, Text, BigInt, Text);
pub type ChainRow = (i64, Option<String>, i64, String, String, i64, String);

/// `position, made, record, hash`.
pub type EntrySql = (BigInt, BigInt, Text, Text);
pub type EntryRow = (i64, i64, String, String);

const CHAINS: &str = "SELECT began, after_writer, after_position, after_hash, writer, position, hash \
     FROM audit_writer";

/// The oldest first.
pub fn chains() -> Statement<ChainSql> {
    let mut sql = Sql::new(CHAINS);
    sql.sql(" ORDER BY began, writer");
    sql.rows()
}

pub fn newest_chain() -> Statement<ChainSql> {
    let mut sql = Sql::new(CHAINS);
    sql.sql(" ORDER BY began DESC, writer DESC LIMIT 1");
    sql.rows()
}

/// How long a writer's chain is.
pub fn position(writer: &str) -> Statement<BigInt> {
    let mut sql = Sql::new("SELECT position FROM audit_writer WHERE writer = ");
    sql.text(writer);
    sql.rows()
}

pub fn chain(row: ChainRow) -> Chain {
    let (began, after_writer, after_position, after_hash, writer, position, hash) = row;
    Chain {
        began,
        after: after_writer.map(|writer| ChainPlace {
            writer,
            position: after_position,
            hash: after_hash,
        }),
        end: ChainPlace {
            writer,
            position,
            hash,
        },
    }
}

pub fn entries(writer: &str, after: i64, limit: usize) -> Statement<EntrySql> {
    let mut sql = Sql::new("SELECT position, made, record, hash FROM audit WHERE writer = ");
    sql.text(writer).sql(" AND position > ").big(after);
    sql.sql(" ORDER BY position LIMIT ");
    sql.big(i64::try_from(limit).unwrap_or(i64::MAX));
    sql.rows()
}

pub fn entry((position, made, record, hash): EntryRow) -> AuditEntry {
    AuditEntry {
        position,
        made,
        record,
        hash,
    }
}

/// Keeps the chain's end, and its beginning where it is new.
pub fn keep_end(sql: &mut Sql, chain: &Chain) {
    let after = chain.after.as_ref();
    sql.sql(
        "INSERT INTO audit_writer \
         (writer, began, after_writer, after_position, after_hash, position, hash) VALUES (",
    );
    sql.text(chain.end.writer.as_str());
    sql.sql(", ").big(chain.began);
    let after_writer = after.map(|after| after.writer.clone());
    sql.sql(", ").bind(Bind::NullableText(after_writer));
    sql.sql(", ").big(after.map_or(0, |after| after.position));
    let after_hash = after.map_or("", |after| &after.hash);
    sql.sql(", ").text(after_hash);
    sql.sql(", ").big(chain.end.position);
    sql.sql(", ").text(chain.end.hash.as_str());
    sql.sql(
        ") ON CONFLICT (writer) DO UPDATE SET position = excluded.position, hash = excluded.hash",
    );
}
