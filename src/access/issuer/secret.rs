//! What seals the signing keys in the database, so that a copy of the database
//! alone cannot make tokens. <https://www.rfc-editor.org/rfc/rfc5869>

use aws_lc_rs::aead::{AES_256_GCM, Aad, NONCE_LEN, Nonce, RandomizedNonceKey};
use aws_lc_rs::hkdf::{HKDF_SHA256, Salt};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

/// Fewer bytes could be guessed.
pub const MIN_SECRET: usize = 32;

/// What keys for sealing are derived for; another use derives others.
const USE: &[u8] = b"unloop signing keys 1";

/// A key for one use, from which neither the secret nor another use's key follows.
pub fn derived(secret: &[u8], of: &[u8]) -> Option<[u8; 32]> {
    let mut key = [0; 32];
    let extracted = Salt::new(HKDF_SHA256, &[]).extract(secret);
    extracted
        .expand(&[of], HKDF_SHA256)
        .ok()?
        .fill(&mut key)
        .ok()?;
    Some(key)
}

/// Shows nothing of itself.
pub struct Secret(RandomizedNonceKey);

impl Secret {
    /// `None`: it is too short.
    pub fn new(secret: &[u8]) -> Option<Self> {
        if secret.len() < MIN_SECRET {
            return None;
        }
        let key = derived(secret, USE)?;
        RandomizedNonceKey::new(&AES_256_GCM, &key).ok().map(Self)
    }

    /// `name` is bound to it: sealed text cannot be passed off as another's.
    pub fn seal(&self, name: &str, mut content: Vec<u8>) -> Option<String> {
        let aad = Aad::from(name.as_bytes());
        let nonce = self.0.seal_in_place_append_tag(aad, &mut content).ok()?;
        let sealed = [nonce.as_ref().as_slice(), content.as_slice()].concat();
        Some(URL_SAFE_NO_PAD.encode(sealed))
    }

    /// `None`: another secret sealed it, or it was changed.
    pub fn open(&self, name: &str, sealed: &str) -> Option<Vec<u8>> {
        let sealed = URL_SAFE_NO_PAD.decode(sealed).ok()?;
        let (nonce, content) = sealed.split_at_checked(NONCE_LEN)?;
        let nonce = Nonce::try_assume_unique_for_key(nonce).ok()?;
        let mut content = content.to_vec();
        let aad = Aad::from(name.as_bytes());
        self.0
            .open_in_place(nonce, aad, &mut content)
            .ok()
            .map(|opened| opened.to_vec())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_sealed_opens_under_its_secret_and_name_only() {
        let secret = Secret::new(&[1; 32]).unwrap();
        let sealed = secret.seal("k1", b"key".to_vec()).unwrap();
        assert_eq!(secret.open("k1", &sealed).unwrap(), b"key");
        assert_ne!(secret.seal("k1", b"key".to_vec()).unwrap(), sealed);
        assert_eq!(secret.open("k2", &sealed), None);
        assert_eq!(Secret::new(&[2; 32]).unwrap().open("k1", &sealed), None);
        for odd in [
            "",
            "AAAA",
            "?",
            &format!("{sealed}AA"),
            sealed.get(4..).unwrap(),
        ] {
            assert_eq!(secret.open("k1", odd), None, "{odd}");
        }
        assert!(Secret::new(&[1; 31]).is_none());
    }
}
