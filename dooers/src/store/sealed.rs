//! Answers to forms that the store keeps sealed, for the handler alone.
//!
//! The store has no keys. Whoever asks it to store an answer gives the answer sealed as well, and the store keeps that
//! with the turn if the form has password fields that were filled. It is deleted with the turn's row.

/// The values of an answer, sealed with a key that the store does not have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SealedAnswer {
    /// The ciphertext.
    pub text: String,
    /// The hash of the answer's data, by which the same answer is known when it is sent again, with the key that also
    /// sealed the values.
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

/// An answer as it is offered to the store: sealed with the first key of the server, and hashed with each of its keys.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AnswerSeal {
    /// The answer, sealed and hashed with the first key.
    pub sealed: SealedAnswer,
    /// The hashes with the other keys. An answer that was stored before may have been hashed with one of these.
    pub others: Vec<KeyedDigest>,
}

impl AnswerSeal {
    /// Whether the answer may be the one that was stored with this hash. Without the key of the hash nobody knows.
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
