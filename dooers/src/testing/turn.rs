//! A turn that has ended.

use super::conversation::Conversation;
use crate::AgentError;
use crate::history::{OpenCalls, ToolKey};
use crate::protocol::{Actor, AnalyticsEvent, EventType, ModelUsage, Run, ThreadEvent, said_text};
use crate::turn::{TurnOutcome, TurnRecord};
use serde_json::Value;

/// A turn that has ended: everything that the agent did to answer one message.
///
/// The `assert_…` methods print the whole conversation when they fail. The other methods return values that you can
/// compare by any other means. [`conversation`](Self::conversation) can be printed.
#[derive(Debug, Clone)]
pub struct TestTurn {
    event_id: String,
    events: Vec<ThreadEvent>,
    runs: Vec<Run>,
    conversation: Conversation,
    record: TurnRecord,
}

/// A tool that the agent called.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct CalledTool {
    /// The id that pairs the call with its result.
    pub id: String,
    /// The name of the tool.
    pub name: String,
    /// The arguments of the call.
    pub args: Value,
    /// The result of the call, if it was sent.
    pub result: Option<Value>,
}

impl TestTurn {
    pub(super) fn new(
        event_id: String,
        events: Vec<ThreadEvent>,
        conversation: Conversation,
        record: TurnRecord,
    ) -> Self {
        let runs = conversation.runs().iter();
        let runs = runs.filter(|run| run.event_id.as_deref() == Some(&*event_id));
        Self {
            runs: runs.cloned().collect(),
            event_id,
            events,
            conversation,
            record,
        }
    }

    /// The id of the message that the turn answers.
    #[must_use]
    pub fn event_id(&self) -> &str {
        &self.event_id
    }

    /// The id of the thread.
    #[must_use]
    pub fn thread_id(&self) -> &str {
        self.conversation.thread_id()
    }

    /// The texts of the agent's messages, separated by blank lines. Messages without text, such as images, are left
    /// out.
    #[must_use]
    pub fn text(&self) -> String {
        said_text(&self.events)
    }

    /// The texts of the agent's messages.
    #[must_use]
    pub fn texts(&self) -> Vec<String> {
        self.texts_of(ThreadEvent::is_said)
    }

    /// The texts of the model's reasoning.
    #[must_use]
    pub fn reasoning(&self) -> Vec<String> {
        self.texts_of(|event| event.kind == EventType::Reasoning)
    }

    /// The texts of messages from the server, such as the message that the agent failed.
    #[must_use]
    pub fn notices(&self) -> Vec<String> {
        self.texts_of(|event| event.actor == Actor::System)
    }

    /// All events of the turn, without the message itself.
    #[must_use]
    pub fn events(&self) -> &[ThreadEvent] {
        &self.events
    }

    /// The tools that the agent called, with their results.
    ///
    /// A result belongs to a call of the same run with the same id and name that has no result yet. If there are
    /// several, it belongs to the one with the same arguments, or else to the first one.
    /// [`WorkerMemory`](crate::WorkerMemory) describes the rule.
    #[must_use]
    pub fn tool_calls(&self) -> Vec<CalledTool> {
        let mut calls = Vec::new();
        let mut open = OpenCalls::default();
        for event in &self.events {
            match event.kind {
                EventType::ToolCall | EventType::ToolTransaction => {
                    if event.kind == EventType::ToolCall {
                        open.add(ToolKey::of(event), calls.len());
                    }
                    calls.push(CalledTool::of(event));
                }
                EventType::ToolResult => {
                    let call = open.take(&ToolKey::of(event));
                    if let Some(call) = call.and_then(|call| calls.get_mut(call)) {
                        call.result = member(event, "result");
                    }
                }
                _ => {}
            }
        }
        calls
    }

    /// The form that the agent sent, as it is on the wire.
    #[must_use]
    pub fn form(&self) -> Option<&Value> {
        let is_form = |event: &&ThreadEvent| event.kind == EventType::Form;
        self.events.iter().find(is_form)?.data.as_ref()
    }

    /// The run of the turn. If the agent starts its runs itself, it is the last one.
    #[must_use]
    pub fn run(&self) -> Option<&Run> {
        self.runs.last()
    }

    /// The runs of the turn. There is exactly one, unless the agent starts its runs itself.
    #[must_use]
    pub fn runs(&self) -> &[Run] {
        &self.runs
    }

    /// The usage that the handler reported with [`WorkerResponse::usage`](crate::WorkerResponse::usage), summed up by model.
    ///
    /// ```
    /// # use dooers::prelude::*;
    /// # use dooers::testing::TestServer;
    /// #[dooers::agent]
    /// async fn helper(response: WorkerResponse) {
    ///     for _ in 0..2 {
    ///         response.usage(Usage::new("small").input_tokens(500).output_tokens(20));
    ///     }
    /// }
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() {
    /// let server = TestServer::of::<helper>().await;
    /// let turn = server.connect("ada").await.say("hello").await;
    /// assert_eq!(turn.usage()[0].input_tokens, 1_000);
    /// # }
    /// ```
    #[must_use]
    pub fn usage(&self) -> Vec<ModelUsage> {
        let mut sums = Vec::new();
        let all = self.runs.iter().flat_map(|run| &run.usage);
        all.for_each(|usage| usage.add_to(&mut sums));
        sums
    }

    /// The error of the handler, as it is logged. It is not meant for users.
    #[must_use]
    pub fn error(&self) -> Option<&AgentError> {
        match &*self.record.ended.as_ref()?.outcome {
            TurnOutcome::Failed(error) => Some(error),
            TurnOutcome::Succeeded
            | TurnOutcome::Cancelled
            | TurnOutcome::TimedOut
            | TurnOutcome::Interrupted => None,
        }
    }

    /// The analytics events that the handler tracked, in order. They include those of failed attempts.
    #[must_use]
    pub fn tracked(&self) -> &[AnalyticsEvent] {
        &self.record.tracked
    }

    /// The conversation at the end of the turn.
    #[must_use]
    pub fn conversation(&self) -> &Conversation {
        &self.conversation
    }

    fn texts_of(&self, is_meant: impl Fn(&ThreadEvent) -> bool) -> Vec<String> {
        let events = self.events.iter().filter(|event| is_meant(event));
        events.map(ThreadEvent::text).collect()
    }
}

impl CalledTool {
    fn of(event: &ThreadEvent) -> Self {
        let text = |name| match member(event, name) {
            Some(Value::String(text)) => text,
            _ => String::new(),
        };
        Self {
            id: text("id"),
            name: text("name"),
            args: member(event, "args").unwrap_or_default(),
            result: member(event, "result"),
        }
    }
}

/// A member of the data of an event.
fn member(event: &ThreadEvent, name: &str) -> Option<Value> {
    event.data.as_ref()?.get(name).cloned()
}
