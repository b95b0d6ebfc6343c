//! Texts. <http://hl7.org/fhirpath/N1/#string-manipulation>
//!
//! A missing input or argument makes the answer empty.

use std::borrow::Cow;
use std::cell::RefCell;
use std::collections::HashMap;

use regex_lite::Regex;

use super::Table;
use super::call::{Call, boolean, empty, integer, string};
use crate::fhir::fhirpath::error::{Error, Result};
use crate::fhir::fhirpath::item::{Collection, Item};

/// Patterns kept compiled on each thread.
const KEPT_PATTERNS: usize = 64;

pub const TABLE: Table = &[
    ("indexOf", 1, 1, index_of),
    ("lastIndexOf", 1, 1, last_index_of),
    ("substring", 1, 2, substring),
    ("startsWith", 1, 1, |call| {
        with(&call, |text, part| boolean(text.starts_with(part)))
    }),
    ("endsWith", 1, 1, |call| {
        with(&call, |text, part| boolean(text.ends_with(part)))
    }),
    ("contains", 1, 1, |call| {
        with(&call, |text, part| boolean(text.contains(part)))
    }),
    ("upper", 0, 0, |call| map(&call, |text| text.to_uppercase())),
    ("lower", 0, 0, |call| map(&call, |text| text.to_lowercase())),
    ("trim", 0, 0, |call| {
        map(&call, |text| text.trim().to_owned())
    }),
    ("length", 0, 0, |call| match call.text()? {
        Some(text) => integer(text.chars().count()),
        None => empty(),
    }),
    ("toChars", 0, 0, |call| {
        let text = call.text()?.unwrap_or_default();
        call.evaluator.spend(text.len())?;
        Ok(text
            .chars()
            .map(|c| Item::String(c.to_string().into()))
            .collect())
    }),
    ("matches", 1, 1, |call| {
        with(&call, |text, pattern| {
            call.evaluator.spend(text.len() / 8)?;
            boolean(regex(pattern, false)?.is_match(text))
        })
    }),
    ("matchesFull", 1, 1, |call| {
        with(&call, |text, pattern| {
            call.evaluator.spend(text.len() / 8)?;
            boolean(regex(pattern, true)?.is_match(text))
        })
    }),
    ("replace", 2, 2, |call| replace(&call, false)),
    ("replaceMatches", 2, 2, |call| replace(&call, true)),
    ("split", 1, 1, |call| {
        with(&call, |text, separator| {
            call.evaluator.spend(text.len() / 8)?;
            let parts = text.split(separator);
            Ok(parts
                .map(|part| Item::String(part.to_owned().into()))
                .collect())
        })
    }),
    ("join", 0, 1, join),
];

/// The input and the first argument, where both are there.
fn with<'a>(
    call: &Call<'_, 'a>,
    answer: impl Fn(&str, &str) -> Result<Collection<'a>>,
) -> Result<Collection<'a>> {
    let (text, argument) = (call.text()?, call.text_argument(0)?);
    match (text, argument) {
        (Some(text), Some(argument)) => answer(&text, &argument),
        _ => empty(),
    }
}

fn map<'a>(call: &Call<'_, 'a>, change: impl Fn(&str) -> String) -> Result<Collection<'a>> {
    match call.text()? {
        Some(text) => {
            call.evaluator.spend(text.len() / 16)?;
            string(change(&text))
        }
        None => empty(),
    }
}

/// Counts characters, not bytes.
fn position<'a>(text: &str, byte: Option<usize>) -> Result<Collection<'a>> {
    match byte.and_then(|byte| text.get(..byte)) {
        Some(before) => integer(before.chars().count()),
        None => Ok(vec![Item::Integer(-1)]),
    }
}

fn index_of<'a>(call: Call<'_, 'a>) -> Result<Collection<'a>> {
    with(&call, |text, part| position(text, text.find(part)))
}

fn last_index_of<'a>(call: Call<'_, 'a>) -> Result<Collection<'a>> {
    with(&call, |text, part| position(text, text.rfind(part)))
}

fn substring<'a>(call: Call<'_, 'a>) -> Result<Collection<'a>> {
    let (Some(text), Some(start)) = (call.text()?, call.integer_argument(0)?) else {
        return empty();
    };
    let length = match call.integer_argument(1)? {
        Some(length) => usize::try_from(length).unwrap_or(0),
        None => usize::MAX,
    };
    let Ok(start) = usize::try_from(start) else {
        return empty();
    };
    let mut letters = text.char_indices().map(|(at, _)| at);
    let Some(from) = letters.nth(start) else {
        return empty();
    };
    let to = match length.checked_sub(1) {
        Some(more) => letters.nth(more).unwrap_or(text.len()),
        None => from,
    };
    Ok(match text {
        Cow::Borrowed(text) => text.get(from..to).map(Cow::Borrowed),
        Cow::Owned(text) => text.get(from..to).map(|t| Cow::Owned(t.to_owned())),
    }
    .map(Item::String)
    .into_iter()
    .collect())
}

fn replace<'a>(call: &Call<'_, 'a>, pattern: bool) -> Result<Collection<'a>> {
    let (text, from, to) = (call.text()?, call.text_argument(0)?, call.text_argument(1)?);
    let (Some(text), Some(from), Some(to)) = (text, from, to) else {
        return empty();
    };
    let replaced = match pattern {
        false => text.replace(from.as_ref(), &to),
        true if from.is_empty() => text.clone().into_owned(),
        true => regex(&from, false)?
            .replace_all(&text, to.as_ref())
            .into_owned(),
    };
    // Also the work: a long replacement makes a long text.
    call.evaluator.spend((text.len() + replaced.len()) / 8)?;
    string(replaced)
}

fn join<'a>(call: Call<'_, 'a>) -> Result<Collection<'a>> {
    let separator = call.text_argument(0)?.unwrap_or_default();
    let mut texts = Vec::new();
    for item in &call.input {
        match item.clone().plain() {
            Item::String(text) => texts.push(text),
            _ => return Err(Error::evaluation("join() joins texts")),
        }
    }
    match texts.is_empty() {
        true => empty(),
        false => string(texts.join(&separator)),
    }
}

thread_local! {
    static PATTERNS: RefCell<HashMap<(String, bool), Regex>> = RefCell::new(HashMap::new());
}

/// The dot matches line ends too. `full`: from the first to the last character.
fn regex(pattern: &str, full: bool) -> Result<Regex> {
    let key = (pattern.to_owned(), full);
    if let Some(found) = PATTERNS.with_borrow(|kept| kept.get(&key).cloned()) {
        return Ok(found);
    }
    let text = match full {
        true => format!("(?s)^(?:{pattern})$"),
        false => format!("(?s){pattern}"),
    };
    let regex = Regex::new(&text).map_err(|_| Error::evaluation("not a regular expression"))?;
    PATTERNS.with_borrow_mut(|kept| {
        if kept.len() >= KEPT_PATTERNS {
            kept.clear();
        }
        kept.insert(key, regex.clone());
    });
    Ok(regex)
}
