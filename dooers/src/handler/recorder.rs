//! A recorder of the events that a handler sends, for unit tests.

use super::draft::Draft;
use super::form_reply::FormReply;
use super::outbox::Outbox;
use super::reply::Reply;
use crate::protocol::{AnalyticsEvent, Usage};
use crate::store::{Feedback, ThreadPatch};
use std::sync::Arc;

/// Reads what was sent to the response of [`WorkerResponse::recorder`](crate::WorkerResponse::recorder).
#[derive(Debug, Clone)]
pub struct Recorder {
    outbox: Arc<Outbox>,
}

impl Recorder {
    pub(super) fn new(outbox: Arc<Outbox>) -> Self {
        Self { outbox }
    }

    /// Sets the reply to the next form that the handler [asks](crate::WorkerResponse::ask_form). Several replies are given in
    /// their order. An answer is checked against the form, as the server does.
    ///
    /// A form that is asked without a reply returns an error that says so. Call this before the handler starts.
    ///
    /// ```
    /// use dooers::prelude::*;
    /// use serde_json::json;
    ///
    /// #[dooers::agent]
    /// async fn refunds(request: WorkerRequest, response: WorkerResponse) -> Result<String> {
    ///     let form = Form::new("How much?").element(FormElement::number("eur", "EUR").required());
    ///     Ok(match response.ask_form(&form).await? {
    ///         FormReply::Answered(answer) => format!("{} EUR", answer.number("eur").unwrap_or_default()),
    ///         _ => "Nothing".to_owned(),
    ///     })
    /// }
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<()> {
    /// let (response, sent) = WorkerResponse::recorder();
    /// sent.answer(FormReply::answered(json!({"eur": 20})));
    /// assert_eq!(refunds(WorkerRequest::new("refund"), response.clone()).await?, "20 EUR");
    ///
    /// sent.answer(FormReply::Expired);
    /// assert_eq!(refunds(WorkerRequest::new("refund"), response).await?, "Nothing");
    /// assert_eq!(sent.replies().len(), 2);
    /// # Ok(())
    /// # }
    /// ```
    pub fn answer(&self, reply: FormReply) {
        self.outbox.questions().script(reply);
    }

    /// The events sent so far, in order.
    #[must_use]
    pub fn replies(&self) -> Vec<Reply> {
        let reply_of = |draft| match draft {
            Draft::Event { reply, .. } => Some(*reply),
            Draft::TextEnded { .. }
            | Draft::Thread(_)
            | Draft::RunStarted { .. }
            | Draft::RunEnded { .. }
            | Draft::Usage { .. }
            | Draft::QuestionEnded { .. } => None,
        };
        self.outbox
            .recorded()
            .into_iter()
            .filter_map(reply_of)
            .collect()
    }

    /// The texts of the events sent so far, in order.
    #[must_use]
    pub fn texts(&self) -> Vec<String> {
        self.replies().iter().map(Reply::as_text).collect()
    }

    /// The analytics events that were tracked so far, in order.
    ///
    /// ```
    /// use dooers::prelude::*;
    ///
    /// #[dooers::agent]
    /// async fn shop(request: WorkerRequest, analytics: WorkerAnalytics) -> &'static str {
    ///     analytics.track("order.placed", serde_json::json!({"what": request.message}));
    ///     "Ordered."
    /// }
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() {
    /// let (response, sent) = WorkerResponse::recorder();
    /// shop(WorkerRequest::new("tea"), response.analytics()).await;
    /// assert_eq!(sent.tracked()[0].event, "order.placed");
    /// # }
    /// ```
    #[must_use]
    pub fn tracked(&self) -> Vec<AnalyticsEvent> {
        self.outbox.tracked()
    }

    /// The feedback that was given by [`WorkerAnalytics`](crate::WorkerAnalytics), in the order of the last changes.
    #[must_use]
    pub fn feedback(&self) -> Vec<Feedback> {
        self.outbox.feedback()
    }

    /// The changes of the thread so far, in order.
    #[must_use]
    pub fn thread_updates(&self) -> Vec<ThreadPatch> {
        let patch_of = |draft| match draft {
            Draft::Thread(patch) => Some(patch),
            Draft::Event { .. }
            | Draft::TextEnded { .. }
            | Draft::RunStarted { .. }
            | Draft::RunEnded { .. }
            | Draft::Usage { .. }
            | Draft::QuestionEnded { .. } => None,
        };
        self.outbox
            .recorded()
            .into_iter()
            .filter_map(patch_of)
            .collect()
    }

    /// The usage reported so far, in order.
    #[must_use]
    pub fn usage(&self) -> Vec<Usage> {
        let usage_of = |draft| match draft {
            Draft::Usage { usage, .. } => Some(usage),
            Draft::Event { .. }
            | Draft::TextEnded { .. }
            | Draft::Thread(_)
            | Draft::RunStarted { .. }
            | Draft::RunEnded { .. }
            | Draft::QuestionEnded { .. } => None,
        };
        self.outbox
            .recorded()
            .into_iter()
            .filter_map(usage_of)
            .collect()
    }
}
