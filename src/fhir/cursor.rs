//! The place in a listing as an opaque text, which works for the listing and
//! the caller that it was made for. <https://hl7.org/fhir/R4/http.html#paging>

use aws_lc_rs::hmac;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::Value;

use super::outcome::{Failure, Kind};

/// Bytes of the code that stands before the content.
const TAG: usize = 16;

/// The secret by which the service knows its own cursors again; the same on
/// every instance.
#[derive(Clone, Debug)]
pub struct CursorKey(hmac::Key);

impl CursorKey {
    pub fn new(secret: &[u8]) -> Self {
        Self(hmac::Key::new(hmac::HMAC_SHA256, secret))
    }

    /// Ties cursors to a caller and to what is listed.
    pub fn tie(&self, parts: &[&str]) -> Tie {
        let mut context = hmac::Context::with_key(&self.0);
        for part in parts {
            context.update(&(part.len() as u64).to_be_bytes());
            context.update(part.as_bytes());
        }
        Tie(context)
    }
}

/// What must be the same for a cursor to mean anything.
#[derive(Clone)]
pub struct Tie(hmac::Context);

impl Tie {
    pub fn seal(&self, content: &Value) -> String {
        let content = content.to_string();
        let mut bytes = self.tag(content.as_bytes());
        bytes.extend(content.as_bytes());
        URL_SAFE_NO_PAD.encode(bytes)
    }

    pub fn open(&self, cursor: &str) -> Result<Value, Failure> {
        self.content(cursor).ok_or_else(refused)
    }

    fn content(&self, cursor: &str) -> Option<Value> {
        let bytes = URL_SAFE_NO_PAD.decode(cursor).ok()?;
        let (tag, content) = bytes.split_at_checked(TAG)?;
        let expected = self.tag(content);
        aws_lc_rs::constant_time::verify_slices_are_equal(tag, &expected).ok()?;
        serde_json::from_slice(content).ok()
    }

    fn tag(&self, content: &[u8]) -> Vec<u8> {
        let mut context = self.0.clone();
        context.update(content);
        context.sign().as_ref().iter().copied().take(TAG).collect()
    }
}

pub fn refused() -> Failure {
    Failure::new(
        Kind::Value,
        "`_cursor` is not one that this service gave out for this request to this caller; \
         follow the links of a page as they are, or start again without it",
    )
}
