//! Forms that a handler asks, and whose answers it waits for.

use super::form_reply::FormReply;
use super::outbox::Outbox;
use super::questions::{LastState, QuestionReply};
use super::reply::Reply;
use super::sent::Sent;
use crate::AgentError;
use crate::error::SendError;
use crate::protocol::{AskedForm, new_id, timestamp};
use chrono::TimeDelta;
use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::oneshot;
use tokio::time::{Instant, sleep_until};

/// The time for which a handler waits for an answer, by default.
const DEFAULT_TIMEOUT: Duration = Duration::from_secs(600);

/// The longest time for which a handler can wait for an answer.
const MAX_TIMEOUT: Duration = Duration::from_secs(7 * 24 * 3600);

/// A form that a handler asks, created by [`WorkerResponse::ask_form`](crate::WorkerResponse::ask_form). Awaiting it sends the
/// form and returns the [`FormReply`].
#[must_use = "the form is not sent until it is awaited"]
pub struct AskForm {
    outbox: Arc<Outbox>,
    form: Reply,
    timeout: Duration,
    user_id: Option<String>,
    tool_call_id: Option<String>,
}

impl AskForm {
    pub(super) fn new(outbox: Arc<Outbox>, form: Reply) -> Self {
        Self {
            outbox,
            form,
            timeout: DEFAULT_TIMEOUT,
            user_id: None,
            tool_call_id: None,
        }
    }

    /// Sets how long to wait for the answer: more than zero, and at most 7 days. Default: 10 minutes.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// Accepts an answer only from the user with this id. By default, everyone who may write in the thread may answer. An
    /// empty id accepts answers of all anonymous users who may write in the thread.
    pub fn only_user(mut self, user_id: impl Into<String>) -> Self {
        self.user_id = Some(user_id.into());
        self
    }

    /// Makes the form ask for the approval of the tool call with this id.
    #[cfg(feature = "tools")]
    pub(crate) fn approving(mut self, tool_call_id: impl Into<String>) -> Self {
        self.tool_call_id = Some(tool_call_id.into());
        self
    }

    async fn ask(self) -> QuestionReply {
        if self.timeout.is_zero() || self.timeout > MAX_TIMEOUT {
            return Err(
                "the timeout of an asked form must be more than zero and at most 7 days".into(),
            );
        }
        let deadline = Instant::now() + self.timeout;
        let expires_at = timestamp::now() + TimeDelta::from_std(self.timeout).unwrap_or_default();
        let mut form = self.form;
        if let Some(data) = &mut form.data {
            let asked = AskedForm {
                user_id: self.user_id,
                tool_call_id: self.tool_call_id,
                ..AskedForm::new(expires_at)
            };
            asked.add_to(data);
        }
        let (mut question, sent) = Question::begin(self.outbox, form, deadline)?;
        sent.await?;
        tokio::select! {
            biased;
            reply = &mut question.reply => return received(reply),
            () = sleep_until(deadline) => question.outbox.end_question(&question.form_event_id, false),
        }
        // The store decides if the form was answered before its time was over.
        received((&mut question.reply).await)
    }
}

impl IntoFuture for AskForm {
    type Output = Result<FormReply, AgentError>;
    type IntoFuture = Pin<Box<dyn Future<Output = Self::Output> + Send>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(self.ask())
    }
}

impl fmt::Debug for AskForm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AskForm")
            .field("form", &self.form)
            .field("timeout", &self.timeout)
            .field("user_id", &self.user_id)
            .field("tool_call_id", &self.tool_call_id)
            .finish_non_exhaustive()
    }
}

/// A form that a handler waits for. If it is dropped without a reply, the form is closed.
struct Question {
    outbox: Arc<Outbox>,
    form_event_id: String,
    reply: oneshot::Receiver<QuestionReply>,
}

impl Question {
    /// Sends a form and starts to wait.
    fn begin(
        outbox: Arc<Outbox>,
        form: Reply,
        deadline: Instant,
    ) -> Result<(Self, Sent), AgentError> {
        let form_event_id = new_id();
        let questions = outbox.questions();
        let reply = questions.begin(&form_event_id, form.data.as_ref(), deadline)?;
        for received in questions.take_received() {
            outbox.end_question(&received, true);
        }
        let stored = outbox.send_as(&form_event_id, form);
        let sent = Sent::new(form_event_id.clone().into(), stored);
        let question = Self {
            outbox,
            form_event_id,
            reply,
        };
        Ok((question, sent))
    }
}

impl Drop for Question {
    fn drop(&mut self) {
        if self.outbox.questions().end(&self.form_event_id) == LastState::Open {
            self.outbox.end_question(&self.form_event_id, true);
        }
    }
}

/// The reply to a form, or the error if the turn ended before.
fn received(reply: Result<QuestionReply, oneshot::error::RecvError>) -> QuestionReply {
    let ended = SendError::turn_ended("the turn has ended; nobody waits for the answer any more");
    reply.unwrap_or_else(|_| Err(ended.into()))
}
