//! The separators inside a parameter's value and their escapes.
//! <https://hl7.org/fhir/R4/search.html#escaping>

/// Splits where the separator isn't escaped. Escapes stay.
pub fn split(value: &str, separator: char) -> Vec<&str> {
    let mut parts = Vec::new();
    let mut start = 0;
    let mut escaped = false;
    for (at, c) in value.char_indices() {
        if c == separator && !escaped {
            parts.push(value.get(start..at).unwrap_or_default());
            start = at + c.len_utf8();
        }
        escaped = c == '\\' && !escaped;
    }
    parts.push(value.get(start..).unwrap_or_default());
    parts
}

/// `\,` `\|` `\$` and `\\` stand for what follows the backslash.
pub fn unescape(value: &str) -> String {
    let mut text = String::with_capacity(value.len());
    let mut rest = value.chars().peekable();
    while let Some(c) = rest.next() {
        match (c, rest.peek()) {
            ('\\', Some(&next)) if matches!(next, ',' | '|' | '$' | '\\') => {
                text.push(next);
                rest.next();
            }
            _ => text.push(c),
        }
    }
    text
}
