//! The audit trail's rows of a batch, in one chain.

use diesel_async::{AsyncPgConnection, RunQueryDsl};

use super::fault::Fault;
use super::parts::{Parts, select_unnest};
use crate::store::ChainKey;
use crate::store::audit::{AuditEntry, AuditRow, Growing};
use crate::store::sql::Bind;
use crate::store::sql::audit::{self, ChainRow};

/// What a batch appends, and where the chain then ends.
pub(super) struct Appended {
    pub chain: Growing,
    entries: Vec<AuditEntry>,
}

/// A new chain, which begins behind the newest there is.
pub(super) async fn begin(
    mut connection: &AsyncPgConnection,
    key: Option<&ChainKey>,
    began: i64,
) -> Result<Growing, Fault> {
    let newest: Vec<ChainRow> = RunQueryDsl::load(audit::newest_chain(), &mut connection).await?;
    let newest = newest.into_iter().next().map(audit::chain);
    Ok(Growing::begin(key, began, newest)?)
}

impl Appended {
    pub fn to(chain: Growing) -> Self {
        Self {
            chain,
            entries: Vec::new(),
        }
    }

    pub fn push(&mut self, made: i64, row: &AuditRow) {
        // What the database cannot hold must not be hashed either.
        let record = row.record.replace('\0', "\u{fffd}");
        self.entries
            .push(self.chain.append(made, AuditRow { record }));
    }

    pub fn write(self, parts: &mut Parts) {
        let mut numbers = (Vec::new(), Vec::new());
        let mut texts = (Vec::new(), Vec::new(), Vec::new());
        for entry in self.entries {
            numbers.0.push(entry.position);
            numbers.1.push(entry.made);
            texts.0.push(self.chain.writer().to_owned());
            texts.1.push(entry.record);
            texts.2.push(entry.hash);
        }
        let sql = parts.next();
        sql.sql("INSERT INTO audit (position, made, writer, record, hash)");
        select_unnest(
            sql,
            [numbers.0, numbers.1].map(Bind::BigArray),
            [texts.0, texts.1, texts.2].map(Bind::TextArray),
        );
        audit::keep_end(parts.next(), &self.chain.kept());
    }
}
