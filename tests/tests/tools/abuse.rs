//! Calls and tools that no sensible model or program has. Each has a stated result, and the turn continues.

use dooers::prelude::*;
use dooers::protocol::{EventType, ThreadEvent};
use dooers::testing::TestServer;
use dooers::tool::{ToolEffect, ToolRequest, ToolResult};
use dooers::{AgentDefinition, Database, DynamicTool, WorkerServer};
use serde_json::{Value, json};
use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

fn any() -> Value {
    json!({"type": "object"})
}

/// Returns the length of its arguments as JSON.
fn measure() -> DynamicTool {
    DynamicTool::new("measure", any(), async |_, arguments: Value| {
        arguments.to_string().len()
    })
    .with_effect(ToolEffect::Read)
}

/// Starts a server of an agent with these tools.
async fn serve<F, A>(tools: Tools, handler: F) -> TestServer
where
    F: dooers::AgentFn<A>,
    A: 'static,
{
    let agent = AgentDefinition::from_fn("abuser", handler).with_tools(tools);
    let config = WorkerConfig::new().database(Database::Memory);
    TestServer::start(WorkerServer::new(config).add_agent(agent)).await
}

/// The ids of the calls and of the results among these events.
fn ids(events: &[ThreadEvent]) -> [Vec<String>; 2] {
    [EventType::ToolCall, EventType::ToolResult].map(|kind| {
        let found = events.iter().filter(|event| event.kind == kind);
        found
            .map(|event| {
                event.data.as_ref().unwrap()["id"]
                    .as_str()
                    .unwrap()
                    .to_owned()
            })
            .collect()
    })
}

fn check_pairs(events: &[ThreadEvent], expected: usize) {
    let [calls, results] = ids(events);
    let unique: HashSet<_> = calls.iter().collect();
    assert_eq!((calls.len(), unique.len()), (expected, expected));
    assert_eq!(results.len(), expected);
    assert_eq!(results.iter().collect::<HashSet<_>>(), unique);
}

#[tokio::test]
async fn thousand_calls_of_one_step_are_answered() {
    let handler = async |tools: Tools| {
        let calls = (0..1000)
            .map(|number| ToolRequest::new("c", "measure", format!("{{\"n\": {number}}}")));
        let results = tools.call_all(calls).await?;
        Ok::<_, AgentError>(
            results
                .iter()
                .filter(|result| !result.is_error())
                .count()
                .to_string(),
        )
    };
    let server = serve(Tools::new().with_tool(measure()), handler).await;
    let mut ada = server.connect("ada").await;
    let turn = ada.say("go").await;
    turn.assert_succeeded().assert_text("1000");
    check_pairs(turn.events(), 1000);
}

#[tokio::test]
async fn numbers_that_grow_when_written_are_limited() {
    let handler = async |tools: Tools| {
        // Each number has 4 bytes, and 16 when it is written out.
        let numbers = vec!["1e15"; 50_000].join(",");
        let result = tools
            .call("c", "measure", &format!("{{\"n\": [{numbers}]}}"))
            .await?;
        Ok::<_, AgentError>(result.text())
    };
    let server = serve(Tools::new().with_tool(measure()), handler).await;
    let mut ada = server.connect("ada").await;
    let turn = ada.say("go").await;
    turn.assert_succeeded();
    let stored = serde_json::to_string(turn.events()).unwrap().len();
    let expected = "the arguments are 850007 bytes long; at most 262144 are allowed";
    assert!(turn.text().contains(expected), "{}", turn.text());
    assert!(stored < 20_000, "{stored}");
}

#[tokio::test]
async fn names_that_no_tool_can_have_are_results() {
    let handler = async |tools: Tools, memory: WorkerMemory| {
        let names = [
            "",
            "\0",
            "meas\0ure",
            "measure ",
            "\u{202e}erusaem",
            "a\nb",
            "🦀",
        ];
        let mut calls: Vec<_> = names
            .iter()
            .map(|name| ToolRequest::new("c", *name, "\0"))
            .collect();
        calls.push(ToolRequest::new(
            "\0",
            "x".repeat(100_000),
            "\u{1}".repeat(100_000),
        ));
        let results = tools.call_all(calls).await?;
        for format in [
            HistoryFormat::OpenAi,
            HistoryFormat::Anthropic,
            HistoryFormat::Google,
        ] {
            memory.history(format).await?;
        }
        let texts: Vec<_> = results.iter().map(ToolResult::text).collect();
        Ok::<_, AgentError>(texts.join("\n"))
    };
    let server = serve(Tools::new().with_tool(measure()), handler).await;
    let mut ada = server.connect("ada").await;
    let turn = ada.say("go").await;
    turn.assert_succeeded();
    check_pairs(turn.events(), 8);
    let of_tools = turn
        .events()
        .iter()
        .filter(|event| event.kind != EventType::Message);
    let events = serde_json::to_string(&of_tools.collect::<Vec<_>>()).unwrap();
    assert!(!events.contains("\\u0000"), "{events}");
    assert!(events.len() < 40_000, "{}", events.len());
}

#[tokio::test]
async fn names_that_differ_only_in_u0000_are_explained() {
    let handler = async |tools: Tools| {
        let result = tools
            .call("c", "measure", r#"{"a": 1, "a\u0000": 2}"#)
            .await?;
        Ok::<_, AgentError>(result.text())
    };
    let server = serve(Tools::new().with_tool(measure()), handler).await;
    let mut ada = server.connect("ada").await;
    let turn = ada.say("go").await;
    turn.assert_succeeded();
    assert!(
        turn.text().contains("names differ only in U+0000"),
        "{}",
        turn.text()
    );
}

#[tokio::test]
async fn tool_may_call_other_tools() {
    let outer = DynamicTool::new("outer", any(), async |turn: Turn, _| {
        let tools = Tools::new().with_tool(measure()).for_turn(&turn);
        let inner = tools.call("c", "measure", "{}").await?;
        Ok::<_, AgentError>(inner.value().clone())
    });
    let handler = async |tools: Tools| {
        let first = tools.call("c", "outer", "{}").await?;
        let second = tools.call("d", "measure", "{}").await?;
        Ok::<_, AgentError>(format!("{} {}", first.text(), second.text()))
    };
    let server = serve(Tools::new().with_tool(outer).with_tool(measure()), handler).await;
    let mut ada = server.connect("ada").await;
    let turn = ada.say("go").await;
    turn.assert_succeeded().assert_text("2 2");
    check_pairs(turn.events(), 3);
}

#[tokio::test]
async fn inner_and_outer_calls_have_ids_of_their_own() {
    let outer = DynamicTool::new("outer", any(), async |turn: Turn, _| {
        let tools = Tools::new().with_tool(measure()).for_turn(&turn);
        let inner = tools.call("same", "measure", "{}").await?;
        Ok::<_, AgentError>(inner.value().clone())
    });
    let handler = async |tools: Tools| {
        tools.call("c", "outer", "{}").await?;
        tools.call("same", "measure", "{}").await?;
        Ok::<_, AgentError>("done")
    };
    let server = serve(Tools::new().with_tool(outer).with_tool(measure()), handler).await;
    let mut ada = server.connect("ada").await;
    let turn = ada.say("go").await;
    turn.assert_succeeded();
    check_pairs(turn.events(), 3);
}

#[tokio::test]
async fn one_set_serves_two_tasks() {
    let handler = async |tools: Tools| {
        let tools = Arc::new(tools);
        let tasks: Vec<_> = (0..2)
            .map(|_| {
                let tools = Arc::clone(&tools);
                tokio::spawn(async move {
                    for _ in 0..20 {
                        let calls = ["a", "b"].map(|id| ToolRequest::new(id, "measure", "{}"));
                        tools.call_all(calls).await?;
                    }
                    Ok::<_, AgentError>(())
                })
            })
            .collect();
        for task in tasks {
            task.await??;
        }
        Ok::<_, AgentError>("done")
    };
    let server = serve(Tools::new().with_tool(measure()), handler).await;
    let mut ada = server.connect("ada").await;
    let turn = ada.say("go").await;
    turn.assert_succeeded().assert_text("done");
    check_pairs(turn.events(), 80);
}

/// Panics when it is dropped.
struct Bomb;

impl Drop for Bomb {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            panic!("dropped");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn panics_of_drops_and_payloads_are_results() {
    let tools = Tools::new()
        .with_tool(DynamicTool::new("drops", any(), async |_, _| {
            let _bomb = Bomb;
        }))
        .with_tool(
            DynamicTool::new("late", any(), async |_, _| {
                let _bomb = Bomb;
                std::future::pending::<()>().await;
            })
            .with_timeout(Duration::from_secs(1)),
        )
        .with_tool(DynamicTool::new(
            "payload",
            any(),
            |_, _| -> std::future::Ready<()> { std::panic::panic_any(Bomb) },
        ));
    let handler = async |tools: Tools| {
        let names = ["drops", "late", "payload"];
        let calls = names.map(|name| ToolRequest::new("c", name, "{}"));
        let results = tools.call_all(calls).await?;
        let texts: Vec<_> = results.iter().map(ToolResult::text).collect();
        Ok::<_, AgentError>(texts.join("\n"))
    };
    let server = serve(tools, handler).await;
    let mut ada = server.connect("ada").await;
    let turn = ada.say("go").await;
    turn.assert_succeeded();
    let failed = r#"{"error":"the tool failed"}"#;
    turn.assert_text([failed; 3].join("\n"));
    check_pairs(turn.events(), 3);
}

#[tokio::test]
async fn cancelled_tool_that_panics_ends_as_cancelled() {
    let bomb = DynamicTool::new("late", any(), async |_, _| {
        let _bomb = Bomb;
        dooers_tests::gate::pass("never-opened-bomb").await;
    });
    let handler = async |tools: Tools| {
        tools.call("c", "late", "{}").await?;
        Ok::<_, AgentError>("done")
    };
    let server = serve(Tools::new().with_tool(bomb), handler).await;
    let mut ada = server.connect("ada").await;
    let message = ada.send("go").await;
    dooers_tests::gate::arrived("never-opened-bomb").await;
    ada.cancel().await;
    let turn = ada.turn_of(&message).await;
    turn.assert_canceled();
    check_pairs(turn.events(), 1);
}
