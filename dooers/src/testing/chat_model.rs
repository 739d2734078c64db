//! The fake model as a `ChatModel`.

use super::fake_chunk::{FakeChunk, FakeModelError};
use super::model::FakeModel;
use crate::model::{ChatModel, Delta, ModelError, ModelRequest, ToolCallPiece};
use crate::tool::ToolFormat;
use crate::{HistoryFormat, ToolCall};
use futures::stream::{self, BoxStream};
use futures::{StreamExt, TryStreamExt};
use serde_json::json;

/// The number of pieces of a call's arguments, at most.
const PIECES: usize = 64;

/// The fake model speaks OpenAI's formats. Its [`prompts`](FakeModel::prompts) are objects with the members `messages`, `tools`
/// and `system`. The arguments of a tool call arrive in up to 64 pieces, as from a real model.
///
/// ```
/// use dooers::model::RunOptions;
/// use dooers::prelude::*;
/// use dooers::testing::{FakeModel, TestServer};
/// use serde_json::json;
///
/// /// Tells the time in a city.
/// #[dooers::tool]
/// async fn clock(city: String) -> String {
///     format!("noon in {city}")
/// }
///
/// #[dooers::agent(tools(clock))]
/// async fn helper(
///     tools: Tools,
///     memory: WorkerMemory,
///     response: WorkerResponse,
///     State(model): State<FakeModel>,
/// ) -> Result<()> {
///     tools.run(&model, &memory, &response, RunOptions::new()).await?;
///     Ok(())
/// }
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// let model = FakeModel::new()
///     .tool_call("call_1", "clock", json!({"city": "Paris"}))
///     .reply("It is noon.");
/// let server = TestServer::of::<helper>().state(model.clone()).await;
/// let mut ada = server.connect("ada").await;
/// ada.say("How late is it in Paris?").await.assert_text("It is noon.");
/// assert_eq!(model.prompts()[1]["messages"][2]["content"], "noon in Paris");
/// # }
/// ```
impl ChatModel for FakeModel {
    fn history_format(&self) -> HistoryFormat {
        HistoryFormat::OpenAi
    }

    fn tool_format(&self) -> ToolFormat {
        ToolFormat::OpenAi
    }

    fn stream(&self, request: ModelRequest) -> BoxStream<'_, Result<Delta, ModelError>> {
        let ask = move || {
            let prompt = json!({
                "messages": request.history,
                "tools": request.tools,
                "system": request.system,
            });
            self.chunks(prompt).map_err(model_error)
        };
        // The model is asked when the stream is polled.
        let chunks = stream::once(async move { ask() }).flatten();
        let with_index = chunks.scan(0, |calls, chunk| {
            let index = *calls;
            *calls += usize::from(matches!(chunk, Ok(FakeChunk::ToolCall(_))));
            std::future::ready(Some(chunk.map(|chunk| (index, chunk))))
        });
        with_index
            .map_ok(|(index, chunk)| stream::iter(deltas(index, chunk).into_iter().map(Ok)))
            .try_flatten()
            .boxed()
    }
}

fn deltas(index: usize, chunk: FakeChunk) -> Vec<Delta> {
    match chunk {
        FakeChunk::Text(text) => vec![Delta::Text(text)],
        FakeChunk::Reasoning(text) => vec![Delta::Reasoning(text)],
        FakeChunk::ToolCall(call) => pieces(index, &call),
        FakeChunk::ToolCallPiece(piece) => vec![Delta::ToolCall(piece)],
        FakeChunk::Usage(usage) => vec![Delta::Usage(usage)],
    }
}

/// The pieces of a call: its id and its name, then its arguments.
fn pieces(index: usize, call: &ToolCall) -> Vec<Delta> {
    let name = ToolCallPiece::new(index).id(call.id()).name(call.name());
    let arguments: Vec<char> = call.args().to_string().chars().collect();
    let length = arguments.len().div_ceil(PIECES);
    let arguments = arguments.chunks(length);
    let arguments = arguments.map(|chars| {
        let text: String = chars.iter().collect();
        ToolCallPiece::new(index).arguments(text)
    });
    let all = std::iter::once(name).chain(arguments);
    all.map(Delta::ToolCall).collect()
}

fn model_error(error: FakeModelError) -> ModelError {
    match error {
        FakeModelError::Retryable {
            text,
            retry_after: Some(wait),
        } => ModelError::retryable(text).with_retry_after(wait),
        FakeModelError::Retryable { text, .. } => ModelError::retryable(text),
        other => ModelError::new(other.to_string()),
    }
}
