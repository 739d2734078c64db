//! Feedback of users in its stored form, and queries for it.

use super::page::{InvalidCursor, ListPosition};
use super::{Order, Participant, Scope, StoreError};
use crate::protocol::{FeedbackTarget, FeedbackTargetType, FeedbackValue};
use crate::store::listing::Span;
use chrono::{DateTime, NaiveDate, Utc};
use std::fmt;
use std::str::FromStr;

/// The feedback of a user on an event, a run or a thread. A user has at most one on each of them.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Feedback {
    /// The unique id. It stays the same when the user changes the feedback.
    pub id: String,
    /// The id of the thread that is, or contains, the target.
    pub thread_id: String,
    /// The object that the feedback is about.
    pub target: FeedbackTarget,
    /// The user who gave the feedback. Empty for an anonymous user.
    pub user_id: String,
    /// The opinion.
    pub value: FeedbackValue,
    /// The user's explanation, of at most [`MAX_REASON_BYTES`](crate::protocol::MAX_REASON_BYTES).
    pub reason: Option<String>,
    /// The category that the user chose, of at most
    /// [`MAX_CLASSIFICATION_BYTES`](crate::protocol::MAX_CLASSIFICATION_BYTES).
    pub classification: Option<String>,
    /// The time at which the user first gave feedback on the target.
    pub created_at: DateTime<Utc>,
    /// The time of the last change. It never decreases.
    pub updated_at: DateTime<Utc>,
}

/// A feedback that is new or has changed, for [`WorkerServer::on_feedback`](crate::WorkerServer::on_feedback).
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct FeedbackUpdate {
    /// The agent, worker, organization and workspace of the thread, for all viewers.
    pub scope: Scope,
    /// The new feedback.
    pub feedback: Feedback,
    /// The user's previous opinion on the same target. `None` if the feedback is new.
    pub previous: Option<FeedbackValue>,
    /// The run: the target itself, or the run of the event.
    pub run_id: Option<String>,
    /// The event: the target itself, or the message that the run answers.
    pub event_id: Option<String>,
}

/// A feedback that a user gives.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewFeedback {
    /// The id, if the user has given no feedback on the target before.
    pub id: String,
    /// The object that the feedback is about.
    pub target: FeedbackTarget,
    /// The user.
    pub user_id: String,
    /// The user, or the connection of an anonymous user. It has at most one feedback on each target.
    pub participant: Participant,
    /// The opinion.
    pub value: FeedbackValue,
    /// The explanation.
    pub reason: Option<String>,
    /// The category.
    pub classification: Option<String>,
    /// The current time.
    pub at: DateTime<Utc>,
}

/// The result of storing a feedback.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GivenFeedback {
    /// The stored feedback.
    pub update: FeedbackUpdate,
    /// `false` if the same feedback was stored before, so that nothing has changed.
    pub is_changed: bool,
}

impl NewFeedback {
    /// The error for a target that does not exist, is removed, or is not visible in the scope.
    pub(crate) fn not_found(&self) -> StoreError {
        StoreError::NotFound(self.target.target_type().as_str())
    }

    /// Returns the feedback to store in place of `before`.
    pub(crate) fn replacing(&self, before: Option<&Feedback>, thread_id: &str) -> Feedback {
        Feedback {
            id: before.map_or(&self.id, |before| &before.id).clone(),
            thread_id: thread_id.to_owned(),
            target: self.target.clone(),
            user_id: self.user_id.clone(),
            value: self.value,
            reason: self.reason.clone(),
            classification: self.classification.clone(),
            created_at: before.map_or(self.at, |before| before.created_at),
            updated_at: before.map_or(self.at, |before| before.updated_at.max(self.at)),
        }
    }

    /// Returns `true` if the stored feedback says the same.
    pub(crate) fn repeats(&self, stored: &Feedback) -> bool {
        self.value == stored.value
            && self.reason == stored.reason
            && self.classification == stored.classification
    }
}

/// A feedback with the column that programs do not see.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct KeptFeedback {
    /// The user, or the connection of an anonymous user.
    pub(crate) participant: Participant,
    pub(crate) feedback: Feedback,
}

impl KeptFeedback {
    /// Returns `true` if this is the participant's feedback on the target.
    pub(crate) fn is_of(&self, participant: &Participant, target: &FeedbackTarget) -> bool {
        self.participant == *participant && self.feedback.target == *target
    }
}

/// A query for feedback of a scope. Results are ordered by the time of the last change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FeedbackQuery {
    /// Only feedback on targets of this type.
    pub target_type: Option<FeedbackTargetType>,
    /// Only feedback with this opinion.
    pub value: Option<FeedbackValue>,
    /// Only feedback in this thread.
    pub thread_id: Option<String>,
    /// Only feedback of this user.
    pub user_id: Option<String>,
    /// Only feedback that was last changed at this time or later.
    pub since: Option<DateTime<Utc>>,
    /// Only feedback that was last changed before this time.
    pub before: Option<DateTime<Utc>>,
    /// The direction of the results.
    pub order: Order,
    /// Only feedback after this one, in the order of the results.
    pub after: Option<FeedbackCursor>,
    /// Maximum number of results.
    pub limit: usize,
}

impl FeedbackQuery {
    /// A query for the feedback that was changed last.
    #[must_use]
    pub fn newest(limit: usize) -> Self {
        Self {
            target_type: None,
            value: None,
            thread_id: None,
            user_id: None,
            since: None,
            before: None,
            order: Order::NewestFirst,
            after: None,
            limit,
        }
    }

    /// Returns the part of the list of all feedback that the query covers.
    pub(crate) fn span(&self) -> Span {
        let after = self.after.as_ref().map(FeedbackCursor::place);
        Span::of(self.order, after, self.since, self.before)
    }

    /// Returns `true` if a feedback passes the filters for the target type, the opinion and the user.
    pub(crate) fn admits(&self, feedback: &Feedback) -> bool {
        let target_type = feedback.target.target_type();
        self.target_type
            .is_none_or(|admitted| admitted == target_type)
            && self.value.is_none_or(|admitted| admitted == feedback.value)
            && (self.user_id.as_ref()).is_none_or(|admitted| *admitted == feedback.user_id)
    }
}

/// The period of which feedback is counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct FeedbackPeriod {
    /// Only feedback that was last changed at this time or later.
    pub since: Option<DateTime<Utc>>,
    /// Only feedback that was last changed before this time.
    pub before: Option<DateTime<Utc>>,
}

impl FeedbackPeriod {
    /// Returns the part of the list of all feedback that the period covers.
    pub(crate) fn span(self) -> Span {
        Span::of(Order::OldestFirst, None, self.since, self.before)
    }
}

/// The number of likes and dislikes of an agent on one day.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct FeedbackDay {
    /// The agent's name.
    pub agent: String,
    /// The day in UTC on which the feedback was last changed.
    pub day: NaiveDate,
    /// The number of likes.
    pub likes: u64,
    /// The number of dislikes.
    pub dislikes: u64,
}

/// The end of a page of feedback.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FeedbackCursor {
    /// The `updated_at` of the page's last feedback.
    pub updated_at: DateTime<Utc>,
    /// The id of that feedback.
    pub id: String,
}

impl FeedbackCursor {
    pub(crate) fn place(&self) -> ListPosition {
        ListPosition::of(self.updated_at, &self.id)
    }
}

impl fmt::Display for FeedbackCursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.place().fmt(f)
    }
}

impl FromStr for FeedbackCursor {
    type Err = InvalidCursor;

    fn from_str(text: &str) -> Result<Self, InvalidCursor> {
        let place: ListPosition = text.parse()?;
        Ok(Self {
            updated_at: place.time(),
            id: place.id,
        })
    }
}
