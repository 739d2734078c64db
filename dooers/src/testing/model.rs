//! A fake model whose answers the test writes.

use super::fake_chunk::{FakeChunk, FakeModelError};
use super::script::{FakeReply, ScriptStep};
use crate::ToolCall;
use futures::stream::{self, BoxStream};
use futures::{StreamExt, TryStreamExt};
use serde::Serialize;
use serde_json::Value;
use std::collections::VecDeque;
use std::future::ready;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::task::yield_now;
use tokio::time::sleep;

/// The number of times that a piece yields to other tasks before it is sent. Earlier pieces are then stored in memory
/// and published, so that each piece is published on its own, as with a real network.
const YIELDS: usize = 4;

/// A model that returns the answers that a test wrote, one after the other, and records its prompts.
///
/// A clone is the same model: give one to the server with [`state`](super::TestServerBuilder::state), and keep one to
/// read the [`prompts`](Self::prompts).
///
/// ```
/// use dooers::prelude::*;
/// use dooers::testing::{FakeModel, TestServer};
/// use serde_json::json;
///
/// #[dooers::agent]
/// async fn support(
///     request: WorkerRequest,
///     response: WorkerResponse,
///     State(model): State<FakeModel>,
/// ) -> Result<()> {
///     response.stream_text(model.stream(&request.message)).await?;
///     Ok(())
/// }
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// let model = FakeModel::new().reply("Have you tried to turn it off?").error("overloaded");
/// let server = TestServer::of::<support>().state(model.clone()).await;
/// let mut ada = server.connect("ada").await;
/// ada.say("It does not work").await.assert_text("Have you tried to turn it off?");
/// let turn = ada.say("I have").await;
/// assert_eq!(turn.error().unwrap().to_string(), "overloaded");
/// assert_eq!(model.prompts(), [json!("It does not work"), json!("I have")]);
/// # }
/// ```
#[derive(Debug, Clone, Default)]
pub struct FakeModel(Arc<Mutex<ModelState>>);

#[derive(Debug, Default)]
struct ModelState {
    replies: VecDeque<FakeReply>,
    /// The number of answers so far, including those that were already returned.
    answers: usize,
    prompts: Vec<Value>,
}

impl FakeModel {
    /// Creates a model without answers.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds an answer: a string, which is returned word by word, or any [`FakeReply`].
    #[must_use = "a clone is the same model: keep one"]
    pub fn reply(self, reply: impl Into<FakeReply>) -> Self {
        self.push(reply);
        self
    }

    /// Adds an answer that calls a tool.
    #[must_use = "a clone is the same model: keep one"]
    pub fn tool_call(
        self,
        id: impl Into<String>,
        name: impl Into<String>,
        args: impl Into<Value>,
    ) -> Self {
        self.reply(FakeReply::new().tool_call(id, name, args))
    }

    /// Adds an answer that fails.
    #[must_use = "a clone is the same model: keep one"]
    pub fn error(self, text: impl Into<String>) -> Self {
        self.reply(FakeReply::new().error(text))
    }

    /// Adds an answer, as [`reply`](Self::reply) does, in the middle of a test.
    pub fn push(&self, reply: impl Into<FakeReply>) {
        let mut state = self.state();
        state.answers += 1;
        state.replies.push_back(reply.into());
    }

    /// Asks the model and returns the text of its answer piece by piece, for
    /// [`stream_text`](crate::WorkerResponse::stream_text) or a [`TextReply`](crate::TextReply).
    ///
    /// The prompt is the value that a real model's API would be sent.
    #[must_use = "the answer arrives through the stream"]
    pub fn stream(
        &self,
        prompt: impl Serialize,
    ) -> BoxStream<'static, Result<String, FakeModelError>> {
        let text = |chunk| match chunk {
            FakeChunk::Text(text) => Ok(Some(text)),
            FakeChunk::Reasoning(_) | FakeChunk::Usage(_) => Ok(None),
            FakeChunk::ToolCall(call) => Err(FakeModelError::ToolCall(call.name().to_owned())),
            #[cfg(feature = "tools")]
            FakeChunk::ToolCallPiece(piece) => {
                Err(FakeModelError::ToolCall(piece.name.unwrap_or_default()))
            }
        };
        let chunks = self.chunks(prompt);
        chunks
            .try_filter_map(move |chunk| ready(text(chunk)))
            .boxed()
    }

    /// Asks the model and returns text, reasoning, tool calls and usage as they arrive.
    #[must_use = "the answer arrives through the stream"]
    pub fn chunks(
        &self,
        prompt: impl Serialize,
    ) -> BoxStream<'static, Result<FakeChunk, FakeModelError>> {
        match self.ask(&prompt) {
            Ok(reply) => chunks_of(reply),
            Err(error) => stream::once(async { Err(error) }).boxed(),
        }
    }

    /// Asks the model and waits for the whole answer: its text and its tool calls.
    ///
    /// # Errors
    ///
    /// [`FakeModelError`] if the test wrote an error, or no answer is left.
    pub async fn complete(
        &self,
        prompt: impl Serialize,
    ) -> Result<(String, Vec<ToolCall>), FakeModelError> {
        let mut chunks = self.chunks(prompt);
        let (mut text, mut calls) = (String::new(), Vec::new());
        while let Some(chunk) = chunks.try_next().await? {
            match chunk {
                FakeChunk::Text(piece) => text += &piece,
                FakeChunk::ToolCall(call) => calls.push(call),
                _ => {}
            }
        }
        Ok((text, calls))
    }

    /// The prompts, the oldest first.
    #[must_use]
    pub fn prompts(&self) -> Vec<Value> {
        self.state().prompts.clone()
    }

    fn ask(&self, prompt: &impl Serialize) -> Result<FakeReply, FakeModelError> {
        let prompt = serde_json::to_value(prompt)
            .map_err(|error| FakeModelError::Prompt(error.to_string()))?;
        let mut state = self.state();
        state.prompts.push(prompt.clone());
        let reply = state.replies.pop_front();
        reply.ok_or_else(|| FakeModelError::ScriptIsOver {
            answers: state.answers,
            prompt,
        })
    }

    fn state(&self) -> MutexGuard<'_, ModelState> {
        // No code panics while it holds the lock.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The pieces of an answer, up to the first error.
fn chunks_of(reply: FakeReply) -> BoxStream<'static, Result<FakeChunk, FakeModelError>> {
    let delay = reply.delay;
    let next = move |mut steps: std::vec::IntoIter<ScriptStep>| async move {
        loop {
            let step = steps.next()?;
            if let ScriptStep::Pause(pause) = step {
                sleep(pause).await;
                continue;
            }
            wait(delay).await;
            let chunk = match step {
                ScriptStep::Text(text) => FakeChunk::Text(text),
                ScriptStep::Reasoning(text) => FakeChunk::Reasoning(text),
                ScriptStep::ToolCall(call) => FakeChunk::ToolCall(call),
                #[cfg(feature = "tools")]
                ScriptStep::ToolCallPiece(piece) => FakeChunk::ToolCallPiece(piece),
                ScriptStep::Usage(usage) => FakeChunk::Usage(usage),
                ScriptStep::Error(error) => return Some((Err(error), Vec::new().into_iter())),
                ScriptStep::Pause(_) => continue,
            };
            return Some((Ok(chunk), steps));
        }
    };
    stream::unfold(reply.steps.into_iter(), next).boxed()
}

/// Waits before a piece.
async fn wait(delay: Duration) {
    if delay.is_zero() {
        for _ in 0..YIELDS {
            yield_now().await;
        }
    } else {
        sleep(delay).await;
    }
}
