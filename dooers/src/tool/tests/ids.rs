//! Ids that models repeat, leave empty or write in their own way.

use super::{Bench, mirror};
use crate::tool::{ToolRequest, Tools};
use crate::{Reply, ToolCall, WorkerMemory, WorkerRequest};
use serde_json::json;
use std::collections::HashSet;

fn tools() -> Tools {
    Tools::new().with_tool(mirror("tool"))
}

#[tokio::test]
async fn id_of_the_model_is_kept_if_it_is_new() {
    let bench = Bench::new(tools());
    for id in ["call_1", "toolu_01A-b", &"x".repeat(40)] {
        assert_eq!(bench.tools.call(id, "tool", "").await.unwrap().id(), id);
    }
}

#[tokio::test]
async fn repeated_and_unusable_ids_are_replaced() {
    let bench = Bench::new(tools());
    let ids = [
        "c",
        "c",
        "",
        "",
        "functions.tool:0",
        "ä",
        &"x".repeat(41),
        "c\0",
    ];
    let calls = ids.iter().map(|id| ToolRequest::new(*id, "tool", ""));
    let results = bench.tools.call_all(calls).await.unwrap();
    assert_eq!(results[0].id(), "c");
    let unique: HashSet<_> = results.iter().map(|result| result.id()).collect();
    assert_eq!(unique.len(), ids.len());
    // The same set of a later step knows the ids.
    let later = bench.tools.clone().call("c", "tool", "").await.unwrap();
    assert!(!unique.contains(later.id()));
    let sent = bench.events();
    let (calls, results): (Vec<_>, Vec<_>) =
        sent.into_iter().partition(|(kind, _)| *kind == "tool.call");
    let ids =
        |events: Vec<(&str, String)>| events.into_iter().map(|(_, id)| id).collect::<Vec<_>>();
    assert_eq!(ids(calls), ids(results));
}

#[tokio::test]
async fn id_of_the_history_is_replaced() {
    let call = || ToolCall::new("call_0", "tool", json!({}));
    let memory = WorkerMemory::of([
        WorkerRequest::new("first").into(),
        Reply::tool_call(call()).into(),
        Reply::tool_result(call(), "done").into(),
        Reply::tool_transaction(ToolCall::new("call_1", "tool", json!({})), "done").into(),
        WorkerRequest::new("again").into(),
    ]);
    let bench = Bench::with_memory(tools(), memory);
    for (id, is_kept) in [("call_0", false), ("call_1", false), ("call_2", true)] {
        let result = bench.tools.call(id, "tool", "").await.unwrap();
        assert_eq!(result.id() == id, is_kept, "{id}");
    }
}
