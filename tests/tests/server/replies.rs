//! What each thing that a handler can send looks like on the wire.

use crate::seen::{appended, kinds, normal, string, texts};
use dooers::ReplyStream;
use dooers::prelude::*;
use dooers::protocol::{
    ContentPart, Form, FormChoice, FormElement, FormInput, FormSize, TextInputType,
};
use dooers_tests::Server;
use futures::stream;
use serde_json::{Value, json};

/// Sends one event of each kind, and says which ids it was told.
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
async fn every_kind_of_event_has_its_json() {
    let server = Server::of::<everything>().await;
    let mut client = server.client("ada").await;
    let id = client.message(None, "go").await;
    client.accepted(&id).await;
    let frames = client.turn().await;
    let mut events = appended(&frames);
    events.remove(0);
    let ids = events.pop().unwrap();
    let told: Vec<_> = crate::seen::text(&ids).split(' ').collect();
    let stored: Vec<_> = events.iter().map(|event| string(&event["id"])).collect();
    assert_eq!(told, stored);

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

/// Changes its thread three times.
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
async fn a_changed_thread_is_shown_to_all_who_may_see_it() {
    let server = Server::of::<namer>().await;
    let mut client = server.client("ada").await;
    let mut other = server.client("bob").await;
    let id = client.message(None, "go").await;
    client.accepted(&id).await;
    let frames = client.turn().await;
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
    let heard = other.pending().await;
    assert_eq!(heard.iter().map(shown).collect::<Vec<_>>(), states);
    server.close([client, other]).await;
}

/// Answers with a stream, and fails in it if the message says so.
#[dooers::agent]
async fn streamer(request: WorkerRequest) -> ReplyStream {
    let fails = request.message == "fail";
    Reply::stream(stream::iter((1..=4).map(move |number| match number {
        3 if fails => Err("broken off".to_owned()),
        _ => Ok(format!("part {number}")),
    })))
}

#[tokio::test]
async fn a_stream_of_replies_is_a_row_of_events() {
    let server = Server::of::<streamer>().await;
    let mut client = server.client("ada").await;
    client.message(None, "go").await;
    let frames = client.turn().await;
    assert_eq!(
        texts(&appended(&frames)),
        ["go", "part 1", "part 2", "part 3", "part 4"]
    );
    assert_eq!(
        frames.last().unwrap()["payload"]["run"]["status"],
        "succeeded"
    );

    client.message(None, "fail").await;
    let frames = client.turn().await;
    assert_eq!(texts(&appended(&frames))[..3], ["fail", "part 1", "part 2"]);
    assert_eq!(appended(&frames)[3]["actor"], "system");
    assert_eq!(frames.last().unwrap()["payload"]["run"]["status"], "failed");
    server.close([client]).await;
}

/// Asks with a form, and says what came back.
#[dooers::agent]
async fn asking(request: WorkerRequest, response: WorkerResponse) -> Result<()> {
    match request.form() {
        None => {
            let colors = vec![FormChoice::new("r", "Red"), FormChoice::new("g", "Green")];
            let mail = FormInput::TextInput {
                placeholder: Some("you@example.org".to_owned()),
                default: None,
                input_type: TextInputType::Email,
            };
            let form = Form::new("Who are you?")
                .element(FormElement::text("name", "Name").required())
                .element(FormElement::new("mail", "Mail", mail))
                .element(FormElement::select("color", "Color", colors))
                .submit_label("Send")
                .size(FormSize::Small);
            response.form(&form).await?;
        }
        Some(form) if form.cancelled => drop(response.text("as you like")),
        Some(form) => drop(response.text(format!("Hello, {}!", form.values["name"]))),
    }
    Ok(())
}

fn answer(thread_id: &str, data: &Value) -> Value {
    let event = json!({"type": "form.response", "actor": "user", "content": [], "data": data});
    json!({"thread_id": thread_id, "event": event})
}

#[tokio::test]
async fn a_form_is_asked_and_answered_once() {
    let server = Server::of::<asking>().await;
    let mut client = server.client("ada").await;
    let id = client.message(None, "go").await;
    client.accepted(&id).await;
    let form = appended(&client.turn().await).remove(1);
    let expected = json!({
        "message": "Who are you?", "submit_label": "Send", "cancel_label": "Cancel", "size": "small",
        "elements": [
            {"type": "text_input", "name": "name", "label": "Name", "order": 0, "required": true,
             "disabled": false, "input_type": "text"},
            {"type": "text_input", "name": "mail", "label": "Mail", "order": 1, "required": false,
             "disabled": false, "input_type": "email", "placeholder": "you@example.org"},
            {"type": "select_input", "name": "color", "label": "Color", "order": 2, "required": false,
             "disabled": false, "options": [{"value": "r", "label": "Red"}, {"value": "g", "label": "Green"}]},
        ],
    });
    assert_eq!(form["data"], expected);
    assert_eq!(
        (&form["type"], &form["actor"]),
        (&json!("form"), &json!("assistant"))
    );

    let thread_id = string(&form["thread_id"]);
    let data =
        |values: Value| json!({"form_event_id": form["id"], "cancelled": false, "values": values});
    let refused = [
        (data(json!({})), "INVALID_PAYLOAD"),
        (data(json!({"name": ""})), "INVALID_PAYLOAD"),
        (json!({"values": {"name": "Ada"}}), "INVALID_PAYLOAD"),
        (
            json!({"form_event_id": "nothing", "values": {}}),
            "NOT_FOUND",
        ),
        (json!(null), "INVALID_PAYLOAD"),
    ];
    for (data, code) in refused {
        let refusal = client
            .refusal("event.create", answer(&thread_id, &data))
            .await;
        assert_eq!(refusal, code, "{data}");
    }
    let id = client
        .send(
            "event.create",
            answer(&thread_id, &data(json!({"name": "Ada"}))),
        )
        .await;
    client.accepted(&id).await;
    let frames = client.turn().await;
    let events = appended(&frames);
    assert_eq!(events[0]["type"], "form.response");
    assert_eq!(events[0]["data"]["values"], json!({"name": "Ada"}));
    assert_eq!(texts(&events[1..]), ["Hello, \"Ada\"!"]);

    let again = answer(&thread_id, &data(json!({"name": "Bob"})));
    assert_eq!(client.refusal("event.create", again).await, "CONFLICT");
    client.has_nothing().await;
    server.close([client]).await;
}

#[tokio::test]
async fn a_cancelled_form_needs_no_values() {
    let server = Server::of::<asking>().await;
    let mut client = server.client("ada").await;
    let id = client.message(None, "go").await;
    client.accepted(&id).await;
    let form = appended(&client.turn().await).remove(1);
    let thread_id = string(&form["thread_id"]);
    let data = json!({"form_event_id": form["id"], "cancelled": true, "values": {}});
    let id = client.send("event.create", answer(&thread_id, &data)).await;
    client.accepted(&id).await;
    assert_eq!(texts(&appended(&client.turn().await)[1..]), ["as you like"]);

    // Another thread's form is none of this one's.
    let other = client.message(None, "go").await;
    client.accepted(&other).await;
    let other = appended(&client.turn().await).remove(1);
    let data = json!({"form_event_id": other["id"], "cancelled": true});
    assert_eq!(
        client
            .refusal("event.create", answer(&thread_id, &data))
            .await,
        "NOT_FOUND"
    );
    server.close([client]).await;
}
