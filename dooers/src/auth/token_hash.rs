//! The hash of a token.

use sha2::{Digest, Sha256};
use std::fmt;
use subtle::ConstantTimeEq;

/// The SHA-256 hash of a token.
///
/// A fast hash is right for tokens: they are random and long, so nobody can find one by trying. A slow hash protects
/// passwords, which people choose, and would cost much time at each `connect`.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct TokenHash([u8; 32]);

impl TokenHash {
    /// Computes the hash of a token.
    pub(super) fn of(token: &str) -> Self {
        Self(Sha256::digest(token).into())
    }

    /// Reads 64 hexadecimal digits.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let digits = text.as_bytes();
        if digits.len() != 64 {
            return None;
        }
        let mut hash = [0; 32];
        for (byte, pair) in hash.iter_mut().zip(digits.chunks(2)) {
            let mut digits = pair.iter().map(|digit| char::from(*digit).to_digit(16));
            let (high, low) = (digits.next()??, digits.next()??);
            *byte = u8::try_from(high << 4 | low).ok()?;
        }
        Some(Self(hash))
    }

    /// Compares two hashes in a time that does not depend on their contents.
    pub(super) fn is_same(&self, other: &Self) -> bool {
        self.0.ct_eq(&other.0).into()
    }
}

/// Writes hexadecimal digits.
impl fmt::Display for TokenHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for TokenHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TokenHash(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hash_is_that_of_sha256sum() {
        // Computed by `printf %s 0123456789abcdef0123456789abcdef | sha256sum`.
        let expected = "3eb1bd439947eb762998e566ccc2e099c791118b2f40579cc4f7da2b5061b7f9";
        let hash = TokenHash::of("0123456789abcdef0123456789abcdef");
        assert_eq!(hash.to_string(), expected);
        assert_eq!(TokenHash::parse(expected), Some(hash));
        assert_eq!(TokenHash::parse(&expected.to_uppercase()), Some(hash));
        assert!(hash.is_same(&hash) && !hash.is_same(&TokenHash::of("")));
        for text in ["", "00", &"g".repeat(64), &"é".repeat(32), &"0".repeat(65)] {
            assert_eq!(TokenHash::parse(text), None, "{text}");
        }
    }
}
