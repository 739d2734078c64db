//! The refusal of a value that must not be stored.

use super::ErrorBody;

/// The reason why a value must not be stored.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{member}` {problem}")]
pub(crate) struct NotAdmitted {
    /// The refused member, by its name in the API.
    pub(crate) member: &'static str,
    /// The broken rule, and the way out.
    pub(crate) problem: String,
}

impl NotAdmitted {
    pub(crate) fn new(member: &'static str, problem: impl Into<String>) -> Self {
        Self {
            member,
            problem: problem.into(),
        }
    }

    /// The refusal of a frame that contains the member at this place.
    pub(crate) fn at(&self, place: &str) -> ErrorBody {
        ErrorBody::invalid_payload(format!("`{place}` {}", self.problem))
    }
}
