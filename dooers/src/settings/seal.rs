//! Secrets at rest: sealed with keys that the database does not hold.
//!
//! The cipher is XChaCha20-Poly1305 (draft-irtf-cfrg-xchacha), whose nonces are long enough to be drawn at random. A
//! sealed text is the base64 of nonce and ciphertext. What it belongs to is authenticated with it, so that a row that
//! is copied to another field, worker or agent does not open there.

use crate::store::WorkerKey;
use base64::Engine;
use base64::alphabet::{STANDARD, URL_SAFE};
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use chacha20poly1305::aead::{Aead, Generate, KeyInit, Payload};
use chacha20poly1305::{XChaCha20Poly1305, XNonce};
use hmac::{Hmac, Mac};
use sha2::{Digest, Sha256};
use std::fmt;
use std::str::FromStr;
use zeroize::Zeroizing;

const KEY_BYTES: usize = 32;
const NONCE_BYTES: usize = 24;

const ANY_PADDING: GeneralPurposeConfig =
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent);
const BASE64: GeneralPurpose = GeneralPurpose::new(&STANDARD, ANY_PADDING);
const BASE64_URL: GeneralPurpose = GeneralPurpose::new(&URL_SAFE, ANY_PADDING);

/// The keys that seal secrets: the first seals, all of them open.
///
/// `Debug` shows their ids only. They are overwritten in memory when they are dropped.
#[derive(Clone)]
pub struct Keyring(Vec<Key>);

#[derive(Clone)]
struct Key {
    id: String,
    bytes: Zeroizing<[u8; KEY_BYTES]>,
}

/// A text that is no list of keys.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "key {number} of the list is not 32 bytes in base64; make one with `openssl rand -base64 32`, and separate several by commas, the one that seals first"
)]
pub struct NotAKey {
    /// Which one, from 1.
    number: usize,
}

/// Why a secret cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum UnsealError {
    /// The key with which it was sealed is not there.
    #[error(
        "it is sealed with the key `{0}`, which is not in WORKER_SECRET_KEY; add that key to the list"
    )]
    UnknownKey(String),
    /// It was changed, or belongs to another field.
    #[error(
        "it does not open with the key `{0}`: the row was changed, or copied from another place"
    )]
    Broken(String),
}

/// A secret as it is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Sealed {
    pub(crate) key_id: String,
    pub(crate) text: String,
}

/// A hash, and the key without which it cannot be computed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Digested {
    pub(crate) key_id: String,
    pub(crate) digest: String,
}

impl FromStr for Keyring {
    type Err = NotAKey;

    fn from_str(list: &str) -> Result<Self, NotAKey> {
        let key = |(at, text): (usize, &str)| {
            let text = text.trim();
            let decoded = BASE64.decode(text).or_else(|_| BASE64_URL.decode(text));
            let bytes = decoded.map(Zeroizing::new).ok();
            let bytes = bytes.and_then(|bytes| <[u8; KEY_BYTES]>::try_from(bytes.as_slice()).ok());
            let bytes = bytes.ok_or(NotAKey { number: at + 1 })?;
            Ok(Key::new(bytes))
        };
        list.split(',')
            .enumerate()
            .map(key)
            .collect::<Result<_, _>>()
            .map(Self)
    }
}

impl Key {
    fn new(bytes: [u8; KEY_BYTES]) -> Self {
        let hash = Sha256::digest(bytes);
        let id = hash
            .iter()
            .take(8)
            .map(|byte| format!("{byte:02x}"))
            .collect();
        Self {
            id,
            bytes: Zeroizing::new(bytes),
        }
    }

    fn cipher(&self) -> XChaCha20Poly1305 {
        XChaCha20Poly1305::new((&*self.bytes).into())
    }
}

impl Keyring {
    /// Whether a key of this id is there.
    pub(crate) fn has(&self, key_id: &str) -> bool {
        self.0.iter().any(|key| key.id == key_id)
    }

    /// Seals a secret of a worker's field with the first key.
    pub(crate) fn seal(&self, worker: &WorkerKey, field_id: &str, secret: &str) -> Option<Sealed> {
        self.seal_at(&[&worker.agent, &worker.worker_id, field_id], secret)
    }

    /// Seals a secret with the first key. It opens only at the same place.
    pub(crate) fn seal_at(&self, place: &[&str], secret: &str) -> Option<Sealed> {
        let key = self.0.first()?;
        let nonce = XNonce::generate();
        let place = joined(place);
        let payload = Payload {
            msg: secret.as_bytes(),
            aad: &place,
        };
        let ciphertext = key.cipher().encrypt(&nonce, payload).ok()?;
        let mut bytes = nonce.to_vec();
        bytes.extend(ciphertext);
        Some(Sealed {
            key_id: key.id.clone(),
            text: BASE64.encode(bytes),
        })
    }

    /// Opens a secret of a worker's field.
    pub(crate) fn open(
        &self,
        worker: &WorkerKey,
        field_id: &str,
        sealed: &Sealed,
    ) -> Result<Zeroizing<String>, UnsealError> {
        self.open_at(&[&worker.agent, &worker.worker_id, field_id], sealed)
    }

    /// Opens what was sealed for this place.
    pub(crate) fn open_at(
        &self,
        place: &[&str],
        sealed: &Sealed,
    ) -> Result<Zeroizing<String>, UnsealError> {
        let key = self.0.iter().find(|key| key.id == sealed.key_id);
        let key = key.ok_or_else(|| UnsealError::UnknownKey(sealed.key_id.clone()))?;
        let opened = || {
            let bytes = BASE64.decode(&sealed.text).ok()?;
            let (nonce, ciphertext) = bytes.split_at_checked(NONCE_BYTES)?;
            let nonce = XNonce::try_from(nonce).ok()?;
            let place = joined(place);
            let payload = Payload {
                msg: ciphertext,
                aad: &place,
            };
            let secret = key.cipher().decrypt(&nonce, payload).ok()?;
            String::from_utf8(secret).ok().map(Zeroizing::new)
        };
        opened().ok_or_else(|| UnsealError::Broken(sealed.key_id.clone()))
    }

    /// The hash of some bytes with each key, in the order of the keys. The purpose keeps hashes of the same bytes apart
    /// that have nothing to do with each other.
    pub(crate) fn digests(&self, purpose: &str, bytes: &[u8]) -> Vec<Digested> {
        let digest = |key: &Key| Digested {
            key_id: key.id.clone(),
            digest: BASE64.encode(*hmac(&*hmac(&*key.bytes, purpose.as_bytes()), bytes)),
        };
        self.0.iter().map(digest).collect()
    }
}

/// HMAC-SHA256 (RFC 2104).
#[expect(clippy::expect_used, reason = "HMAC takes keys of any length")]
fn hmac(key: &[u8], bytes: &[u8]) -> Zeroizing<[u8; KEY_BYTES]> {
    let hmac = Hmac::<Sha256>::new_from_slice(key).expect("HMAC takes keys of any length");
    let digest = hmac.chain_update(bytes).finalize();
    Zeroizing::new(digest.into_bytes().into())
}

/// The place that a secret belongs to. Lengths come first, so that no two places look alike.
fn joined(parts: &[&str]) -> Vec<u8> {
    let written = parts.iter().flat_map(|part| {
        let length = (part.len() as u64).to_be_bytes();
        length.into_iter().chain(part.bytes())
    });
    written.collect()
}

impl fmt::Debug for Keyring {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list()
            .entries(self.0.iter().map(|key| &key.id))
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ONE: &str = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";
    const OTHER: &str = "__79_Pv6-fj39vX08_Lx8O_u7ezr6uno5-bl5OPi4eA";

    fn keyring(list: &str) -> Keyring {
        list.parse().unwrap()
    }

    fn worker(agent: &str, worker_id: &str) -> WorkerKey {
        WorkerKey {
            agent: agent.to_owned(),
            worker_id: worker_id.to_owned(),
        }
    }

    #[test]
    fn a_secret_opens_with_its_key_and_at_its_place_only() {
        let ring = keyring(ONE);
        let home = worker("support", "w1");
        let sealed = ring.seal(&home, "api_key", "hush").unwrap();
        assert!(!sealed.text.contains("hush"));
        assert_eq!(*ring.open(&home, "api_key", &sealed).unwrap(), "hush");
        let again = ring.seal(&home, "api_key", "hush").unwrap();
        assert_ne!(again.text, sealed.text, "no nonce is used twice");

        let broken = Err(UnsealError::Broken(sealed.key_id.clone()));
        for (place, field_id) in [
            (&worker("support", "w2"), "api_key"),
            (&worker("other", "w1"), "api_key"),
            (&worker("supportw", "1"), "api_key"),
            (&home, "other"),
        ] {
            assert_eq!(ring.open(place, field_id, &sealed), broken, "{place:?}");
        }
        let unknown = keyring(OTHER).open(&home, "api_key", &sealed).unwrap_err();
        assert_eq!(unknown, UnsealError::UnknownKey(sealed.key_id.clone()));
        assert!(unknown.to_string().contains("WORKER_SECRET_KEY"));
        assert!(unknown.to_string().contains(&sealed.key_id));
    }

    #[test]
    fn a_changed_byte_is_noticed() {
        let (ring, home) = (keyring(ONE), worker("a", "w"));
        let sealed = ring.seal(&home, "f", "a secret").unwrap();
        let bytes = BASE64.decode(&sealed.text).unwrap();
        for at in 0..bytes.len() {
            let mut changed = bytes.clone();
            changed[at] ^= 1;
            let sealed = Sealed {
                text: BASE64.encode(changed),
                ..sealed.clone()
            };
            assert!(ring.open(&home, "f", &sealed).is_err(), "byte {at}");
        }
        for text in ["", "?", "AAAA"] {
            let sealed = Sealed {
                text: text.to_owned(),
                ..sealed.clone()
            };
            assert!(ring.open(&home, "f", &sealed).is_err());
        }
    }

    #[test]
    fn a_new_first_key_seals_while_the_old_one_opens() {
        let home = worker("a", "w");
        let old = keyring(ONE).seal(&home, "f", "old").unwrap();
        let rotated = keyring(&format!("{OTHER}, {ONE}"));
        assert_eq!(*rotated.open(&home, "f", &old).unwrap(), "old");
        let new = rotated.seal(&home, "f", "new").unwrap();
        assert_ne!(new.key_id, old.key_id);
        assert!(rotated.has(&new.key_id) && rotated.has(&old.key_id));
        assert!(keyring(ONE).open(&home, "f", &new).is_err());
    }

    #[test]
    fn digest_depends_on_key_purpose_and_bytes() {
        let ring = keyring(&format!("{ONE},{OTHER}"));
        let digests = ring.digests("answers", b"1234");
        assert_eq!(digests, ring.digests("answers", b"1234"));
        assert!(ring.has(&digests[0].key_id) && ring.has(&digests[1].key_id));
        assert_eq!(keyring(OTHER).digests("answers", b"1234"), digests[1..]);
        let others = [
            ring.digests("answers", b"1235"),
            ring.digests("answer", b"s1234"),
        ];
        let mut all: Vec<_> = others.into_iter().chain([digests]).flatten().collect();
        all.sort_by(|one, other| one.digest.cmp(&other.digest));
        all.dedup_by(|one, other| one.digest == other.digest);
        assert_eq!(all.len(), 6);
    }

    #[test]
    fn sealed_answer_opens_at_its_place_only() {
        let ring = keyring(ONE);
        let sealed = ring.seal_at(&["a", "b", "c", "d"], "hush").unwrap();
        assert_eq!(
            *ring.open_at(&["a", "b", "c", "d"], &sealed).unwrap(),
            "hush"
        );
        for place in [
            &["a", "b", "c"][..],
            &["a", "b", "cd", ""],
            &["a", "b", "d", "c"],
        ] {
            assert!(ring.open_at(place, &sealed).is_err(), "{place:?}");
        }
    }

    #[test]
    fn a_text_that_is_no_key_is_refused_and_not_shown() {
        for (list, number) in [
            ("", 1),
            ("c2hvcnQ=", 1),
            ("not base64!", 1),
            (&*format!("{ONE},"), 2),
            (&*format!("{ONE},secret"), 2),
        ] {
            let error = list.parse::<Keyring>().unwrap_err();
            assert_eq!(error, NotAKey { number }, "{list}");
            assert!(!error.to_string().contains("secret,"));
        }
        let shown = format!("{:?}", keyring(ONE));
        assert!(!shown.contains("AAEC"), "{shown}");
    }
}
