//! The key order of JSON objects, which clients display.

use crate::asserts::{appended, events, string};
use dooers::Database;
use dooers::prelude::*;
use dooers::protocol::{Form, FormElement};
use dooers::store::SqliteOptions;
use dooers_tests::{Client, Server};
use serde_json::{Value, json};

/// Keys that are not in alphabetical order.
fn arguments() -> Value {
    json!({"who": "Ada", "order": {"size": "L", "extras": [{"z": 1, "a": 2}]}, "at": 7})
}

/// Asks a question with a form, calls a tool with the answer, and replies with the messages for a model.
#[dooers::agent]
async fn ordering(
    request: WorkerRequest,
    response: WorkerResponse,
    memory: WorkerMemory,
) -> Result<()> {
    let Some(answer) = request.form() else {
        let form = Form::new("What shall it be?")
            .element(FormElement::text("size", "Size"))
            .element(FormElement::text("who", "Who"));
        response.form(&form).await?;
        return Ok(());
    };
    let call = ToolCall::new("c1", "order", arguments());
    response.tool_transaction(call, arguments()).await?;
    let history = memory.history(HistoryFormat::OpenAi).await?;
    let calls = history
        .iter()
        .filter_map(|message| message.get("tool_calls"));
    let published: Vec<_> = calls
        .map(|calls| &calls[0]["function"]["arguments"])
        .collect();
    let metadata = json!({"z": answer.values, "a": arguments()});
    response
        .update_thread(|thread| thread.metadata(metadata))
        .await?;
    response
        .text(published[0].as_str().unwrap_or_default())
        .await?;
    Ok(())
}

/// Checks the key order in the `data` of an answer and of the events after it.
fn assert_in_order(events: &[Value], values: &str) {
    let data: Vec<_> = events
        .iter()
        .map(|event| event["data"].to_string())
        .collect();
    assert!(
        data[0].contains(&format!(r#""values":{values}"#)),
        "{}",
        data[0]
    );
    let arguments = arguments().to_string();
    assert!(
        data[1].contains(&format!(r#""args":{arguments}"#)),
        "{}",
        data[1]
    );
    assert!(
        data[1].contains(&format!(r#""result":{arguments}"#)),
        "{}",
        data[1]
    );
    assert_eq!(events[2]["content"][0]["text"], arguments.as_str());
}

async fn check(server: Server) {
    let mut client = server.client("ada").await;
    let thread_id = client.start_thread("hello").await;
    let page = json!({"thread_id": thread_id});
    let list = client
        .request("event.list", page.clone(), "event.list.result")
        .await;
    let form = string(&events(&list)[1]["id"]);

    // Written as text, so that the JSON library of the test cannot change the order.
    let values = r#"{"who":"Ada","size":"L"}"#;
    let frame = format!(
        r#"{{"id":"f","type":"event.create","payload":{{"thread_id":"{thread_id}","client_event_id":"a","event":{{"type":"form.response","actor":"user","content":[],"data":{{"values":{values},"form_event_id":"{form}","cancelled":false}}}}}}}}"#
    );
    client.send_text(frame).await;
    client.expect_ack("f").await;
    let frames = client.read_turn().await;
    assert_in_order(&appended(&frames), values);
    let upsert = frames
        .iter()
        .rfind(|frame| frame["type"] == "thread.upsert");
    let metadata = &upsert.unwrap()["payload"]["thread"]["metadata"];
    let expected = format!(r#"{{"z":{values},"a":{}}}"#, arguments());
    assert_eq!(metadata.to_string(), expected);

    let list = client
        .request("event.list", page, "event.list.result")
        .await;
    assert_in_order(&events(&list)[2..], values);
    let mut back: Client = server.client("ada").await;
    let payload = json!({"thread_id": thread_id, "after_event_id": form});
    let snapshot = back
        .request("thread.subscribe", payload, "thread.snapshot")
        .await;
    assert_in_order(&events(&snapshot), values);
    assert_eq!(snapshot["thread"]["metadata"].to_string(), expected);
    server.close([client, back]).await;
}

#[tokio::test]
async fn json_keys_keep_their_order_in_memory() {
    check(Server::of::<ordering>().await).await;
}

#[tokio::test]
async fn json_keys_keep_their_order_on_sqlite() {
    let directory = tempfile::tempdir().unwrap();
    let options = SqliteOptions::new(directory.path().join("worker.db"));
    check(Server::with::<ordering>(|config| config.database(Database::Sqlite(options))).await)
        .await;
}

#[tokio::test]
async fn json_keys_keep_their_order_on_postgres() {
    let Some(options) = dooers_tests::postgres::shared() else {
        return;
    };
    let config = |config: WorkerConfig| config.database(Database::Postgres(options));
    check(Server::with::<ordering>(config).await).await;
}
