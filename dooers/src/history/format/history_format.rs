//! The formats, and the writer of each.

use super::turns::Turns;
use super::writer::FormatWriter;
use super::{anthropic, cohere, google, open_ai, open_ai_responses, voyage};
use crate::history::ChatMessage;
use serde_json::Value;
use std::collections::VecDeque;

/// The API format in which a history is written.
///
/// The values are the messages that the API accepts. Instructions for the model are not included: every API takes them
/// in its own place, and the program adds them.
///
/// Images that users send are passed by URL if the URL is `http` or `https`. The same applies to PDFs if the API loads
/// them. All other parts that are not text, and everything that is not text in the assistant's messages, become a
/// short text in brackets. The result of each tool call directly follows the call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum HistoryFormat {
    /// `messages` of OpenAI's Chat Completions API, as openai-python described it in 2026.
    ///
    /// Tool calls are `tool_calls`, and results are messages with the role `tool`. Author names are in `name`, with
    /// `_` in place of characters that OpenAI does not accept.
    OpenAi,
    /// `input` of OpenAI's Responses API, as openai-python described it in 2026.
    ///
    /// Tool calls are items of the type `function_call`, and results are items of the type `function_call_output`.
    /// PDFs are passed by URL.
    OpenAiResponses,
    /// `messages` of Anthropic's Messages API, version `2023-06-01`, as anthropic-sdk-python described it in 2026.
    ///
    /// Consecutive messages of one role are merged. Tool calls are `tool_use` blocks, and results are `tool_result`
    /// blocks at the beginning of the next message. PDFs are passed by URL. The first and the last message are the
    /// user's, as models from Opus 4.6 on require. If one of them is missing, it is `[the history begins here]` or
    /// `[continue]`.
    Anthropic,
    /// `contents` of `generateContent` in Google's Gemini API, version `v1beta`.
    ///
    /// Consecutive turns of the model are merged. Tool calls are `functionCall` parts, and results are
    /// `functionResponse` parts in contents of their own. Images and PDFs are passed by URL, which older models do not
    /// load. The first and the last contents are the user's, as with [`Anthropic`](Self::Anthropic). Thought
    /// signatures are not stored in a thread. For the tool calls of the current turn, keep the contents that the model
    /// returned.
    Google,
    /// `messages` of Cohere's Chat API, version 2, as cohere-python described it in 2025.
    ///
    /// Tool calls are `tool_calls`, with the text before them as `tool_plan`. Results are messages with the role
    /// `tool`.
    Cohere,
    /// Roles and texts as for OpenAI, without anything else. Voyage AI has no chat API: its embeddings and rerankers
    /// take texts.
    ///
    /// Tool calls are assistant texts in brackets.
    Voyage,
}

impl HistoryFormat {
    /// Renders messages, which must be in chronological order.
    ///
    /// ```
    /// # use dooers::prelude::*;
    /// # async fn f(memory: WorkerMemory) -> Result<()> {
    /// let messages = memory.messages().limit(200).await?;
    /// let recent = &messages[messages.len().saturating_sub(20)..];
    /// let history = HistoryFormat::Anthropic.render(recent);
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn render(self, messages: &[ChatMessage]) -> Vec<Value> {
        let mut writer = self.writer();
        let mut out = VecDeque::new();
        for message in messages {
            writer.write(message, &mut out);
        }
        writer.finish(&mut out);
        out.into()
    }

    pub(super) fn writer(self) -> Box<dyn FormatWriter> {
        match self {
            Self::OpenAi => Box::new(open_ai::OpenAi),
            Self::OpenAiResponses => Box::new(open_ai_responses::OpenAiResponses),
            Self::Anthropic => Box::new(Turns::new(&anthropic::STYLE)),
            Self::Google => Box::new(Turns::new(&google::STYLE)),
            Self::Cohere => Box::new(cohere::Cohere),
            Self::Voyage => Box::new(voyage::Voyage),
        }
    }
}
