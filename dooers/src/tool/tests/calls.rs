//! Calls, their events and their results.

use super::{Bench, failing, mirror};
use crate::protocol::ContentPart;
use crate::tool::{DynamicTool, MAX_RESULT_BYTES, ToolEffect, ToolOutput, ToolRequest, Tools};
use crate::{Turn, WorkerRequest, WorkerResponse};
use serde_json::{Value, json};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use tokio::sync::Barrier;

fn any() -> Value {
    json!({"type": "object"})
}

/// A tool that waits until `calls` calls of it are running.
fn meets(name: &str, effect: ToolEffect, calls: usize) -> DynamicTool {
    let barrier = Arc::new(Barrier::new(calls));
    let handler = move |_turn: Turn, arguments: Value| {
        let barrier = Arc::clone(&barrier);
        async move {
            barrier.wait().await;
            arguments
        }
    };
    DynamicTool::new(name, any(), handler).with_effect(effect)
}

fn requests(calls: &[(&str, &str)]) -> Vec<ToolRequest> {
    let numbered = calls.iter().enumerate();
    numbered
        .map(|(at, (name, arguments))| ToolRequest::new(format!("c{at}"), *name, *arguments))
        .collect()
}

#[tokio::test]
async fn call_and_result_are_stored() {
    let bench = Bench::new(Tools::new().with_tool(mirror("weather")));
    let result = bench
        .tools
        .call("call_1", "weather", r#"{"city": "Paris"}"#)
        .await
        .unwrap();
    assert!(!result.is_error());
    assert_eq!((result.id(), result.name()), ("call_1", "weather"));
    assert_eq!(result.text(), r#"{"city":"Paris"}"#);
    let replies = bench.sent.replies();
    let data: Vec<_> = replies.iter().map(|reply| reply.data().unwrap()).collect();
    let call = json!({"id": "call_1", "name": "weather", "display_name": "weather", "args": {"city": "Paris"}});
    let mut stored = call.clone();
    stored["result"] = json!({"city": "Paris"});
    assert_eq!(data, [&call, &stored]);
    assert_eq!(replies[0].kind().as_str(), "tool.call");
    assert_eq!(replies[1].kind().as_str(), "tool.result");
}

#[tokio::test]
async fn call_is_stored_before_the_tool_runs() {
    let (response, sent) = WorkerResponse::recorder();
    let turn = Turn::new(WorkerRequest::new("go"), response);
    let seen = sent.clone();
    let tool = DynamicTool::new("count", any(), move |_turn, _arguments| {
        let seen = seen.clone();
        async move { seen.replies().len() }
    });
    let tools = Tools::new().with_tool(tool).for_turn(&turn);
    let calls = requests(&[("count", ""), ("count", "")]);
    let results = tools.call_all(calls).await.unwrap();
    assert_eq!(results[0].value(), 2, "both calls are stored first");
    assert_eq!(results[1].value(), 3);
}

#[tokio::test]
async fn reads_run_side_by_side_in_the_order_of_results() {
    let bench = Bench::new(Tools::new().with_tool(meets("read", ToolEffect::Read, 3)));
    let calls = requests(&[
        ("read", r#"{"n":0}"#),
        ("read", r#"{"n":1}"#),
        ("read", r#"{"n":2}"#),
    ]);
    let results = bench.tools.call_all(calls).await.unwrap();
    let values: Vec<_> = results
        .iter()
        .map(|result| result.value()["n"].clone())
        .collect();
    assert_eq!(values, [0, 1, 2]);
    let kinds: Vec<_> = bench.events().iter().map(|(kind, _)| *kind).collect();
    assert_eq!(kinds[..3], ["tool.call"; 3]);
    assert_eq!(kinds[3..], ["tool.result"; 3]);
}

#[tokio::test]
async fn writes_run_one_after_another() {
    let log: Arc<Mutex<Vec<String>>> = Arc::default();
    let tool = |name: &str, effect| {
        let log = Arc::clone(&log);
        let handler = move |_turn: Turn, arguments: Value| {
            let log = Arc::clone(&log);
            async move {
                log.lock()
                    .unwrap()
                    .push(format!("begin {}", arguments["n"]));
                for _ in 0..10 {
                    tokio::task::yield_now().await;
                }
                log.lock().unwrap().push(format!("end {}", arguments["n"]));
            }
        };
        DynamicTool::new(name, any(), handler).with_effect(effect)
    };
    let tools = Tools::new()
        .with_tool(tool("write", ToolEffect::Write))
        .with_tool(tool("read", ToolEffect::Read));
    let bench = Bench::new(tools);
    let calls = [
        ("write", r#"{"n":0}"#),
        ("write", r#"{"n":1}"#),
        ("read", r#"{"n":2}"#),
        ("read", r#"{"n":3}"#),
        ("write", r#"{"n":4}"#),
    ];
    bench.tools.call_all(requests(&calls)).await.unwrap();
    let expected = [
        "begin 0", "end 0", "begin 1", "end 1", "begin 2", "begin 3", "end 2", "end 3", "begin 4",
        "end 4",
    ];
    assert_eq!(*log.lock().unwrap(), expected);
}

#[tokio::test]
async fn at_most_sixteen_reads_run_at_once() {
    let running = Arc::new(AtomicUsize::new(0));
    let most = Arc::new(AtomicUsize::new(0));
    let tool = {
        let (running, most) = (Arc::clone(&running), Arc::clone(&most));
        let handler = move |_turn: Turn, _arguments: Value| {
            let (running, most) = (Arc::clone(&running), Arc::clone(&most));
            async move {
                most.fetch_max(
                    running.fetch_add(1, Ordering::Relaxed) + 1,
                    Ordering::Relaxed,
                );
                tokio::task::yield_now().await;
                running.fetch_sub(1, Ordering::Relaxed);
            }
        };
        DynamicTool::new("read", any(), handler).with_effect(ToolEffect::Read)
    };
    let bench = Bench::new(Tools::new().with_tool(tool));
    let results = bench
        .tools
        .call_all(requests(&[("read", ""); 100]))
        .await
        .unwrap();
    assert_eq!(results.len(), 100);
    assert_eq!(most.load(Ordering::Relaxed), 16);
}

#[tokio::test]
async fn failure_is_a_result_with_a_text_for_the_model() {
    let bench = Bench::new(failing());
    for (tool, expected) in [
        ("public", "The shop is closed."),
        ("private", "the tool failed"),
        ("panics", "the tool failed"),
        ("panics_at_once", "the tool failed"),
    ] {
        assert_eq!(bench.refusal(tool, "{}").await, expected, "{tool}");
    }
    let stored = format!("{:?}", bench.sent.replies());
    assert!(!stored.contains("hunter2"), "{stored}");
}

#[tokio::test(start_paused = true)]
async fn tool_that_never_returns_is_stopped_at_its_limit() {
    let bench = Bench::new(failing().with_tool(mirror("mirror")));
    let calls = requests(&[("hangs", ""), ("hangs", ""), ("mirror", "")]);
    let results = bench.tools.call_all(calls).await.unwrap();
    for result in &results[..2] {
        assert_eq!(
            result.value()["error"],
            "the tool took longer than its time limit of 10s and was stopped; it may have had an effect"
        );
    }
    assert!(!results[2].is_error());
}

#[tokio::test]
async fn unknown_tool_is_a_result_with_a_suggestion() {
    let bench = Bench::new(
        Tools::new()
            .with_tool(mirror("weather"))
            .with_tool(mirror("refund")),
    );
    for (name, expected) in [
        (
            "wether",
            "there is no tool `wether`; did you mean `weather`?",
        ),
        ("", "there is no tool ``; the tools are `weather`, `refund`"),
        (
            "functions.weather",
            "there is no tool `functions.weather`; the tools are `weather`, `refund`",
        ),
        (
            "…",
            "there is no tool `…`; the tools are `weather`, `refund`",
        ),
    ] {
        assert_eq!(bench.refusal(name, "{}").await, expected);
    }
    let empty = Bench::new(Tools::new());
    let text = empty.refusal(&"n".repeat(1 << 20), "{}").await;
    assert!(text.len() < 200, "{text}");
    assert!(format!("{:?}", empty.sent.replies()).len() < 4096);
}

#[tokio::test]
async fn name_with_replaced_characters_finds_its_tool() {
    let tools = ["files_read", "7zip", "a-b", "a_b"];
    let tools = tools
        .into_iter()
        .fold(Tools::new(), |tools, name| tools.with_tool(mirror(name)));
    let bench = Bench::new(tools);
    for (name, found) in [
        ("files.read", "files_read"),
        ("files/read", "files_read"),
        ("_7zip", "7zip"),
    ] {
        let result = bench.call(name, "{}").await;
        assert_eq!((result.name(), result.is_error()), (found, false), "{name}");
    }
    assert_eq!(bench.call("a-b", "{}").await.name(), "a-b");
    assert!(bench.call("a.c", "{}").await.is_error());
}

#[tokio::test]
async fn result_that_cannot_be_stored_is_an_error() {
    let large = DynamicTool::new("large", any(), async |_, _| "x".repeat(MAX_RESULT_BYTES));
    let deep = DynamicTool::new("deep", any(), async |_, _| {
        ToolOutput::json((0..100_000).fold(json!(1), |inner, _| Value::Array(vec![inner])))
    });
    let bench = Bench::new(Tools::new().with_tool(large).with_tool(deep));
    assert_eq!(
        bench.refusal("large", "").await,
        "the result of the tool is 524290 bytes long; at most 524288 are allowed; ask for less"
    );
    assert_eq!(
        bench.refusal("deep", "").await,
        "the result of the tool cannot be used, because it is nested deeper than 119 levels"
    );
}

#[tokio::test]
async fn output_is_text_json_or_parts() {
    let text = DynamicTool::new("text", any(), async |_, _| "sunny");
    let nothing = DynamicTool::new("nothing", any(), async |_, _| ());
    let parts = DynamicTool::new("parts", any(), async |_, _| {
        ToolOutput::parts(vec![ContentPart::text("a"), ContentPart::text("b")])
    });
    let bench = Bench::new(
        Tools::new()
            .with_tool(text)
            .with_tool(nothing)
            .with_tool(parts),
    );
    assert_eq!(bench.call("text", "").await.text(), "sunny");
    assert_eq!(bench.call("nothing", "").await.text(), "null");
    assert_eq!(bench.call("parts", "").await.text(), "a\nb");
}

#[tokio::test]
async fn set_that_is_not_bound_cannot_call() {
    let tools = Tools::new().with_tool(mirror("tool"));
    let error = tools.call("c", "tool", "{}").await.unwrap_err();
    assert!(error.to_string().contains("not bound to a turn"), "{error}");
}

#[tokio::test]
async fn last_of_two_tools_with_one_name_is_called() {
    let first = DynamicTool::new("tool", any(), async |_, _| 1);
    let last = DynamicTool::new("tool", any(), async |_, _| 2);
    let bench = Bench::new(Tools::new().with_tool(first).with_tool(last));
    assert_eq!(bench.call("tool", "").await.value(), 2);
    assert_eq!(bench.tools.names(), ["tool"]);
    assert_eq!(bench.tools.len(), 1);
}

#[tokio::test]
async fn no_calls_have_no_results() {
    let bench = Bench::new(Tools::new());
    assert!(bench.tools.call_all([]).await.unwrap().is_empty());
    assert!(bench.events().is_empty());
}
