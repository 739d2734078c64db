//! Forms whose answer a running turn waits for.

use super::{SealedAnswer, TurnKey};

/// A form whose answer a running turn waits for. It is stored with the turn, and ends with the attempt that asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Question {
    /// The event of the form.
    pub form_event_id: String,
    /// The only user who may answer. `None` if everyone who may write in the thread may answer.
    pub user_id: Option<String>,
    /// The answer. A question without one is open.
    pub answer: Option<GivenAnswer>,
}

/// The answer to a question.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GivenAnswer {
    /// The event of the answer.
    pub event_id: String,
    /// The values of the password fields, if any were filled.
    pub sealed: Option<SealedAnswer>,
}

/// A question that was answered, for the process that runs its turn.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AnsweredQuestion {
    /// The turn that waits.
    pub turn: TurnKey,
    /// The event of the form.
    pub form_event_id: String,
    /// The values of the password fields, if any were filled.
    pub sealed: Option<SealedAnswer>,
}

impl Question {
    /// Creates an open question.
    pub(crate) fn new(form_event_id: String, user_id: Option<String>) -> Self {
        Self {
            form_event_id,
            user_id,
            answer: None,
        }
    }

    /// Returns `true` if the question has no answer.
    pub(crate) fn is_open(&self) -> bool {
        self.answer.is_none()
    }
}
