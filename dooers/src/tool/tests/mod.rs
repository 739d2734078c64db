//! Tests of tools without a server.

mod approvals;
mod arguments;
mod calls;
mod definitions;
mod ids;
mod misfits;
mod mistakes;
mod random;
mod strict;
#[cfg(feature = "testing")]
mod turns;
mod unfinished;

use super::{DynamicTool, ToolEffect, ToolResult, Tools};
use crate::history::tests::{FORMATS, rules};
use crate::protocol::{EventType, ThreadEvent};
use crate::{AgentError, Recorder, Turn, WorkerMemory, WorkerRequest, WorkerResponse};
use futures::FutureExt;
use serde_json::{Value, json};
use std::time::Duration;

/// A turn of a unit test with tools.
struct Bench {
    tools: Tools,
    sent: Recorder,
}

impl Bench {
    fn new(tools: Tools) -> Self {
        let (response, sent) = WorkerResponse::recorder();
        let turn = Turn::new(WorkerRequest::new("go"), response);
        Self {
            tools: tools.for_turn(&turn),
            sent,
        }
    }

    fn with_memory(tools: Tools, memory: WorkerMemory) -> Self {
        let (response, sent) = WorkerResponse::recorder();
        let turn = Turn::new(WorkerRequest::new("go"), response).with_memory(memory);
        Self {
            tools: tools.for_turn(&turn),
            sent,
        }
    }

    async fn call(&self, name: &str, arguments: &str) -> ToolResult {
        self.tools.call("c", name, arguments).await.unwrap()
    }

    /// The text of the error that the model gets.
    async fn refusal(&self, name: &str, arguments: &str) -> String {
        let result = self.call(name, arguments).await;
        assert!(result.is_error(), "{result:?}");
        result.value()["error"].as_str().unwrap().to_owned()
    }

    /// The types and ids of the events that were sent.
    fn events(&self) -> Vec<(&'static str, String)> {
        let replies = self.sent.replies();
        let event = |reply: &crate::Reply| {
            let id = reply.data().unwrap()["id"].as_str().unwrap_or_default();
            (reply.kind().as_str(), id.to_owned())
        };
        replies.iter().map(event).collect()
    }
}

/// Panics if a provider would refuse the history of any prefix of these events.
fn check_every_prefix(events: &[ThreadEvent]) {
    for end in 0..=events.len() {
        let memory = WorkerMemory::of(events[..end].iter().cloned());
        for (format, _) in FORMATS {
            let history = memory.history(format).limit(1000).into_future();
            let history = history.now_or_never().unwrap().unwrap();
            rules::check(format, &history);
        }
    }
}

/// Panics unless each call has exactly one result, behind it, and an id of its own.
fn check_pairs(events: &[ThreadEvent]) {
    let ids = |kind: EventType| -> Vec<(usize, &str)> {
        let numbered = events.iter().enumerate();
        let found = numbered.filter(|(_, event)| event.kind == kind);
        found
            .map(|(at, event)| (at, event.data.as_ref().unwrap()["id"].as_str().unwrap()))
            .collect()
    };
    let (calls, mut results) = (ids(EventType::ToolCall), ids(EventType::ToolResult));
    for (at, id) in &calls {
        assert_eq!(
            calls.iter().filter(|(_, other)| other == id).count(),
            1,
            "{id}"
        );
        let result = results.iter().position(|(_, other)| other == id);
        let (behind, _) = results.remove(result.expect("each call has a result"));
        assert!(behind > *at, "{id}");
    }
    assert!(results.is_empty(), "{results:?}");
}

/// A tool that takes anything and returns its arguments.
fn mirror(name: &str) -> DynamicTool {
    let schema = json!({"type": "object"});
    DynamicTool::new(name, schema, async |_turn, arguments: Value| arguments)
}

/// The schema of an object with these members, of which `required` are required.
fn object(properties: Value, required: &[&str]) -> Value {
    json!({"type": "object", "properties": properties, "required": required, "additionalProperties": false})
}

/// A tool with this schema that returns its arguments.
fn checked(schema: Value) -> Tools {
    let tool = DynamicTool::new("tool", schema, async |_turn, arguments: Value| arguments);
    Tools::new().with_tool(tool)
}

/// Tools that fail in every way.
fn failing() -> Tools {
    let any = || json!({"type": "object"});
    Tools::new()
        .with_tool(DynamicTool::new("public", any(), async |_, _| {
            Err::<(), _>(AgentError::public("The shop is closed."))
        }))
        .with_tool(DynamicTool::new("private", any(), async |_, _| {
            Err::<(), _>("password hunter2 was refused")
        }))
        .with_tool(DynamicTool::new("panics", any(), async |_, _| {
            let nothing: Option<u8> = None;
            nothing.unwrap()
        }))
        .with_tool(DynamicTool::new(
            "panics_at_once",
            any(),
            |_, _| -> std::future::Ready<()> { panic!("at once") },
        ))
        .with_tool(
            DynamicTool::new("hangs", any(), async |_, _| {
                std::future::pending::<()>().await
            })
            .with_effect(ToolEffect::Read)
            .with_timeout(Duration::from_secs(10)),
        )
}
