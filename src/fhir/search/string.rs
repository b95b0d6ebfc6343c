//! Text without case, accents and spacing.
//! <https://hl7.org/fhir/R4/search.html#string>

use serde_json::Value;
use unicode_normalization::{UnicodeNormalization, char::is_combining_mark};

use super::path::items;

/// Longer texts are searched by their beginning, and longer values by theirs.
pub const LIMIT: usize = 256;

/// Bytes of UTF-8.
const LONGEST_LETTER: usize = 4;

/// The parts of a HumanName and of an Address that are searched.
const PARTS: [&str; 11] = [
    "text",
    "family",
    "given",
    "prefix",
    "suffix",
    "line",
    "city",
    "district",
    "state",
    "postalCode",
    "country",
];

pub fn fold(text: &str) -> String {
    let mut folded = String::with_capacity(text.len().min(LIMIT));
    for word in text.split(|c: char| c.is_whitespace() || c == '\0') {
        let end = folded.len();
        if end > 0 {
            folded.push(' ');
        }
        let begin = folded.len();
        if word.is_ascii() {
            folded.extend(word.chars().map(|c| c.to_ascii_lowercase()));
        } else {
            let letters = word.nfkd().flat_map(char::to_lowercase);
            folded.extend(letters.flat_map(letter));
        }
        if folded.len() == begin {
            folded.truncate(end);
        }
        if folded.len() > LIMIT * LONGEST_LETTER {
            break;
        }
    }
    if let Some((end, _)) = folded.char_indices().nth(LIMIT) {
        folded.truncate(end);
    }
    folded
}

/// A final sigma is a sigma, and a sharp s is written as two in capitals.
/// <https://www.unicode.org/Public/UCD/latest/ucd/CaseFolding.txt>
fn letter(c: char) -> impl Iterator<Item = char> {
    let letters: [Option<char>; 2] = match c {
        'ς' => [Some('σ'), None],
        'ß' => [Some('s'), Some('s')],
        c if is_combining_mark(c) => [None, None],
        c => [Some(c), None],
    };
    letters.into_iter().flatten()
}

/// The beginning of a text that is searched as it is.
pub fn cut(text: &str) -> String {
    text.chars().filter(|c| *c != '\0').take(LIMIT).collect()
}

/// The texts of a string, a HumanName or an Address.
pub fn texts(value: &Value) -> Vec<&str> {
    parts(value, &PARTS)
}

/// The string, or these parts of what is made of several.
pub fn parts<'v>(value: &'v Value, names: &[&str]) -> Vec<&'v str> {
    match value {
        Value::String(text) => vec![text],
        Value::Object(object) => names
            .iter()
            .flat_map(|part| items(object, part))
            .filter_map(Value::as_str)
            .collect(),
        _ => Vec::new(),
    }
}
