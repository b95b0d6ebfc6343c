//! How large and how deep a document may become while it is patched. A `copy` of
//! a JSON Patch can double a document; forty of them fill any memory.
//!
//! Every way that makes a new document out of a stored one ends with
//! [`DocumentBound::refuse_oversized`].

use json_patch::PatchOperation;
use serde_json::Value;

use super::super::engine::Limits;
use super::super::outcome::{Failure, Kind};

/// The bounds of one document.
#[derive(Clone, Copy, Debug)]
pub struct DocumentBound {
    nodes: u64,
    bytes: u64,
    depth: usize,
}

/// How much a document has, and what patching has added to it. What is removed is
/// not taken off: it has cost its copy.
#[derive(Clone, Copy, Debug)]
pub struct DocumentGrowth {
    bound: DocumentBound,
    size: DocumentSize,
}

#[derive(Clone, Copy, Debug, Default)]
struct DocumentSize {
    nodes: u64,
    bytes: u64,
    depth: usize,
}

impl DocumentBound {
    pub fn from_limits(limits: &Limits) -> Self {
        Self {
            nodes: limits.nodes,
            bytes: u64::try_from(limits.document).unwrap_or(u64::MAX),
            depth: limits.depth,
        }
    }

    /// Refuses a document that is larger than one that could be sent.
    pub fn refuse_oversized(&self, document: &Value) -> Result<(), Failure> {
        self.measure(document).map(drop)
    }

    pub fn measure(&self, document: &Value) -> Result<DocumentGrowth, Failure> {
        let size = size_of(document);
        self.refuse(size)?;
        Ok(DocumentGrowth { bound: *self, size })
    }

    fn refuse(&self, size: DocumentSize) -> Result<(), Failure> {
        let Self {
            nodes,
            bytes,
            depth,
        } = self;
        let what = if size.depth > *depth {
            format!("nested deeper than {depth} levels")
        } else if size.nodes > *nodes {
            format!("one of more than {nodes} values")
        } else if size.bytes > *bytes {
            format!("larger than {bytes} bytes")
        } else {
            return Ok(());
        };
        let text = format!(
            "The patch makes the document {what}. Nothing was changed; copy or add less at a time."
        );
        Err(Failure::new(Kind::TooLarge, text))
    }
}

impl DocumentGrowth {
    /// Before the operation is done to the document.
    pub fn add_operation(
        &mut self,
        document: &Value,
        operation: &PatchOperation,
    ) -> Result<(), Failure> {
        let value = match operation {
            PatchOperation::Add(add) => Some(&add.value),
            PatchOperation::Replace(replace) => Some(&replace.value),
            PatchOperation::Copy(copy) => document.pointer(copy.from.as_str()),
            PatchOperation::Move(moved) => document.pointer(moved.from.as_str()),
            PatchOperation::Remove(_) | PatchOperation::Test(_) => None,
        };
        let Some(value) = value else {
            return Ok(());
        };
        let added = size_of(value);
        let path = operation.path().as_str();
        let deepest = path.matches('/').count().saturating_add(added.depth);
        self.size.depth = self.size.depth.max(deepest);
        if !matches!(operation, PatchOperation::Move(_)) {
            self.size.nodes = self.size.nodes.saturating_add(added.nodes);
            self.size.bytes = self.size.bytes.saturating_add(added.bytes);
        }
        self.bound.refuse(self.size)
    }
}

/// Values, about the bytes of their JSON, and nested objects and arrays. The
/// documents are bounded in depth, by the parser or by this.
fn size_of(value: &Value) -> DocumentSize {
    let mut size = DocumentSize {
        nodes: 1,
        bytes: 1,
        depth: 0,
    };
    match value {
        Value::Null | Value::Bool(_) => size.bytes += 4,
        Value::Number(number) => size.bytes += length(number.as_str()),
        Value::String(text) => size.bytes += length(text) + 2,
        Value::Array(items) => {
            let deepest = items.iter().map(|item| size.add(size_of(item))).max();
            size.depth = deepest.unwrap_or(0) + 1;
        }
        Value::Object(members) => {
            let deepest = members.iter().map(|(name, value)| {
                size.bytes += length(name) + 3;
                size.add(size_of(value))
            });
            size.depth = deepest.max().unwrap_or(0) + 1;
        }
    }
    size
}

fn length(text: &str) -> u64 {
    u64::try_from(text.len()).unwrap_or(u64::MAX)
}

impl DocumentSize {
    /// Answers the depth of the part.
    fn add(&mut self, part: Self) -> usize {
        self.nodes = self.nodes.saturating_add(part.nodes);
        self.bytes = self.bytes.saturating_add(part.bytes);
        part.depth
    }
}
