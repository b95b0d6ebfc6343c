//! The end of an import: what became of it, by type, and what failed.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Instant;

use super::tally::{Counts, FileTally};

pub struct Report {
    started: Instant,
    files: usize,
    by_type: BTreeMap<String, Counts>,
    unconditional: usize,
    /// Files with problems only, so that memory does not grow with the import.
    failed: Vec<FileTally>,
}

impl Default for Report {
    fn default() -> Self {
        Self {
            started: Instant::now(),
            files: 0,
            by_type: BTreeMap::new(),
            unconditional: 0,
            failed: Vec::new(),
        }
    }
}

impl Report {
    pub fn add(&mut self, file: FileTally) {
        self.files += 1;
        self.unconditional += file.unconditional;
        for (name, counts) in &file.by_type {
            *self.by_type.entry(name.clone()).or_default() += *counts;
        }
        if !file.problems.is_empty() {
            self.failed.push(file);
        }
    }

    pub fn has_failures(&self) -> bool {
        !self.failed.is_empty()
    }

    fn total(&self) -> Counts {
        let mut total = Counts::default();
        for counts in self.by_type.values() {
            total += *counts;
        }
        total
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let total = self.total();
        writeln!(
            f,
            "{:<34} {:>8} {:>8} {:>9} {:>8} {:>8}",
            "type", "created", "updated", "unchanged", "deleted", "failed"
        )?;
        for (name, counts) in &self.by_type {
            row(f, name, counts)?;
        }
        row(f, "total", &total)?;
        let written = total.created + total.updated + total.deleted;
        let seconds = self.started.elapsed().as_secs_f64();
        let files = plural(self.files, "file");
        write!(
            f,
            "{files}, {} written in {seconds:.1} s",
            plural(written, "resource")
        )?;
        if !self.failed.is_empty() {
            write!(f, "\n{} with problems:", plural(self.failed.len(), "file"))?;
        }
        for file in &self.failed {
            for problem in &file.problems {
                write!(f, "\n  {}: {problem}", file.name)?;
            }
            if file.more_problems > 0 {
                write!(f, "\n  {}: and {} more", file.name, file.more_problems)?;
            }
        }
        if self.unconditional > 0 {
            write!(
                f,
                "\nRepeating this import creates {} again: they were sent by POST without ifNoneExist.",
                plural(self.unconditional, "resource")
            )?;
        }
        Ok(())
    }
}

fn row(f: &mut fmt::Formatter<'_>, name: &str, counts: &Counts) -> fmt::Result {
    writeln!(
        f,
        "{name:<34} {:>8} {:>8} {:>9} {:>8} {:>8}",
        counts.created, counts.updated, counts.unchanged, counts.deleted, counts.failed
    )
}

fn plural(count: usize, noun: &str) -> String {
    if count == 1 {
        format!("1 {noun}")
    } else {
        format!("{count} {noun}s")
    }
}
