//! What was said, as APIs take it. Each of them is a file.

mod anthropic;
mod cohere;
mod google;
mod open_ai;
mod open_ai_responses;
mod turns;
mod voyage;

use super::ChatMessage;
use super::filter::Shown;
use super::query::Shape;
use super::transcript::Transcript;
use crate::protocol::ThreadEvent;
use serde_json::Value;
use std::collections::VecDeque;
use std::fmt::Debug;
use turns::Turns;

/// As which API a history is written.
///
/// Its values are what that API takes as its messages. Instructions for the model, which every API takes in its own
/// place, are the program's to add.
///
/// Pictures that users send go by their addresses, where these are `http` or `https`; so do PDFs where the API loads
/// them. What else is no text, and what the assistant sent, is a short text in brackets. Each use of a tool has its
/// result right behind it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum HistoryFormat {
    /// `messages` of OpenAI's Chat Completions API, as openai-python described it in 2026.
    ///
    /// Tools are `tool_calls` and messages of the role `tool`. Names of authors are in `name`, with `_` for what OpenAI
    /// does not take there.
    OpenAi,
    /// `input` of OpenAI's Responses API, as openai-python described it in 2026.
    ///
    /// Tools are items of the types `function_call` and `function_call_output`. PDFs go by their addresses.
    OpenAiResponses,
    /// `messages` of Anthropic's Messages API, version `2023-06-01`, as anthropic-sdk-python described it in 2026.
    ///
    /// Neighbours of one role are one message. Tools are blocks of the types `tool_use` and `tool_result`, the latter at
    /// the beginning of the next message. PDFs go by their addresses. The first message and the last one are the user's,
    /// which models from Opus 4.6 on demand: what is missing is `[the history begins here]` or `[continue]`.
    Anthropic,
    /// `contents` of `generateContent` in Google's Gemini API, version `v1beta`.
    ///
    /// Neighbours of the model are one. Tools are parts `functionCall` and `functionResponse`, the latter in contents of
    /// their own. PDFs go by their addresses, which older models do not load, nor pictures so. The first contents and the
    /// last ones are the user's, as with [`Anthropic`](Self::Anthropic). Signatures of thoughts are no part of a thread,
    /// so that the calls of the turn that goes on are better kept as the model gave them.
    Google,
    /// `messages` of Cohere's Chat API, version 2, as cohere-python described it in 2025.
    ///
    /// Tools are `tool_calls`, with the text before them as `tool_plan`, and messages of the role `tool`.
    Cohere,
    /// Roles and texts, as for OpenAI and with nothing else. Voyage AI has no chat: its embeddings and rerankers take
    /// texts.
    ///
    /// Tools are texts of the assistant in brackets.
    Voyage,
}

impl HistoryFormat {
    /// Writes these messages, which are in their order.
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

    fn writer(self) -> Box<dyn Writer> {
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

/// Writes messages one after the other.
trait Writer: Debug + Send {
    /// Writes a message, or what its neighbours allow to be written of it.
    fn write(&mut self, message: &ChatMessage, out: &mut VecDeque<Value>);

    /// Writes the rest.
    fn finish(&mut self, out: &mut VecDeque<Value>) {
        let _ = out;
    }
}

/// Events as an API takes them.
#[derive(Debug)]
pub(super) struct History {
    transcript: Transcript,
    messages: VecDeque<ChatMessage>,
    writer: Box<dyn Writer>,
}

impl History {
    pub(super) fn new(format: HistoryFormat) -> Self {
        Self {
            transcript: Transcript::default(),
            messages: VecDeque::new(),
            writer: format.writer(),
        }
    }

    fn write(&mut self, ready: &mut VecDeque<Value>) {
        for message in self.messages.drain(..) {
            self.writer.write(&message, ready);
        }
    }
}

impl Shape<Value> for History {
    fn shown(&self) -> Shown {
        self.transcript.shown()
    }

    fn push(&mut self, event: ThreadEvent, ready: &mut VecDeque<Value>) {
        self.transcript.push(event, &mut self.messages);
        self.write(ready);
    }

    fn finish(&mut self, ready: &mut VecDeque<Value>) {
        self.transcript.finish(&mut self.messages);
        self.write(ready);
        self.writer.finish(ready);
    }

    fn missing_form<'a>(&self, event: &'a ThreadEvent) -> Option<&'a str> {
        self.transcript.missing_form(event)
    }

    fn know_form(&mut self, event_id: &str, form: Option<&ThreadEvent>) {
        self.transcript.know_form(event_id, form);
    }
}
