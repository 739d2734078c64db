//! The history that a handler reads.

use crate::asserts::{appended, kinds, text};
use dooers::prelude::*;
use dooers_tests::{Client, Identity, Server, gate};
use serde_json::{Value, json};
use std::collections::HashMap;
use std::sync::{LazyLock, Mutex};

/// The histories that handlers read, by a label.
static REMEMBERED: LazyLock<Mutex<HashMap<String, Vec<String>>>> = LazyLock::new(Mutex::default);

async fn note(moment: String, memory: &WorkerMemory) -> Result<()> {
    let messages = memory.messages().await?;
    let texts = messages.iter().map(dooers::ChatMessage::text).collect();
    REMEMBERED.lock().unwrap().insert(moment, texts);
    Ok(())
}

fn remembered(moment: &str) -> Vec<String> {
    REMEMBERED.lock().unwrap()[moment].clone()
}

/// Reads the history, waits at the gate that the message names, answers, and reads the history again.
async fn think(
    request: WorkerRequest,
    response: WorkerResponse,
    memory: WorkerMemory,
) -> Result<()> {
    let name = request.message;
    note(format!("before {name}"), &memory).await?;
    gate::pass(&name).await;
    response.text(format!("re {name}")).await?;
    note(format!("after {name}"), &memory).await
}

#[dooers::agent]
async fn one_by_one(
    request: WorkerRequest,
    response: WorkerResponse,
    memory: WorkerMemory,
) -> Result<()> {
    think(request, response, memory).await
}

#[dooers::agent(on_busy = "concurrent")]
async fn side_by_side(
    request: WorkerRequest,
    response: WorkerResponse,
    memory: WorkerMemory,
) -> Result<()> {
    think(request, response, memory).await
}

/// Like [`side_by_side`], with a manual run.
#[dooers::agent(on_busy = "concurrent", run = "manual")]
async fn by_hand(
    request: WorkerRequest,
    response: WorkerResponse,
    memory: WorkerMemory,
) -> Result<()> {
    response.run_start().await?;
    think(request, response, memory).await
}

/// Sends a message to a thread or, if `thread_id` is `None`, to a new one. Waits until the thread id is known and
/// returns it.
async fn send(client: &mut Client, thread_id: Option<&str>, text: &str) -> String {
    client.send_message(thread_id, text).await;
    let is_it = |frame: &Value| {
        let sent = appended(std::slice::from_ref(frame));
        sent.iter().any(|event| crate::asserts::text(event) == text)
    };
    let frames = client.read_until("the message", is_it).await;
    let last = &frames.last().unwrap()["payload"]["thread_id"];
    last.as_str().unwrap().to_owned()
}

/// Reads until the answer arrives.
async fn answer_to(client: &mut Client, name: &str) {
    let expected = format!("re {name}");
    let is_it = |frame: &Value| {
        let events = appended(std::slice::from_ref(frame));
        events.iter().any(|event| text(event) == expected)
    };
    client.read_until("an answer", is_it).await;
}

#[tokio::test]
async fn history_ends_at_the_message_plus_own_events() {
    let server = Server::of::<one_by_one>().await;
    let mut client = server.client("ada").await;
    gate::open("a1");
    let thread_id = send(&mut client, None, "a1").await;
    client.read_turn().await;
    assert_eq!(remembered("before a1"), ["a1"]);
    assert_eq!(remembered("after a1"), ["a1", "re a1"]);
    gate::open("a2");
    client.run_turn(&thread_id, "a2").await;
    assert_eq!(remembered("before a2"), ["a1", "re a1", "a2"]);
    assert_eq!(remembered("after a2"), ["a1", "re a1", "a2", "re a2"]);
    server.close([client]).await;
}

#[tokio::test]
async fn history_excludes_queued_messages() {
    let server = Server::of::<one_by_one>().await;
    let mut client = server.client("ada").await;
    let thread_id = send(&mut client, None, "b1").await;
    gate::arrived("b1").await;
    for waiting in ["b2", "b3"] {
        send(&mut client, Some(&thread_id), waiting).await;
    }
    for name in ["b1", "b2", "b3"] {
        gate::open(name);
        client.read_turn().await;
    }
    assert_eq!(remembered("after b1"), ["b1", "re b1"]);
    // The message was stored before the answer to the first one, and is the one to answer.
    assert_eq!(remembered("before b2"), ["b1", "re b1", "b2"]);
    assert_eq!(remembered("after b2"), ["b1", "re b1", "b2", "re b2"]);
    assert_eq!(
        remembered("before b3"),
        ["b1", "b2", "re b1", "re b2", "b3"]
    );
    server.close([client]).await;
}

#[tokio::test]
async fn history_excludes_events_of_concurrent_turns() {
    for (server, names) in [
        (Server::of::<side_by_side>().await, ["c1", "c2"]),
        (Server::of::<by_hand>().await, ["d1", "d2"]),
    ] {
        let [first, second] = names;
        let mut client = server.client("ada").await;
        let thread_id = send(&mut client, None, first).await;
        gate::arrived(first).await;
        send(&mut client, Some(&thread_id), second).await;
        gate::arrived(second).await;
        for name in [second, first] {
            gate::open(name);
            answer_to(&mut client, name).await;
            client.read_turn().await;
        }
        let own = |name: &str| format!("re {name}");
        assert_eq!(remembered(&format!("before {second}")), [first, second]);
        assert_eq!(
            remembered(&format!("after {second}")),
            [first, second, &own(second)]
        );
        assert_eq!(remembered(&format!("before {first}")), [first]);
        // The other message arrived and was answered in the meantime.
        assert_eq!(remembered(&format!("after {first}")), [first, &own(first)]);
        server.close([client]).await;
    }
}

/// Replies with the thread's title and the messages for a model.
#[dooers::agent]
async fn scribe(response: WorkerResponse, memory: WorkerMemory) -> Result<()> {
    response
        .update_thread(|thread| thread.title("Notes"))
        .await?;
    response.reasoning("not for the next time").await?;
    let call = || ToolCall::new("call-1", "look", json!({"at": "it"}));
    response.tool_call(call()).await?;
    response.tool_result(call(), "seen").await?;
    let history = memory.history(HistoryFormat::OpenAi).await?;
    let title = memory.thread().await?.title.unwrap_or_default();
    response
        .text(json!({"title": title, "history": history}).to_string())
        .await?;
    Ok(())
}

#[tokio::test]
async fn history_has_names_and_tools_but_no_thoughts() {
    let server = Server::of::<scribe>().await;
    let user = json!({"user_id": "ada", "user_name": "Ada Lovelace"});
    let identity = Identity::of("ada").with("user", user);
    let mut client = server.client(identity).await;
    let id = client.send_message(None, "Look at it").await;
    client.expect_ack(&id).await;
    let frames = client.read_turn().await;
    assert!(kinds(&frames).contains(&"event.append"));
    let events = appended(&frames);
    let published: Value = serde_json::from_str(text(events.last().unwrap())).unwrap();
    let expected = json!({"title": "Notes", "history": [
        {"role": "user", "name": "Ada_Lovelace", "content": "Look at it"},
        {"role": "assistant", "name": "Assistant", "content": null, "tool_calls": [
            {"id": "call-1", "type": "function", "function": {"name": "look", "arguments": "{\"at\":\"it\"}"}},
        ]},
        {"role": "tool", "tool_call_id": "call-1", "content": "seen"},
    ]});
    assert_eq!(published, expected);
    server.close([client]).await;
}

/// Calls fifteen tools, and replies with the messages for a model with a limit.
#[dooers::agent]
async fn busy(
    request: WorkerRequest,
    response: WorkerResponse,
    memory: WorkerMemory,
) -> Result<()> {
    for number in 0..15 {
        // Some models give all calls the same id.
        let call = || ToolCall::new("", "look", json!({"at": number}));
        response.tool_call(call()).await?;
        response.tool_result(call(), number).await?;
    }
    let limit = request.message.parse()?;
    let history = memory.history(HistoryFormat::OpenAi).limit(limit).await?;
    response.text(json!(history).to_string()).await?;
    Ok(())
}

#[tokio::test]
async fn limited_history_keeps_question_and_its_tools() {
    let server = Server::of::<busy>().await;
    let mut client = server.client("ada").await;
    let thread_id = client.start_thread("50").await;
    for (question, limit) in [("1", 1), ("2", 2), ("20", 20)] {
        let frames = client.run_turn(&thread_id, question).await;
        let events = appended(&frames);
        let history: Vec<Value> = serde_json::from_str(text(events.last().unwrap())).unwrap();
        let is_question = |it: &Value| it["role"] == "user" && it["content"] == question;
        let place = history.iter().rposition(is_question);
        let place = place.expect("the question is in its own history");
        let tools = &history[place + 1..];
        assert_eq!(tools.len(), 30, "{tools:#?}");
        for (number, pair) in tools.chunks(2).enumerate() {
            let arguments = json!({"at": number}).to_string();
            assert_eq!(pair[0]["tool_calls"][0]["function"]["arguments"], arguments);
            assert_eq!(pair[1]["content"], number.to_string());
            assert_eq!(pair[1]["tool_call_id"], pair[0]["tool_calls"][0]["id"]);
        }
        // One event is the question. The others were there before.
        let before = &history[..place];
        assert!(before.len() < limit, "{before:#?}");
        assert_eq!(before.is_empty(), limit == 1);
    }
    server.close([client]).await;
}
