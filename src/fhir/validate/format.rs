//! How the value of each primitive type is written.
//! <https://hl7.org/fhir/R4/datatypes.html#primitive>

use serde_json::{Number, Value};

use super::{calendar, id, xhtml};

/// Strings SHALL NOT exceed 1 MB (1024*1024 characters).
const LONGEST: usize = 1024 * 1024;
const LARGEST: i64 = i32::MAX as i64;
const SMALLEST: i64 = i32::MIN as i64;

/// What to write instead of a value, already of the right JSON type, that is
/// not of this primitive type.
pub fn remedy(type_name: &str, value: &Value) -> Option<&'static str> {
    match value {
        Value::Number(number) => number_remedy(type_name, number),
        Value::String(text) => text_remedy(type_name, text),
        _ => None,
    }
}

fn number_remedy(type_name: &str, number: &Number) -> Option<&'static str> {
    let (range, text) = match type_name {
        "integer" => (
            SMALLEST..=LARGEST,
            "write a whole number from -2147483648 to 2147483647, without fraction and exponent",
        ),
        "unsignedInt" => (
            0..=LARGEST,
            "write a whole number from 0 to 2147483647, without fraction and exponent",
        ),
        "positiveInt" => (
            1..=LARGEST,
            "write a whole number from 1 to 2147483647, without fraction and exponent",
        ),
        _ => return None,
    };
    let whole = number.as_i64().is_some_and(|n| range.contains(&n));
    (!whole || number.as_str() == "-0").then_some(text)
}

fn text_remedy(type_name: &str, text: &str) -> Option<&'static str> {
    if text.is_empty() {
        return Some("it is empty, so remove it or give it content");
    }
    let (fits, remedy) = match type_name {
        "date" => (
            calendar::is_date(text),
            "write YYYY, YYYY-MM or YYYY-MM-DD, and a day that exists",
        ),
        "dateTime" => (
            calendar::is_date_time(text),
            "write YYYY, YYYY-MM, YYYY-MM-DD or YYYY-MM-DDThh:mm:ss with Z or an offset \
             like +01:00, and a day that exists",
        ),
        "instant" => (
            calendar::is_instant(text),
            "write YYYY-MM-DDThh:mm:ss with Z or an offset like +01:00, and a day that exists",
        ),
        "time" => (
            calendar::is_time(text),
            "write hh:mm:ss of 24 hours, without a zone",
        ),
        "code" => (
            is_code(text),
            "write it without spaces around it and with single spaces inside",
        ),
        "id" => (
            id::is_legal(text),
            "write 1 to 64 letters, digits, hyphens and dots",
        ),
        "uri" | "url" | "canonical" => (is_unbroken(text), "write it without spaces"),
        "oid" => (is_oid(text), "write it as urn:oid:1.2.3"),
        "uuid" => (
            is_uuid(text),
            "write it as urn:uuid:c757873d-ec9a-4326-a141-556f43239520 in lower case",
        ),
        "base64Binary" => (
            is_base64(text),
            "encode it with the 64 characters A-Z, a-z, 0-9, + and /, filled up with =",
        ),
        "xhtml" => return xhtml::remedy(text),
        _ => return prose_remedy(text),
    };
    (!fits).then_some(remedy)
}

/// `string` and `markdown`
fn prose_remedy(text: &str) -> Option<&'static str> {
    let control = |b: u8| b < b' ' && !matches!(b, b'\t' | b'\r' | b'\n');
    if text.bytes().any(control) {
        return Some("remove the control characters; tab, carriage return and line feed may stay");
    }
    let too_long = text.len() > LONGEST && text.chars().count() > LONGEST;
    too_long.then_some("shorten it to 1048576 characters")
}

/// No space at either end, never two in a row, and no other white space.
fn is_code(text: &str) -> bool {
    text.split(' ')
        .all(|word| !word.is_empty() && is_unbroken(word))
}

/// White space is that of XML; control characters no text may have.
fn is_unbroken(text: &str) -> bool {
    text.bytes().all(|b| b > b' ')
}

/// `urn:oid:[0-2](\.(0|[1-9][0-9]*))+`
fn is_oid(text: &str) -> bool {
    let Some(mut arcs) = text.strip_prefix("urn:oid:").map(|oid| oid.split('.')) else {
        return false;
    };
    let root = arcs
        .next()
        .is_some_and(|arc| matches!(arc, "0" | "1" | "2"));
    let mut below = arcs.peekable();
    root && below.peek().is_some()
        && below.all(|arc| {
            arc == "0"
                || (!arc.is_empty()
                    && !arc.starts_with('0')
                    && arc.bytes().all(|b| b.is_ascii_digit()))
        })
}

fn is_uuid(text: &str) -> bool {
    let Some(uuid) = text.strip_prefix("urn:uuid:") else {
        return false;
    };
    let lengths = uuid.split('-').map(str::len);
    lengths.eq([8, 4, 4, 4, 12])
        && uuid
            .bytes()
            .all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f' | b'-'))
}

/// Groups of four, white space anywhere, filled up with `=` at the end only.
fn is_base64(text: &str) -> bool {
    let (mut count, mut padding) = (0_usize, 0_usize);
    for byte in text.bytes() {
        match byte {
            b' ' | b'\t' | b'\r' | b'\n' => continue,
            b'=' => padding += 1,
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'+' | b'/' if padding == 0 => {}
            _ => return false,
        }
        count += 1;
    }
    count > 0 && count % 4 == 0 && padding <= 2
}
