//! The answer of one step, while it arrives.

use super::assemble::PartialCalls;
use super::{Delta, ModelError};
use crate::protocol::Usage;
use crate::tool::ToolRequest;
use crate::{AgentError, EventId, TextStream, WorkerResponse};
use futures::TryStreamExt;
use futures::stream::BoxStream;
use tokio::task::coop::consume_budget;

/// The answer of one step. Its text and its reasoning are sent while they arrive.
///
/// However the step ends, also if it is dropped: the text so far stays in the thread, the usage so far is recorded, and
/// calls that are not complete are forgotten.
#[derive(Debug)]
pub(super) struct Answer<'a> {
    response: &'a WorkerResponse,
    message: Option<TextStream>,
    reasoning: Option<TextStream>,
    /// White space before the first word. It does not create a message, because models often write it before a call.
    blank: String,
    text: String,
    calls: PartialCalls,
    usage: ReportedUsage<'a>,
}

/// A complete answer.
#[derive(Debug)]
pub(super) struct WholeAnswer {
    pub(super) text: String,
    pub(super) event_id: Option<EventId>,
    pub(super) calls: Vec<ToolRequest>,
    pub(super) usage: Option<Usage>,
}

impl<'a> Answer<'a> {
    pub(super) fn new(response: &'a WorkerResponse) -> Self {
        Self {
            response,
            message: None,
            reasoning: None,
            blank: String::new(),
            text: String::new(),
            calls: PartialCalls::default(),
            usage: ReportedUsage {
                response,
                usage: None,
            },
        }
    }

    /// Returns true if something of the answer has arrived. Usage does not count.
    pub(super) fn has_begun(&self) -> bool {
        self.has_content() || self.reasoning.is_some()
    }

    /// Returns true if text or a call has arrived.
    pub(super) fn has_content(&self) -> bool {
        self.message.is_some() || !self.calls.is_empty()
    }

    /// Reads the answer to its end.
    pub(super) async fn read(
        &mut self,
        mut deltas: BoxStream<'_, Result<Delta, ModelError>>,
    ) -> Result<(), ModelError> {
        while let Some(delta) = deltas.try_next().await? {
            match delta {
                Delta::Text(text) if !text.is_empty() => self.push_text(&text),
                Delta::Reasoning(text) if !text.is_empty() => {
                    let begin = || self.response.reasoning_stream();
                    self.reasoning.get_or_insert_with(begin).push(text);
                }
                Delta::Text(_) | Delta::Reasoning(_) => {}
                Delta::ToolCall(piece) => self.calls.push(&piece)?,
                Delta::Usage(usage) => self.usage.usage = Some(usage),
            }
            // A stream that is always ready must not keep other tasks waiting, nor a cancellation of this one.
            consume_budget().await;
        }
        Ok(())
    }

    fn push_text(&mut self, text: &str) {
        if self.message.is_none() && text.trim().is_empty() {
            self.blank.push_str(text);
            return;
        }
        let first = self.text.len();
        self.text.push_str(&std::mem::take(&mut self.blank));
        self.text.push_str(text);
        let begin = || self.response.text_stream();
        self.message
            .get_or_insert_with(begin)
            .push(&self.text[first..]);
    }

    /// Ends the texts, records the usage, and waits until both are stored.
    pub(super) async fn finish(mut self) -> Result<WholeAnswer, AgentError> {
        if let Some(reasoning) = self.reasoning.take() {
            drop(reasoning.finish());
        }
        let usage = self.usage.record();
        let event_id = match self.message.take() {
            Some(message) => Some(message.finish().await?),
            None => None,
        };
        Ok(WholeAnswer {
            text: std::mem::take(&mut self.text),
            event_id,
            calls: std::mem::take(&mut self.calls).finish(),
            usage,
        })
    }
}

/// The usage of a step. It is recorded when this value is dropped, because providers also charge for an answer that breaks off
/// or is cancelled.
#[derive(Debug)]
struct ReportedUsage<'a> {
    response: &'a WorkerResponse,
    usage: Option<Usage>,
}

impl ReportedUsage<'_> {
    /// Records the usage and returns it. A usage that cannot be recorded is logged: the numbers of a server must not fail a turn.
    fn record(&mut self) -> Option<Usage> {
        let usage = self.usage.take()?;
        if let Err(error) = usage.check() {
            tracing::warn!(target: "dooers::model", error = &error as &dyn std::error::Error, "a usage that the model reported is not recorded");
            return None;
        }
        drop(self.response.usage(usage.clone()));
        Some(usage)
    }
}

impl Drop for ReportedUsage<'_> {
    fn drop(&mut self) {
        self.record();
    }
}
