//! Which medicines go with ketamine. Read in this order: `verdict`, `names` and
//! `resolve` (what a medicine is), `record` (whether it is taken), `check`
//! (what the rules say). These are pure; `gather`, `operation` and `watch` read
//! and write records, `made` and `recheck` bring stored findings to other rules.

mod allergen;
mod answer;
pub mod check;
mod compatibility;
pub mod gather;
mod guard;
mod issue;
mod issue_drafts;
mod made;
pub mod names;
mod proposal;
mod recheck;
pub mod record;
pub mod resolve;
mod verdict;
mod watch;

pub use check::{Assessment, Finding, Question, Rules, Setting, assess};
pub use compatibility::{
    AGENTS, COMPATIBILITY, MedicationCompatibility, NOTHING_RECORDED, medicines_of,
};
pub use guard::as_it_stands;
pub use issue::{is_overridden, key as issue_key, rule_system};
pub use made::{Made, made};
pub use proposal::{CHECK, MedicationCheck};
pub use recheck::{KINDS, Piece};
pub use verdict::Verdict;
pub use watch::MedicationWatch;
