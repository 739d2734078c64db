//! Sealed answers to forms, which only the handler can read.
//!
//! The store has no keys. The caller passes the sealed answer together with the answer. If password fields of the form
//! were filled, the store keeps the sealed answer with the turn and deletes it with the turn's row.

/// The values of an answer, sealed with a key that the store does not have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SealedAnswer {
    /// The ciphertext.
    pub text: String,
    /// The hash of the answer's data, computed with the key that seals the values. It detects that the same answer was
    /// sent again.
    pub digest: KeyedDigest,
}

/// A hash that only the owner of a key can compute.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyedDigest {
    /// The id of the key.
    pub key_id: String,
    /// The hash.
    pub digest: String,
}

/// A sealed answer for the store: sealed with the first key of the server, and hashed with each of its keys.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AnswerSeal {
    /// The answer, sealed and hashed with the first key.
    pub sealed: SealedAnswer,
    /// The hashes with the other keys. An earlier answer may have been hashed with one of them.
    pub others: Vec<KeyedDigest>,
}

impl AnswerSeal {
    /// Returns `false` if the answer differs from the one with this stored hash. Without the key of the hash, the
    /// answers cannot be compared, and the result is `true`.
    pub(crate) fn may_repeat(&self, stored: &KeyedDigest) -> bool {
        let mut all = std::iter::once(&self.sealed.digest).chain(&self.others);
        let same_key = all.find(|digest| digest.key_id == stored.key_id);
        same_key.is_none_or(|digest| digest.digest == stored.digest)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn digest(key_id: &str, digest: &str) -> KeyedDigest {
        KeyedDigest {
            key_id: key_id.to_owned(),
            digest: digest.to_owned(),
        }
    }

    #[test]
    fn repeat_is_compared_by_the_key_of_the_stored_hash() {
        let seal = AnswerSeal {
            sealed: SealedAnswer {
                text: "…".to_owned(),
                digest: digest("new", "1"),
            },
            others: vec![digest("old", "2")],
        };
        assert!(seal.may_repeat(&digest("new", "1")));
        assert!(seal.may_repeat(&digest("old", "2")));
        assert!(!seal.may_repeat(&digest("old", "1")));
        assert!(!seal.may_repeat(&digest("new", "2")));
        assert!(seal.may_repeat(&digest("unknown", "3")));
    }
}
