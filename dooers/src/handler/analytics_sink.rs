//! The parts of a server and of a turn that analytics use.

use crate::error::SendError;
use crate::protocol::AnalyticsEvent;
use crate::store::{Admitted, NewFeedback, Participant, Scope, StoreError};
use futures::future::BoxFuture;
use std::fmt;
use std::sync::Arc;
use tokio::sync::oneshot;

/// The server's part of analytics.
pub(crate) trait AnalyticsSink: fmt::Debug + Send + Sync {
    /// Stores an event that is not part of a turn, and publishes it. This happens even if the result is not awaited.
    fn track(
        &self,
        scope: &Scope,
        event: AnalyticsEvent,
    ) -> oneshot::Receiver<Result<(), SendError>>;

    /// Stores a feedback by the rule of the verb `feedback`.
    fn give_feedback(
        &self,
        scope: Scope,
        given: Admitted<NewFeedback>,
    ) -> BoxFuture<'static, Result<(), StoreError>>;
}

/// The context of the analytics of a turn.
#[derive(Debug)]
pub(crate) struct TurnAnalytics {
    /// The threads in which the sender of the turn's message participates.
    pub(crate) scope: Scope,
    pub(crate) thread_id: String,
    /// The message that the turn answers.
    pub(crate) event_id: String,
    /// The sender of the message.
    pub(crate) participant: Participant,
    pub(crate) sink: Arc<dyn AnalyticsSink>,
}
