//! What is asked of a memory, and from which end.

use super::{events, said};
use crate::history::{DEFAULT_HISTORY_LIMIT, HistoryFormat, MemoryQuery, WorkerMemory};
use crate::protocol::{Actor, EventType, ThreadEvent};
use futures::TryStreamExt;
use serde_json::json;

/// A memory of so many texts, by the user and the assistant in turn.
fn memory_of(events_in_all: usize) -> WorkerMemory {
    WorkerMemory::of(events((1..=events_in_all).map(said).collect()))
}

/// What comes, awaited and as a stream, which must be the same.
async fn both_ways(query: impl Fn() -> MemoryQuery<ThreadEvent>) -> Vec<u64> {
    let awaited = query().await.unwrap();
    let streamed: Vec<_> = query().stream().try_collect().await.unwrap();
    assert_eq!(awaited, streamed);
    awaited.iter().map(|event| event.seq).collect()
}

#[tokio::test]
async fn the_newest_events_come_unless_the_oldest_are_asked_for() {
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
async fn no_limit_is_too_small_or_too_large() {
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
async fn without_a_limit_the_newest_fifty_come_and_a_stream_has_all() {
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
async fn filters_let_pass_what_they_name() {
    let told = vec![
        json!({"type": "message", "actor": "user", "user": {"user_id": "ada"}, "text": "one"}),
        json!({"type": "reasoning", "actor": "assistant", "run_id": "r1", "text": "two"}),
        json!({"type": "message", "actor": "assistant", "run_id": "r1", "text": "three"}),
        json!({"type": "message", "actor": "user", "user": {"user_id": "ben"}, "text": "four"}),
        json!({"type": "message", "actor": "assistant", "run_id": "r2", "text": "five"}),
        json!({"type": "message", "actor": "system", "run_id": "r2", "text": "six"}),
    ];
    let memory = WorkerMemory::of(events(told));
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
    // What no message is made of cannot be asked for.
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
async fn a_form_outside_of_what_is_remembered_is_looked_up_for_its_answer() {
    let form = json!({"type": "form", "actor": "assistant", "data": {
        "message": "Who are you?", "submit_label": "Send", "cancel_label": "Cancel", "size": "small",
        "elements": [{"type": "text_input", "name": "pin", "label": "PIN", "order": 0, "required": true,
            "disabled": false, "input_type": "password"}],
    }});
    let mut told = vec![form.clone()];
    // Others lie between, more than are read at a time.
    told.extend(std::iter::repeat_n(form, 30));
    told.push(json!({"type": "form.response", "actor": "user",
        "data": {"form_event_id": "e1", "values": {"pin": "1234"}}}));
    let memory = WorkerMemory::of(events(told));
    let last = memory.messages().limit(1).await.unwrap();
    assert_eq!(last[0].text(), "[form answered]\nPIN: [hidden]");
}

#[tokio::test]
async fn unanswered_fields_read_the_same() {
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
async fn a_call_that_is_never_answered_keeps_no_more_than_two_hundred_messages_waiting() {
    let call =
        |id| json!({"type": "tool.call", "actor": "assistant", "data": {"id": id, "name": "f"}});
    let result = json!({"type": "tool.result", "actor": "tool", "data": {"id": "c", "name": "f", "result": 1}});
    for (between, is_paired) in [(150, true), (250, false)] {
        let mut told = vec![call("c")];
        told.extend((0..between).map(|number| said(number * 2 + 1)));
        told.push(result.clone());
        let memory = WorkerMemory::of(events(told));
        let messages: Vec<_> = memory.messages().stream().try_collect().await.unwrap();
        let uses: Vec<_> = messages.iter().flat_map(|it| &it.tool_uses).collect();
        assert_eq!(uses[0].result.is_some(), is_paired);
        // Either way the result is there.
        assert_eq!(uses.last().unwrap().result, Some(json!(1)));
        assert_eq!(messages.len(), between + if is_paired { 1 } else { 2 });
    }
}

#[tokio::test]
async fn a_result_goes_to_the_call_of_its_id_and_to_no_other() {
    let tool = |kind, actor, id, result| json!({"type": kind, "actor": actor, "data": {"id": id, "name": "f", "result": result}});
    let call = |id| tool("tool.call", "assistant", id, json!(null));
    let result = |id, result| tool("tool.result", "tool", id, json!(result));
    let told = vec![
        call("a"),
        call("b"),
        call("c"),
        result("b", 2),
        result("stray", 4),
        result("a", 1),
    ];
    let messages = WorkerMemory::of(events(told)).messages().await.unwrap();
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
async fn messages_say_who_when_and_what() {
    let told = vec![
        json!({"type": "message", "actor": "user", "user": {"user_id": "ada", "user_name": "Ada"}, "text": "Hi"}),
        json!({"type": "message", "actor": "assistant", "author": "Eve", "run_id": "r1", "text": "I look."}),
        json!({"type": "tool.call", "actor": "assistant", "author": "Eve", "run_id": "r1",
            "data": {"id": "c", "name": "find", "args": {"n": 1}}}),
        json!({"type": "tool.result", "actor": "tool", "run_id": "r1",
            "data": {"id": "c", "name": "find", "args": {"n": 1}, "result": null}}),
    ];
    let given = events(told);
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
