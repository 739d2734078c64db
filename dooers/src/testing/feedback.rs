//! The feedback of a client's user.

use super::client::TestClient;
use crate::protocol::{ErrorBody, FeedbackTarget, FeedbackValue};
use serde_json::json;

impl TestClient {
    /// Likes an event, a run or a thread.
    ///
    /// ```
    /// # use dooers::prelude::*;
    /// # use dooers::protocol::FeedbackValue;
    /// # use dooers::testing::TestServer;
    /// # #[dooers::agent]
    /// # async fn echo(request: WorkerRequest) -> String { request.message }
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() {
    /// # let server = TestServer::of::<echo>().await;
    /// let mut ada = server.connect("ada").await;
    /// ada.say("hello").await;
    /// let answer = ada.conversation().events()[1].clone();
    /// ada.like(&answer).await.unwrap();
    ///
    /// // A page that is loaded again shows it.
    /// let mut again = server.connect("ada").await;
    /// let shown = again.subscribe(ada.thread_id()).await.unwrap();
    /// assert_eq!(shown.feedback(&answer.id), Some(FeedbackValue::Like));
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// The refusal of the server: `NOT_FOUND` if this user sees no such object, or if the event was removed.
    pub async fn like(&mut self, target: impl Into<FeedbackTarget>) -> Result<(), ErrorBody> {
        self.feedback(target, FeedbackValue::Like, None, None).await
    }

    /// Dislikes an event, a run or a thread.
    ///
    /// # Errors
    ///
    /// As [`like`](Self::like).
    pub async fn dislike(&mut self, target: impl Into<FeedbackTarget>) -> Result<(), ErrorBody> {
        self.feedback(target, FeedbackValue::Dislike, None, None)
            .await
    }

    /// Gives feedback on an event, a run or a thread, with a reason and a classification.
    ///
    /// # Errors
    ///
    /// As [`like`](Self::like), and `INVALID_PAYLOAD` for a reason or a classification that is too long.
    pub async fn feedback(
        &mut self,
        target: impl Into<FeedbackTarget>,
        value: FeedbackValue,
        reason: Option<&str>,
        classification: Option<&str>,
    ) -> Result<(), ErrorBody> {
        let target = target.into();
        let payload = json!({
            "target_type": target.target_type(),
            "target_id": target.id(),
            "feedback": value,
            "reason": reason,
            "classification": classification,
        });
        self.try_request("feedback", payload).await?;
        if let FeedbackTarget::Event(event_id) = target {
            let mut conversations = self.conversations.values_mut();
            let shown = conversations.find(|shown| shown.event(&event_id).is_some());
            if let Some(conversation) = shown {
                conversation.take_feedback(event_id, value);
            }
        }
        Ok(())
    }
}
