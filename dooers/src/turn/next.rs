//! The next step of a thread.

use crate::store::Claim;
use chrono::{DateTime, Utc};

/// The next step of a thread.
pub(super) enum Next {
    Turn(Box<Claim>),
    /// A turn may be retried from this time on.
    NotBefore(DateTime<Utc>),
    Nothing,
}

impl From<Option<Claim>> for Next {
    fn from(claim: Option<Claim>) -> Self {
        claim.map_or(Self::Nothing, |claim| Self::Turn(Box::new(claim)))
    }
}
