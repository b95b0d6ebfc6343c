//! What is fuzzed: each target takes any bytes, as a client could send them,
//! and must neither panic nor answer with a 500.

mod engine;
mod values;

pub type Target = fn(&[u8]);

pub const TARGETS: [(&str, Target); 6] = [
    ("query", values::query),
    ("date", values::date),
    ("reference", values::reference),
    ("quantity", values::quantity),
    ("bundle", engine::bundle),
    ("patch", engine::patch),
];
