//! Encryption of stored secrets with keys that are not in the database.
//!
//! The place of the secret is authenticated as well, so a row that was copied to another field, worker or agent cannot be
//! opened there.

use crate::cipher::{ANY_PADDING, BASE64, CipherKey};
use crate::store::WorkerKey;
use base64::Engine;
use base64::alphabet::URL_SAFE;
use base64::engine::GeneralPurpose;
use hmac::{Hmac, KeyInit, Mac};
use sha2::{Digest, Sha256};
use std::fmt;
use std::str::FromStr;
use zeroize::Zeroizing;

const BASE64_URL: GeneralPurpose = GeneralPurpose::new(&URL_SAFE, ANY_PADDING);

/// The keys that seal secrets. The first key seals, and all keys open.
///
/// `Debug` shows only the ids of the keys. The keys are overwritten in memory when they are dropped.
#[derive(Clone)]
pub struct Keyring(Vec<Key>);

#[derive(Clone)]
struct Key {
    id: String,
    cipher: CipherKey,
}

/// The error for a text that is not a list of keys.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "key {number} of the list is not 32 bytes in base64; make one with `openssl rand -base64 32`, and separate several by commas, the one that seals first"
)]
pub struct InvalidKey {
    /// The position of the bad key in the list, from 1.
    number: usize,
}

/// The reason why a secret cannot be opened.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum UnsealError {
    /// The key that sealed the secret is not in the keyring.
    #[error(
        "it is sealed with the key `{0}`, which is not in WORKER_SECRET_KEY; add that key to the list"
    )]
    UnknownKey(String),
    /// The sealed text was changed, or it belongs to another place.
    #[error(
        "it cannot be opened with the key `{0}`: the row was changed, or copied from another place"
    )]
    Broken(String),
}

/// A secret as it is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Sealed {
    pub(crate) key_id: String,
    pub(crate) text: String,
}

/// A keyed hash and the id of its key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Digested {
    pub(crate) key_id: String,
    pub(crate) digest: String,
}

impl FromStr for Keyring {
    type Err = InvalidKey;

    fn from_str(list: &str) -> Result<Self, InvalidKey> {
        let key = |(at, text): (usize, &str)| {
            let text = text.trim();
            let decoded = BASE64.decode(text).or_else(|_| BASE64_URL.decode(text));
            let bytes = decoded.map(Zeroizing::new).ok();
            let bytes = bytes.and_then(|bytes| bytes.as_slice().try_into().ok());
            let bytes = bytes.ok_or(InvalidKey { number: at + 1 })?;
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
    fn new(bytes: [u8; 32]) -> Self {
        let hash = Sha256::digest(bytes);
        let id = hash
            .iter()
            .take(8)
            .map(|byte| format!("{byte:02x}"))
            .collect();
        Self {
            id,
            cipher: CipherKey::new(bytes),
        }
    }
}

impl Keyring {
    /// Returns true if the keyring contains a key with this id.
    pub(crate) fn has(&self, key_id: &str) -> bool {
        self.0.iter().any(|key| key.id == key_id)
    }

    /// Seals a secret of a worker's field with the first key.
    pub(crate) fn seal(&self, worker: &WorkerKey, field_id: &str, secret: &str) -> Option<Sealed> {
        self.seal_at(&[&worker.agent, &worker.worker_id, field_id], secret)
    }

    /// Seals a secret with the first key. It can only be opened for the same place.
    pub(crate) fn seal_at(&self, place: &[&str], secret: &str) -> Option<Sealed> {
        let key = self.0.first()?;
        Some(Sealed {
            key_id: key.id.clone(),
            text: key.cipher.seal(&joined(place), secret)?,
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

    /// Opens a secret that was sealed for this place.
    pub(crate) fn open_at(
        &self,
        place: &[&str],
        sealed: &Sealed,
    ) -> Result<Zeroizing<String>, UnsealError> {
        let key = self.0.iter().find(|key| key.id == sealed.key_id);
        let key = key.ok_or_else(|| UnsealError::UnknownKey(sealed.key_id.clone()))?;
        key.cipher
            .open(&joined(place), &sealed.text)
            .map(Zeroizing::new)
            .ok_or_else(|| UnsealError::Broken(sealed.key_id.clone()))
    }

    /// Hashes bytes with each key, in the order of the keys. `purpose` separates hashes of the same bytes for
    /// unrelated uses.
    pub(crate) fn digests(&self, purpose: &str, bytes: &[u8]) -> Vec<Digested> {
        let digest = |key: &Key| Digested {
            key_id: key.id.clone(),
            digest: BASE64.encode(*hmac(
                &*hmac(key.cipher.as_bytes(), purpose.as_bytes()),
                bytes,
            )),
        };
        self.0.iter().map(digest).collect()
    }
}

/// HMAC-SHA256 (RFC 2104).
#[expect(clippy::expect_used, reason = "HMAC takes keys of any length")]
fn hmac(key: &[u8], bytes: &[u8]) -> Zeroizing<[u8; 32]> {
    let hmac = Hmac::<Sha256>::new_from_slice(key).expect("HMAC takes keys of any length");
    let digest = hmac.chain_update(bytes).finalize();
    Zeroizing::new(digest.into_bytes().into())
}

/// The encoding of a place. Each part starts with its length, so that different places are never encoded alike.
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
    fn secret_opens_only_with_its_key_at_its_place() {
        let ring = keyring(ONE);
        let home = worker("support", "w1");
        let sealed = ring.seal(&home, "api_key", "hush").unwrap();
        assert!(!sealed.text.contains("hush"));
        assert_eq!(*ring.open(&home, "api_key", &sealed).unwrap(), "hush");
        let again = ring.seal(&home, "api_key", "hush").unwrap();
        assert_ne!(again.text, sealed.text, "every seal uses a new nonce");

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
    fn secret_with_a_changed_byte_does_not_open() {
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
    fn new_first_key_seals_and_old_key_still_opens() {
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
    fn text_that_is_not_a_key_is_refused_and_hidden() {
        for (list, number) in [
            ("", 1),
            ("c2hvcnQ=", 1),
            ("not base64!", 1),
            (&*format!("{ONE},"), 2),
            (&*format!("{ONE},secret"), 2),
        ] {
            let error = list.parse::<Keyring>().unwrap_err();
            assert_eq!(error, InvalidKey { number }, "{list}");
            assert!(!error.to_string().contains("secret,"));
        }
        let shown = format!("{:?}", keyring(ONE));
        assert!(!shown.contains("AAEC"), "{shown}");
    }
}
