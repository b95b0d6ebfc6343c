//! Encodings and escapes of texts.
//! <http://hl7.org/fhirpath/#additional-string-functions>

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE};
use data_encoding::{HEXLOWER, HEXLOWER_PERMISSIVE};

use super::Table;
use super::call::{Call, empty, string};
use crate::fhir::fhirpath::error::{Error, Result};
use crate::fhir::fhirpath::item::Collection;

pub const TABLE: Table = &[
    ("encode", 1, 1, |call| coded(&call, encode)),
    ("decode", 1, 1, |call| coded(&call, decode)),
    ("escape", 1, 1, |call| coded(&call, escape)),
    ("unescape", 1, 1, |call| coded(&call, unescape)),
];

const HTML: &[(&str, &str)] = &[
    ("<", "&lt;"),
    (">", "&gt;"),
    ("\"", "&quot;"),
    ("'", "&#39;"),
];

fn coded<'a>(
    call: &Call<'_, 'a>,
    code: impl Fn(&str, &str) -> Option<String>,
) -> Result<Collection<'a>> {
    let (Some(text), Some(format)) = (call.text()?, call.text_argument(0)?) else {
        return empty();
    };
    if !matches!(
        format.as_ref(),
        "base64" | "urlbase64" | "hex" | "html" | "json"
    ) {
        return Err(Error::evaluation("there is no such format of texts"));
    }
    call.evaluator.spend(text.len() / 8)?;
    code(&text, &format).map_or_else(empty, string)
}

fn encode(text: &str, format: &str) -> Option<String> {
    Some(match format {
        "base64" => STANDARD.encode(text),
        "urlbase64" => URL_SAFE.encode(text),
        "hex" => HEXLOWER.encode(text.as_bytes()),
        _ => return None,
    })
}

fn decode(text: &str, format: &str) -> Option<String> {
    let bytes = match format {
        "base64" => STANDARD.decode(text).ok()?,
        "urlbase64" => URL_SAFE.decode(text).ok()?,
        "hex" => HEXLOWER_PERMISSIVE.decode(text.as_bytes()).ok()?,
        _ => return None,
    };
    String::from_utf8(bytes).ok()
}

fn escape(text: &str, format: &str) -> Option<String> {
    match format {
        "html" => {
            let start = text.replace('&', "&amp;");
            let each = |text: String, (plain, escaped): &(&str, &str)| text.replace(plain, escaped);
            Some(HTML.iter().fold(start, each))
        }
        "json" => {
            let quoted = serde_json::to_string(text).ok()?;
            let inner = quoted.strip_prefix('"')?.strip_suffix('"')?;
            Some(inner.to_owned())
        }
        _ => None,
    }
}

fn unescape(text: &str, format: &str) -> Option<String> {
    match format {
        "html" => {
            let each = |text: String, (plain, escaped): &(&str, &str)| text.replace(escaped, plain);
            let text = HTML.iter().fold(text.to_owned(), each);
            Some(text.replace("&amp;", "&"))
        }
        "json" => {
            let parse = |text: &str| serde_json::from_str(&format!("\"{text}\"")).ok();
            // A quote may already stand without its escape.
            parse(text).or_else(|| parse(&text.replace('"', "\\\"")))
        }
        _ => None,
    }
}
