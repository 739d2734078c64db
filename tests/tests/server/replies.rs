//! The wire format of every reply of a handler.

use crate::asserts::{appended, kinds, normal, string};
use dooers::prelude::*;
use dooers::protocol::ContentPart;
use dooers_tests::Server;
use serde_json::{Value, json};

/// Sends one event of each kind, and replies with the ids that it received.
#[dooers::agent]
async fn everything(response: WorkerResponse) -> Result<()> {
    let call =
        || ToolCall::new("call-1", "search", json!({"query": "rust"})).display_name("Search");
    let mut ids = vec![
        response.text("Hello").await?,
        response.image("https://example.org/a.png").await?,
        response.audio("https://example.org/a.mp3").await?,
        response
            .document("https://example.org/a.pdf", "a.pdf")
            .await?,
        response
            .message(vec![ContentPart::text("one"), ContentPart::text("two")])
            .await?,
        response.reasoning("Let me see").await?,
        response.tool_call(call()).await?,
        response.tool_result(call(), json!([1, 2])).await?,
        response
            .tool_transaction(ToolCall::new("call-2", "clock", json!({})), "noon")
            .await?,
        response.author("Eve").text("from another").await?,
        response
            .send(Reply::text("from a third").author("Mallory"))
            .await?,
        response
            .author("Eve")
            .tool_result(call(), json!(null))
            .await?,
    ];
    let unawaited = response.text("not awaited");
    ids.push(unawaited.id().to_owned());
    response.text(ids.join(" ")).await?;
    Ok(())
}

#[tokio::test]
async fn every_event_kind_has_its_json() {
    let server = Server::of::<everything>().await;
    let mut client = server.client("ada").await;
    let id = client.send_message(None, "go").await;
    client.expect_ack(&id).await;
    let frames = client.read_turn().await;
    let mut events = appended(&frames);
    events.remove(0);
    let ids = events.pop().unwrap();
    let published: Vec<_> = crate::asserts::text(&ids).split(' ').collect();
    let stored: Vec<_> = events.iter().map(|event| string(&event["id"])).collect();
    assert_eq!(published, stored);

    let message = |content: Value| json!({"type": "message", "actor": "assistant", "author": "Assistant", "content": content});
    let args = json!({"query": "rust"});
    let call = json!({"id": "call-1", "name": "search", "display_name": "Search", "args": args});
    let result = json!({"id": "call-1", "name": "search", "display_name": "Search", "args": args, "result": [1, 2]});
    let nothing = json!({"id": "call-1", "name": "search", "display_name": "Search", "args": args, "result": null});
    let whole = json!({"id": "call-2", "name": "clock", "display_name": "clock", "args": {}, "result": "noon"});
    let text = |text: &str| json!([{"type": "text", "text": text}]);
    let expected = [
        message(text("Hello")),
        message(json!([{"type": "image", "url": "https://example.org/a.png"}])),
        message(json!([{"type": "audio", "url": "https://example.org/a.mp3"}])),
        message(
            json!([{"type": "document", "url": "https://example.org/a.pdf", "filename": "a.pdf"}]),
        ),
        message(json!([{"type": "text", "text": "one"}, {"type": "text", "text": "two"}])),
        json!({"type": "reasoning", "actor": "assistant", "author": "Assistant", "content": text("Let me see")}),
        json!({"type": "tool.call", "actor": "assistant", "author": "Assistant", "data": call}),
        json!({"type": "tool.result", "actor": "tool", "author": null, "data": result}),
        json!({"type": "tool.transaction", "actor": "assistant", "author": "Assistant", "data": whole}),
        json!({"type": "message", "actor": "assistant", "author": "Eve", "content": text("from another")}),
        json!({"type": "message", "actor": "assistant", "author": "Mallory", "content": text("from a third")}),
        json!({"type": "tool.result", "actor": "tool", "author": "Eve", "data": nothing}),
        message(text("not awaited")),
    ];
    for (at, (event, mut expected)) in events.iter().zip(expected).enumerate() {
        expected["id"] = json!("<id>");
        expected["thread_id"] = json!("<id>");
        expected["run_id"] = json!("<id>");
        expected["created_at"] = json!("<time>");
        expected["seq"] = json!(at + 2);
        assert_eq!(normal(event), expected);
    }
    server.close([client]).await;
}

/// Updates its thread three times.
#[dooers::agent]
async fn namer(response: WorkerResponse) -> Result<()> {
    response
        .update_thread(|thread| thread.title("First"))
        .await?;
    response
        .update_thread(|thread| thread.metadata(json!({"a": 1})))
        .await?;
    response
        .update_thread(|thread| thread.title("Second"))
        .await?;
    Ok(())
}

#[tokio::test]
async fn thread_change_is_published_to_its_audience() {
    let server = Server::of::<namer>().await;
    let mut client = server.client("ada").await;
    let mut other = server.client("bob").await;
    let id = client.send_message(None, "go").await;
    client.expect_ack(&id).await;
    let frames = client.read_turn().await;
    let expected = [
        "thread.upsert",
        "event.append",
        "run.upsert",
        "thread.upsert",
        "thread.upsert",
        "thread.upsert",
        "thread.upsert",
        "run.upsert",
    ];
    assert_eq!(kinds(&frames), expected);
    let shown = |frame: &Value| {
        let thread = &frame["payload"]["thread"];
        (thread["title"].clone(), thread["metadata"].clone())
    };
    let states = [
        (json!(null), json!(null)),
        (json!("First"), json!(null)),
        (json!("First"), json!({"a": 1})),
        (json!("Second"), json!({"a": 1})),
        (json!("Second"), json!({"a": 1})),
    ];
    let upserts: Vec<_> = frames
        .iter()
        .filter(|frame| frame["type"] == "thread.upsert")
        .map(shown)
        .collect();
    assert_eq!(upserts, states);
    let received = other.read_pending().await;
    assert_eq!(received.iter().map(shown).collect::<Vec<_>>(), states);
    server.close([client, other]).await;
}
