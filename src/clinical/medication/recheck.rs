//! Judges every stored record again after a change of the rules, a piece at a
//! time. Where a record's findings are other ones now, they are written through the
//! rule that all writes pass, so that whoever writes meanwhile is not overtaken. How
//! far it is stands in the store: stopped at any time, it goes on there.

use super::made::{self, JUDGED, Reached};
use super::watch::MedicationWatch;
use crate::fhir::authority::Authority;
use crate::fhir::engine::Engine;
use crate::fhir::operation::{Records, Version};
use crate::fhir::outcome::{Failure, Kind};
use crate::fhir::write_error::WriteError;

/// How `Authority::actor` names who judges again.
pub const RECHECK: &str = "recheck";

/// Records that are looked at in one piece.
const PIECE: usize = 100;
/// Others write meanwhile.
const ATTEMPTS: usize = 8;

pub const KINDS: usize = JUDGED.len();

/// What one piece did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Piece {
    pub records: usize,
    /// Findings that were written, changed or resolved.
    pub changed: usize,
    /// Types of records that are done, of [`KINDS`].
    pub kinds: usize,
    /// Nothing is left to do.
    pub last: bool,
}

impl MedicationWatch {
    /// The next piece of a recheck.
    pub async fn recheck(
        &self,
        engine: &Engine,
        authority: &dyn Authority,
    ) -> Result<Piece, Failure> {
        let version = &self.rules().knowledge.version;
        let (made, mark) = made::read(engine, version).await?;
        let made = made.and_by(version);
        let start = Reached {
            version: version.clone(),
            resource_type: JUDGED.first().copied().unwrap_or_default().to_owned(),
            after: String::new(),
        };
        let reached = made.recheck.clone().filter(|one| one.version == *version);
        let fresh = reached.is_none();
        let reached = reached.unwrap_or(start);
        if fresh {
            // Before anything is written by these rules it has to be known.
            let mut begun = made;
            begun.recheck = Some(reached);
            made::write(engine, &begun, mark.as_ref()).await?;
            return Ok(Piece::default());
        }
        let records = Records::all(engine);
        let name = reached.resource_type.as_str();
        let (page, more) = match engine.exposes(name) {
            true => records.page(name, &reached.after, PIECE).await?,
            false => (Vec::new(), false),
        };
        let mut piece = Piece {
            records: page.len(),
            ..Piece::default()
        };
        let last = page.last().map(|one| one.key.id.clone());
        piece.changed = self.judge_again(engine, authority, page).await?;
        let mut after = made;
        after.recheck = match last.filter(|_| more) {
            Some(last) => Some(Reached {
                after: last,
                ..reached
            }),
            None => next(name).map(|name| Reached {
                version: version.clone(),
                resource_type: name.to_owned(),
                after: String::new(),
            }),
        };
        if after.recheck.is_none() {
            after.by = vec![version.clone()];
        }
        // Whoever wrote by other rules meanwhile has made it begin anew.
        let noted = made::write(engine, &after, mark.as_ref()).await?;
        piece.last = noted && after.recheck.is_none();
        piece.kinds = match &after.recheck {
            None => KINDS,
            Some(reached) => {
                let mut kinds = JUDGED.iter();
                let place = kinds.position(|kind| **kind == reached.resource_type);
                place.unwrap_or_default()
            }
        };
        Ok(piece)
    }

    /// How many findings of these records had to be written.
    async fn judge_again(
        &self,
        engine: &Engine,
        authority: &dyn Authority,
        mut page: Vec<Version>,
    ) -> Result<usize, Failure> {
        let records = Records::all(engine);
        for _ in 0..ATTEMPTS {
            let drafts = self.outdated(engine, &page).await?;
            if drafts.is_empty() {
                return Ok(0);
            }
            let count = drafts.len();
            match engine.write(authority, drafts).await {
                Ok(_) => return Ok(count),
                Err(WriteError::Failure(failure)) if failure.kind != Kind::BusinessRule => {
                    return Err(failure);
                }
                // A record or a finding is another one now: look again.
                Err(_) => {}
            }
            let mut current = Vec::new();
            for one in &page {
                current.extend(records.find(&one.key).await?);
            }
            page = current;
        }
        let text = "The records change faster than they can be judged again. Run it again later.";
        Err(Failure::new(Kind::Conflict, text))
    }
}

fn next(name: &str) -> Option<&'static str> {
    let mut later = JUDGED.iter().skip_while(|one| **one != name);
    later.nth(1).copied()
}
