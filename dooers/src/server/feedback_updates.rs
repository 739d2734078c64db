//! Notifications of the program about feedback.

use super::callback::Callback;
use crate::store::FeedbackUpdate;
use std::sync::{Mutex, PoisonError};
use tokio::sync::mpsc;
use tokio::sync::mpsc::error::TrySendError;

/// Maximum number of updates that wait for the callback.
const WAITING: usize = 1_024;

/// The queue of updates for the program's callback.
///
/// The connection that gives feedback does not wait for the callback. If the callback is so slow that the queue is full,
/// further updates are dropped and logged. The feedback itself is stored.
#[derive(Debug, Default)]
pub(super) struct FeedbackUpdates(Mutex<Option<mpsc::Sender<FeedbackUpdate>>>);

impl FeedbackUpdates {
    /// Creates the queue, and the task that calls the callback. Without a callback, updates are ignored.
    pub(super) fn new(
        callback: Option<Callback<FeedbackUpdate>>,
    ) -> (Self, Option<impl Future<Output = ()> + Send + 'static>) {
        let Some(callback) = callback else {
            return (Self::default(), None);
        };
        let (sender, updates) = mpsc::channel(WAITING);
        (
            Self(Mutex::new(Some(sender))),
            Some(notify_all(callback, updates)),
        )
    }

    pub(super) fn push(&self, update: FeedbackUpdate) {
        let sender = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(sender) = &*sender else {
            return;
        };
        if let Err(TrySendError::Full(update)) = sender.try_send(update) {
            tracing::warn!(target: "dooers::feedback", thread_id = update.feedback.thread_id, feedback_id = update.feedback.id, "the program's callback for feedback is too slow; it is not called for this feedback, which is stored");
        }
    }

    /// Closes the queue. The callback is still called for the updates in it.
    pub(super) fn close(&self) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take();
    }
}

/// Calls the callback for each update, one after the other. An error of the callback is logged.
async fn notify_all(
    callback: Callback<FeedbackUpdate>,
    mut updates: mpsc::Receiver<FeedbackUpdate>,
) {
    while let Some(update) = updates.recv().await {
        let id = update.feedback.id.clone();
        if let Err(error) = callback.call(update).await {
            tracing::error!(target: "dooers::feedback", feedback_id = id, %error, "the program's callback for feedback failed; the feedback stays");
        }
    }
}
