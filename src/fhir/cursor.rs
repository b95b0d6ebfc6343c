//! The place in a listing as an opaque text, which works for the listing and
//! the caller that it was made for. <https://hl7.org/fhir/R4/http.html#paging>

use std::sync::Arc;

use aws_lc_rs::aead::{AES_256_GCM_SIV, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use aws_lc_rs::hmac;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::Value;

use super::outcome::{Failure, Kind};

/// The secret by which the service knows its own cursors again; the same on
/// every instance. Nobody else reads them: a place names a row, also where that
/// row is not shown.
#[derive(Clone, Debug)]
pub struct CursorKey {
    ties: hmac::Key,
    contents: Arc<LessSafeKey>,
}

impl CursorKey {
    pub fn new(secret: &[u8]) -> Self {
        let ties = hmac::Key::new(hmac::HMAC_SHA256, secret);
        let key = hmac::sign(&ties, b"contents of cursors");
        let key = UnboundKey::new(&AES_256_GCM_SIV, key.as_ref());
        let key = key.expect("a code of SHA-256 has the bytes of a key");
        Self {
            ties,
            contents: Arc::new(LessSafeKey::new(key)),
        }
    }

    /// Ties cursors to a caller and to what is listed.
    pub fn tie(&self, parts: &[&str]) -> Tie {
        let mut context = hmac::Context::with_key(&self.ties);
        for part in parts {
            context.update(&(part.len() as u64).to_be_bytes());
            context.update(part.as_bytes());
        }
        Tie {
            of: context.sign(),
            contents: self.contents.clone(),
        }
    }
}

/// What must be the same for a cursor to mean anything.
#[derive(Clone)]
pub struct Tie {
    of: hmac::Tag,
    contents: Arc<LessSafeKey>,
}

impl Tie {
    /// The same place is the same text.
    pub fn seal(&self, content: &Value) -> String {
        let mut bytes = content.to_string().into_bytes();
        let aad = Aad::from(self.of.as_ref());
        let sealed = self
            .contents
            .seal_in_place_append_tag(nonce(), aad, &mut bytes);
        sealed.expect("a place is far below the longest text that can be sealed");
        URL_SAFE_NO_PAD.encode(bytes)
    }

    pub fn open(&self, cursor: &str) -> Result<Value, Failure> {
        self.content(cursor).ok_or_else(refused)
    }

    fn content(&self, cursor: &str) -> Option<Value> {
        let mut bytes = URL_SAFE_NO_PAD.decode(cursor).ok()?;
        let aad = Aad::from(self.of.as_ref());
        let content = self.contents.open_in_place(nonce(), aad, &mut bytes).ok()?;
        serde_json::from_slice(content).ok()
    }
}

/// AES-GCM-SIV bears that it is always this one: all that shows is whether two
/// places are the same. <https://www.rfc-editor.org/rfc/rfc8452>
fn nonce() -> Nonce {
    Nonce::assume_unique_for_key([0; NONCE_LEN])
}

pub fn refused() -> Failure {
    Failure::new(
        Kind::Value,
        "`_cursor` is not one that this service gave out for this request to this caller; \
         follow the links of a page as they are, or start again without it",
    )
}
