//! Limits, filters and order of memory queries.

use super::{events, said};
use crate::history::{DEFAULT_HISTORY_LIMIT, HistoryFormat, MemoryQuery, WorkerMemory};
use crate::protocol::{Actor, EventType, ThreadEvent};
use futures::TryStreamExt;
use serde_json::{Value, json};

/// A memory of this many texts, alternately from the user and the assistant.
fn memory_of(events_in_all: usize) -> WorkerMemory {
    WorkerMemory::of(events((1..=events_in_all).map(said).collect()))
}

/// Runs the query awaited and as a stream, and checks that both return the same.
async fn both_ways(query: impl Fn() -> MemoryQuery<ThreadEvent>) -> Vec<u64> {
    let awaited = query().await.unwrap();
    let streamed: Vec<_> = query().stream().try_collect().await.unwrap();
    assert_eq!(awaited, streamed);
    awaited.iter().map(|event| event.seq).collect()
}

#[tokio::test]
async fn limit_returns_newest_events_by_default() {
    let memory = memory_of(1_000);
    for limit in [1, 2, 199, 200, 201, 400, 401, 999] {
        let newest: Vec<u64> = (1_001 - limit as u64..=1_000).collect();
        assert_eq!(both_ways(|| memory.events().limit(limit)).await, newest);
        let oldest: Vec<u64> = (1..=limit as u64).collect();
        let query = || memory.events().limit(limit).oldest_first();
        assert_eq!(both_ways(query).await, oldest);
    }
}

#[tokio::test]
async fn limit_of_any_size_is_accepted() {
    let memory = memory_of(3);
    for limit in [3, 1_000_000_000, usize::MAX] {
        assert_eq!(both_ways(|| memory.events().limit(limit)).await, [1, 2, 3]);
        let query = || memory.events().limit(limit).oldest_first();
        assert_eq!(both_ways(query).await, [1, 2, 3]);
    }
    assert!(both_ways(|| memory.events().limit(0)).await.is_empty());
    let history = memory.history(HistoryFormat::Anthropic).limit(0).await;
    assert!(history.unwrap().is_empty());
}

#[tokio::test]
async fn missing_limit_returns_fifty_and_streams_all() {
    let memory = memory_of(1_000);
    assert_eq!(memory.events().await.unwrap().len(), DEFAULT_HISTORY_LIMIT);
    assert_eq!(memory.events().await.unwrap()[49].seq, 1_000);
    let oldest = memory.events().oldest_first().await.unwrap();
    assert_eq!((oldest.len(), oldest[0].seq), (DEFAULT_HISTORY_LIMIT, 1));
    let all: Vec<_> = memory.messages().stream().try_collect().await.unwrap();
    assert_eq!(all.len(), 1_000);
    assert!(memory_of(0).events().await.unwrap().is_empty());
}

#[tokio::test]
async fn filters_return_only_matching_events() {
    let specs = vec![
        json!({"type": "message", "actor": "user", "user": {"user_id": "ada"}, "text": "one"}),
        json!({"type": "reasoning", "actor": "assistant", "run_id": "r1", "text": "two"}),
        json!({"type": "message", "actor": "assistant", "run_id": "r1", "text": "three"}),
        json!({"type": "message", "actor": "user", "user": {"user_id": "ben"}, "text": "four"}),
        json!({"type": "message", "actor": "assistant", "run_id": "r2", "text": "five"}),
        json!({"type": "message", "actor": "system", "run_id": "r2", "text": "six"}),
    ];
    let memory = WorkerMemory::of(events(specs));
    let events = || memory.events();
    assert_eq!(both_ways(|| events().actor(Actor::User)).await, [1, 4]);
    let two = || events().actor(Actor::User).actor(Actor::System);
    assert_eq!(both_ways(two).await, [1, 4, 6]);
    assert_eq!(both_ways(|| events().kind(EventType::Reasoning)).await, [2]);
    assert_eq!(both_ways(|| events().user("ben")).await, [4]);
    assert_eq!(
        both_ways(|| events().run("r1").run("r2").limit(3)).await,
        [3, 5, 6]
    );
    assert_eq!(
        both_ways(|| events().run("r1").actor(Actor::User)).await,
        [0_u64; 0]
    );
    assert!(both_ways(|| events().user("cleo")).await.is_empty());

    let texts = async |query: MemoryQuery<crate::ChatMessage>| -> Vec<String> {
        let messages = query.await.unwrap();
        messages.iter().map(crate::ChatMessage::text).collect()
    };
    let messages = || memory.messages();
    assert_eq!(texts(messages().run("r2")).await, ["five"]);
    assert_eq!(texts(messages().limit(2)).await, ["four", "five"]);
    // Events that never become messages cannot be queried as messages.
    assert!(
        texts(messages().kind(EventType::Reasoning))
            .await
            .is_empty()
    );
    assert!(texts(messages().actor(Actor::System)).await.is_empty());
    let history = memory.history(HistoryFormat::OpenAi).user("ada").await;
    assert_eq!(
        history.unwrap(),
        [json!({"role": "user", "content": "one"})]
    );
}

#[tokio::test]
async fn form_beyond_the_limit_is_looked_up_for_its_answer() {
    let form = json!({"type": "form", "actor": "assistant", "data": {
        "message": "Who are you?", "submit_label": "Send", "cancel_label": "Cancel", "size": "small",
        "elements": [{"type": "text_input", "name": "pin", "label": "PIN", "order": 0, "required": true,
            "disabled": false, "input_type": "password"}],
    }});
    let mut specs = vec![form.clone()];
    // More forms than one read returns lie between the form and its answer.
    specs.extend(std::iter::repeat_n(form, 30));
    specs.push(json!({"type": "form.response", "actor": "user",
        "data": {"form_event_id": "e1", "values": {"pin": "1234"}}}));
    let memory = WorkerMemory::of(events(specs));
    let last = memory.messages().limit(1).await.unwrap();
    assert_eq!(last[0].text(), "[form answered]\nPIN: [hidden]");
}

#[tokio::test]
async fn unanswered_fields_are_shown_as_nothing() {
    let form = json!({"type": "form", "actor": "assistant", "data": {
        "message": "?", "submit_label": "Send", "cancel_label": "Cancel", "size": "small",
        "elements": [{"type": "text_input", "name": "pin", "label": "PIN", "order": 0, "required": false,
            "disabled": false, "input_type": "password"}],
    }});
    let answer = json!({"type": "form.response", "actor": "user", "data": {"form_event_id": "e1",
        "values": {"text": "", "list": [], "null": null, "pin": "", "no": false}}});
    let memory = WorkerMemory::of(events(vec![form, answer]));
    let last = memory.messages().limit(1).await.unwrap();
    assert_eq!(
        last[0].text(),
        "[form answered]\ntext: (nothing)\nlist: (nothing)\nnull: (nothing)\nPIN: (nothing)\nno: false"
    );
}

#[tokio::test]
async fn open_call_holds_at_most_two_hundred_messages() {
    let call =
        |id| json!({"type": "tool.call", "actor": "assistant", "data": {"id": id, "name": "f"}});
    let result = json!({"type": "tool.result", "actor": "tool", "data": {"id": "c", "name": "f", "result": 1}});
    for (between, is_paired) in [(150, true), (250, false)] {
        let mut specs = vec![call("c")];
        specs.extend((0..between).map(|number| said(number * 2 + 1)));
        specs.push(result.clone());
        let memory = WorkerMemory::of(events(specs));
        let messages: Vec<_> = memory.messages().stream().try_collect().await.unwrap();
        let uses: Vec<_> = messages.iter().flat_map(|it| &it.tool_uses).collect();
        assert_eq!(uses[0].result.is_some(), is_paired);
        // In both cases the history contains the result.
        assert_eq!(uses.last().unwrap().result, Some(json!(1)));
        assert_eq!(messages.len(), between + if is_paired { 1 } else { 2 });
    }
}

#[tokio::test]
async fn result_is_paired_with_the_call_of_its_id() {
    let tool = |kind, actor, id, result| json!({"type": kind, "actor": actor, "data": {"id": id, "name": "f", "result": result}});
    let call = |id| tool("tool.call", "assistant", id, json!(null));
    let result = |id, result| tool("tool.result", "tool", id, json!(result));
    let specs = vec![
        call("a"),
        call("b"),
        call("c"),
        result("b", 2),
        result("stray", 4),
        result("a", 1),
    ];
    let messages = WorkerMemory::of(events(specs)).messages().await.unwrap();
    let uses = messages.iter().flat_map(|message| &message.tool_uses);
    let found: Vec<_> = uses.map(|it| (&*it.id, it.result.clone())).collect();
    let expected = [
        ("a", Some(json!(1))),
        ("b", Some(json!(2))),
        ("c", None),
        ("stray", Some(json!(4))),
    ];
    assert_eq!(found, expected);
}

#[tokio::test]
async fn messages_have_author_time_and_tool_uses() {
    let specs = vec![
        json!({"type": "message", "actor": "user", "user": {"user_id": "ada", "user_name": "Ada"}, "text": "Hi"}),
        json!({"type": "message", "actor": "assistant", "author": "Eve", "run_id": "r1", "text": "I look."}),
        json!({"type": "tool.call", "actor": "assistant", "author": "Eve", "run_id": "r1",
            "data": {"id": "c", "name": "find", "args": {"n": 1}}}),
        json!({"type": "tool.result", "actor": "tool", "run_id": "r1",
            "data": {"id": "c", "name": "find", "args": {"n": 1}, "result": null}}),
    ];
    let given = events(specs);
    let messages = WorkerMemory::of(given.clone()).messages().await.unwrap();
    let [asked, used] = &messages[..] else {
        panic!("{messages:?}");
    };
    assert_eq!(asked.role, crate::ChatRole::User);
    assert_eq!(
        (asked.author.as_deref(), asked.user_id.as_deref()),
        (Some("Ada"), Some("ada"))
    );
    assert_eq!(
        (&*asked.event_id, asked.created_at),
        ("e1", given[0].created_at)
    );
    assert_eq!(
        (used.author.as_deref(), used.run_id.as_deref()),
        (Some("Eve"), Some("r1"))
    );
    assert_eq!((&*used.event_id, used.text()), ("e2", "I look.".to_owned()));
    let [tool_use] = &used.tool_uses[..] else {
        panic!("{used:?}");
    };
    assert_eq!((&*tool_use.id, &*tool_use.event_id), ("c", "e3"));
    assert_eq!(tool_use.result_event_id.as_deref(), Some("e4"));
    assert_eq!(
        (&tool_use.args, &tool_use.result),
        (&json!({"n": 1}), &Some(json!(null)))
    );
}

#[tokio::test]
async fn approval_of_a_call_is_only_in_its_result() {
    let form = |asked: Value| {
        json!({"type": "form", "actor": "assistant", "data": {
            "message": "Refund?", "submit_label": "Yes", "cancel_label": "No", "size": "small", "elements": [],
            "asked": asked,
        }})
    };
    let expires_at = "2026-02-11T05:59:09.123456Z";
    let answer = |form: &str| {
        json!({"type": "form.response", "actor": "user",
            "data": {"form_event_id": form, "cancelled": false, "values": {}}})
    };
    let specs = vec![
        json!({"type": "tool.call", "actor": "assistant", "data": {"id": "c", "name": "refund", "args": {}}}),
        form(json!({"expires_at": expires_at, "tool_call_id": "c"})),
        answer("e2"),
        json!({"type": "tool.result", "actor": "tool", "data": {"id": "c", "name": "refund", "args": {}, "result": "paid"}}),
        form(json!({"expires_at": expires_at})),
        answer("e5"),
    ];
    let memory = WorkerMemory::of(events(specs.clone()));
    let roles: Vec<_> = memory
        .history(HistoryFormat::OpenAi)
        .await
        .unwrap()
        .iter()
        .map(|message| message["role"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(roles, ["assistant", "tool", "assistant", "user"]);
    // The form of the answer lies outside of what is read first.
    let memory = WorkerMemory::of(events(specs[..3].to_vec()));
    assert!(memory.messages().limit(1).await.unwrap().is_empty());
}
