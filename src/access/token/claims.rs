//! The claims of a token, each of its right JSON type.
//! <https://www.rfc-editor.org/rfc/rfc7519#section-4.1>

use serde_json::{Map, Value};

use super::Refusal;

/// Seconds by which two clocks may differ.
pub const LEEWAY: i64 = 30;

/// Bytes of a name or identifier.
const MAX_TEXT: usize = 512;

#[derive(Clone, Copy)]
pub struct Claims<'c>(pub &'c Map<String, Value>);

impl<'c> Claims<'c> {
    /// A text that is there, not empty, and no longer than names are.
    pub fn required(&self, name: &str, missing: Refusal) -> Result<&'c str, Refusal> {
        self.optional(name)?.ok_or(missing)
    }

    pub fn optional(&self, name: &str) -> Result<Option<&'c str>, Refusal> {
        match self.0.get(name) {
            None => Ok(None),
            Some(Value::String(text)) if !text.is_empty() && text.len() <= MAX_TEXT => {
                Ok(Some(text))
            }
            Some(_) => Err(Refusal::Invalid("A claim of the token has the wrong type.")),
        }
    }

    /// A text that may be long, or empty.
    pub fn long(&self, name: &str) -> Result<&'c str, Refusal> {
        match self.0.get(name) {
            None => Ok(""),
            Some(Value::String(text)) => Ok(text),
            Some(_) => Err(Refusal::Invalid("A claim of the token has the wrong type.")),
        }
    }

    /// `exp`, after all times are checked against `now`, in seconds since 1970.
    pub fn times(&self, now: i64) -> Result<i64, Refusal> {
        let expires = self.window(now)?;
        let issued = self.time("iat")?.ok_or(MISSING_TIME)?;
        if expires <= issued {
            return Err(Refusal::Invalid("The token expires before it was issued."));
        }
        Ok(expires)
    }

    /// The same where `iat` may be missing.
    pub fn window(&self, now: i64) -> Result<i64, Refusal> {
        let expires = self.time("exp")?.ok_or(MISSING_TIME)?;
        if expires <= now.saturating_sub(LEEWAY) {
            return Err(Refusal::Invalid("The token has expired; get a new one."));
        }
        let begins = self.time("nbf")?.max(self.time("iat")?);
        if begins.is_some_and(|begins| begins > now.saturating_add(LEEWAY)) {
            return Err(Refusal::Invalid(
                "The token is not valid yet (nbf or iat lies in the future); compare the clocks.",
            ));
        }
        Ok(expires)
    }

    /// A whole number: a text that looks like one is refused.
    pub fn time(&self, name: &str) -> Result<Option<i64>, Refusal> {
        match self.0.get(name) {
            None => Ok(None),
            Some(value) => match value.as_i64() {
                Some(time) if time > 0 => Ok(Some(time)),
                _ => Err(Refusal::Invalid(
                    "A time of the token (exp, iat, nbf) is not a whole number of seconds.",
                )),
            },
        }
    }

    /// `aud`: one text or a list of them.
    pub fn audiences(&self) -> Result<Vec<&'c str>, Refusal> {
        let audiences = match self.0.get("aud") {
            Some(Value::String(one)) => Some(vec![one.as_str()]),
            Some(Value::Array(many)) => many.iter().map(Value::as_str).collect(),
            _ => None,
        };
        audiences.ok_or(Refusal::Invalid(
            "The token says not for whom it is (aud), or not as a text or list of texts.",
        ))
    }
}

const MISSING_TIME: Refusal = Refusal::Invalid("The token has no exp or no iat.");
