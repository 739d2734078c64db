//! Authenticated encryption with a random nonce.
//!
//! The cipher is XChaCha20-Poly1305 (draft-irtf-cfrg-xchacha), whose nonces are long enough to be random. A sealed text is
//! the base64 of the nonce and the ciphertext.

use base64::Engine;
use base64::alphabet::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use chacha20poly1305::aead::{Aead, Generate, KeyInit, Payload};
use chacha20poly1305::{XChaCha20Poly1305, XNonce};
use std::fmt;
use zeroize::Zeroizing;

/// The length of a key in bytes.
const KEY_BYTES: usize = 32;

const NONCE_BYTES: usize = 24;

/// The length of the nonce and of the authentication in bytes, before base64.
pub(crate) const OVERHEAD_BYTES: usize = NONCE_BYTES + 16;

/// A key. It is overwritten in memory when it is dropped, and `Debug` does not show it.
#[derive(Clone)]
pub(crate) struct CipherKey(Zeroizing<[u8; KEY_BYTES]>);

/// Padding is not required.
pub(crate) const ANY_PADDING: GeneralPurposeConfig =
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent);

/// Base64 with or without padding.
pub(crate) const BASE64: GeneralPurpose = GeneralPurpose::new(&STANDARD, ANY_PADDING);

impl CipherKey {
    pub(crate) fn new(bytes: [u8; KEY_BYTES]) -> Self {
        Self(Zeroizing::new(bytes))
    }

    /// Reads the hexadecimal form of a key. `None` unless it has 64 digits.
    #[cfg(feature = "postgres")]
    pub(crate) fn from_hex(text: &str) -> Option<Self> {
        let mut bytes = Zeroizing::new([0; KEY_BYTES]);
        if text.len() != 2 * KEY_BYTES || !text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return None;
        }
        for (at, byte) in bytes.iter_mut().enumerate() {
            *byte = u8::from_str_radix(text.get(2 * at..2 * at + 2)?, 16).ok()?;
        }
        Some(Self(bytes))
    }

    pub(crate) fn as_bytes(&self) -> &[u8; KEY_BYTES] {
        &self.0
    }

    fn cipher(&self) -> XChaCha20Poly1305 {
        XChaCha20Poly1305::new((&*self.0).into())
    }

    /// Seals a text. It can only be opened with the same `place`. `None` if the text is too long for the cipher.
    pub(crate) fn seal(&self, place: &[u8], text: &str) -> Option<String> {
        let nonce = XNonce::generate();
        let payload = Payload {
            msg: text.as_bytes(),
            aad: place,
        };
        let mut bytes = nonce.to_vec();
        bytes.extend(self.cipher().encrypt(&nonce, payload).ok()?);
        Some(BASE64.encode(bytes))
    }

    /// Opens a sealed text. `None` if it was sealed with another key or for another place, or was changed.
    pub(crate) fn open(&self, place: &[u8], sealed: &str) -> Option<String> {
        let bytes = BASE64.decode(sealed).ok()?;
        let (nonce, ciphertext) = bytes.split_at_checked(NONCE_BYTES)?;
        let nonce = XNonce::try_from(nonce).ok()?;
        let payload = Payload {
            msg: ciphertext,
            aad: place,
        };
        String::from_utf8(self.cipher().decrypt(&nonce, payload).ok()?).ok()
    }
}

impl fmt::Debug for CipherKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("CipherKey")
    }
}

#[cfg(all(test, feature = "postgres"))]
mod tests {
    use super::*;

    #[test]
    fn key_is_read_from_hexadecimal_digits() {
        let key = CipherKey::from_hex(&"0fA1".repeat(16)).unwrap();
        assert_eq!(key.as_bytes()[..4], [0x0f, 0xa1, 0x0f, 0xa1]);
        assert_eq!(format!("{key:?}"), "CipherKey");
        let texts = [
            "0".repeat(66),
            "x".repeat(64),
            "é".repeat(32),
            "+f".repeat(32),
        ];
        for text in ["", "00"].into_iter().map(str::to_owned).chain(texts) {
            assert!(CipherKey::from_hex(&text).is_none(), "{text}");
        }
    }
}
