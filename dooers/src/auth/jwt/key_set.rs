//! The keys of an issuer.

use super::invalid::InvalidJwt;
use super::key::JwtKey;
use jsonwebtoken::Header;
use std::collections::HashSet;

/// The keys of an issuer. Their ids are distinct.
#[derive(Debug, Clone)]
pub(super) struct KeySet(Vec<JwtKey>);

impl KeySet {
    pub(super) fn new(keys: Vec<JwtKey>) -> Result<Self, InvalidJwt> {
        if keys.is_empty() {
            return Err(InvalidJwt::NoKey);
        }
        let mut ids = HashSet::new();
        let mut named = keys.iter().filter_map(|key| key.kid.as_deref());
        if !named.all(|id| ids.insert(id)) {
            return Err(InvalidJwt::DuplicateKeyId);
        }
        Ok(Self(keys))
    }

    /// Creates the set of the keys that an issuer publishes. It may be empty.
    pub(super) fn published(keys: Vec<JwtKey>) -> Self {
        Self(keys)
    }

    /// Returns false if the token names a key that is not in the set.
    pub(super) fn may_have(&self, header: &Header) -> bool {
        let Some(named) = &header.kid else {
            return true;
        };
        self.0
            .iter()
            .any(|key| key.kid.as_ref().is_none_or(|id| id == named))
    }

    /// The number of keys.
    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    /// Returns the keys that may have signed a token with this header. A token or a key without an id may belong to any
    /// other. The header selects among the keys, and never changes the algorithm of a key.
    pub(super) fn candidates<'a>(&'a self, header: &'a Header) -> impl Iterator<Item = &'a JwtKey> {
        let may_be = |key: &JwtKey| match (&key.kid, &header.kid) {
            (Some(id), Some(named)) => id == named,
            _ => true,
        };
        self.0
            .iter()
            .filter(move |key| may_be(key) && key.algorithm == header.alg)
    }
}
