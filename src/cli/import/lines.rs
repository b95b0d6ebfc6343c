//! An NDJSON file, a chunk of lines at a time.

use std::collections::HashSet;
use std::io::{BufRead, BufReader, Read};

use super::Importer;
use super::files::Source;
use super::items::{self, Item};
use super::problem;
use super::tally::FileTally;
use crate::fhir::json::parse_object;

/// Resources, and about how many bytes, that make one transaction.
const CHUNK: usize = 500;
const CHUNK_BYTES: usize = 8 * 1024 * 1024;

pub async fn import(importer: &Importer, source: &Source, tally: &mut FileTally) {
    let mut lines = match source.open() {
        Ok(reader) => Lines::new(reader, importer),
        Err(error) => return tally.failed_whole(format!("cannot be read: {error}")),
    };
    loop {
        let chunk = tokio::task::block_in_place(|| lines.chunk(tally));
        if chunk.is_empty() {
            return;
        }
        items::import(importer, chunk, tally).await;
    }
}

struct Lines {
    reader: BufReader<Box<dyn Read + Send>>,
    number: usize,
    /// Read already, for the next chunk.
    waiting: Option<Item>,
    largest: usize,
    depth: usize,
    ended: bool,
}

impl Lines {
    fn new(reader: Box<dyn Read + Send>, importer: &Importer) -> Self {
        Self {
            reader: BufReader::new(reader),
            number: 0,
            waiting: None,
            largest: importer.largest,
            depth: importer.engine.settings.limits.depth,
            ended: false,
        }
    }

    /// The next resources, each identity at most once; none at the end.
    fn chunk(&mut self, tally: &mut FileTally) -> Vec<Item> {
        let mut items: Vec<Item> = Vec::new();
        let mut bytes = 0;
        let mut seen = HashSet::new();
        while items.len() < CHUNK && bytes < CHUNK_BYTES {
            let item = match self.waiting.take() {
                Some(item) => item,
                None => match self.item(tally, &mut bytes) {
                    Some(item) => item,
                    None => break,
                },
            };
            // A later line on the same resource is a later version.
            if item.key().is_some_and(|key| !seen.insert(key)) {
                self.waiting = Some(item);
                break;
            }
            items.push(item);
        }
        items
    }

    /// The next line that holds a resource; bad ones are put on record.
    fn item(&mut self, tally: &mut FileTally, bytes: &mut usize) -> Option<Item> {
        loop {
            let line = match self.line() {
                Ok(line) => line?,
                Err(problem) => {
                    self.ended = true;
                    tally.failed_line(self.number, problem);
                    return None;
                }
            };
            *bytes += line.len();
            if line.trim_ascii().is_empty() {
                continue;
            }
            match parse_object(&line, self.depth) {
                Ok(resource) => return Some(Item::new(format!("line {}", self.number), resource)),
                Err(failure) => tally.failed_line(self.number, problem::of_failure(&failure)),
            }
        }
    }

    fn line(&mut self) -> Result<Option<Vec<u8>>, String> {
        if self.ended {
            return Ok(None);
        }
        self.number += 1;
        let mut line = Vec::new();
        let limit = u64::try_from(self.largest)
            .unwrap_or(u64::MAX)
            .saturating_add(1);
        let length = (&mut self.reader)
            .take(limit)
            .read_until(b'\n', &mut line)
            .map_err(|error| format!("cannot be read: {error}; nothing behind it was read"))?;
        if length > self.largest {
            return Err(format!(
                "longer than {} bytes; nothing behind it was read; raise UNLOOP_MAX_BODY_BYTES",
                self.largest
            ));
        }
        self.ended = length == 0;
        Ok((!self.ended).then_some(line))
    }
}
