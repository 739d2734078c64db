//! Replies with several events, and replies with forms.

use dooers::ReplyStream;
use dooers::prelude::*;
use dooers::protocol::{
    Actor, ErrorCode, Form, FormChoice, FormElement, FormInput, FormSize, TextInputType,
};
use dooers::testing::{TestMessage, TestServer};
use futures::stream;
use serde_json::{Value, json};

/// Replies with a stream, which fails if the message says so.
#[dooers::agent]
async fn streamer(request: WorkerRequest) -> ReplyStream {
    let fails = request.message == "fail";
    Reply::stream(stream::iter((1..=4).map(move |number| match number {
        3 if fails => Err("broken off".to_owned()),
        _ => Ok(format!("part {number}")),
    })))
}

#[tokio::test]
async fn stream_of_replies_is_a_sequence_of_events() {
    let server = TestServer::of::<streamer>().await;
    let mut ada = server.connect("ada").await;
    let turn = ada.say("go").await;
    turn.assert_texts(["part 1", "part 2", "part 3", "part 4"])
        .assert_succeeded();

    let turn = ada.say("fail").await;
    turn.assert_texts(["part 1", "part 2"])
        .assert_failed("try again");
    assert_eq!(turn.events()[2].actor, Actor::System);
    assert_eq!(turn.error().unwrap().to_string(), "broken off");
}

/// Asks with a form, and replies with the answer.
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

#[tokio::test]
async fn form_is_answered_once() {
    let server = TestServer::of::<asking>().await;
    let mut ada = server.connect("ada").await;
    let asked = ada.say("go").await;
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
    assert_eq!(asked.form(), Some(&expected));
    let form = &asked.events()[0];
    assert_eq!(form.actor, Actor::Assistant);

    let thread_id = asked.thread_id();
    let answer = |data: Value| {
        let event = json!({"type": "form.response", "actor": "user", "content": [], "data": data});
        json!({"thread_id": thread_id, "event": event})
    };
    let of_form =
        |values: Value| json!({"form_event_id": form.id, "cancelled": false, "values": values});
    let refused = [
        (of_form(json!({})), "INVALID_PAYLOAD"),
        (of_form(json!({"name": ""})), "INVALID_PAYLOAD"),
        (json!({"values": {"name": "Ada"}}), "INVALID_PAYLOAD"),
        (
            json!({"form_event_id": "nothing", "values": {}}),
            "NOT_FOUND",
        ),
        (json!(null), "INVALID_PAYLOAD"),
    ];
    for (data, code) in refused {
        let refusal = ada.request("event.create", answer(data.clone())).await;
        assert_eq!(refusal["payload"]["error"]["code"], code, "{data}");
    }
    let turn = ada.answer_form(json!({"name": "Ada"})).await;
    turn.assert_texts(["Hello, \"Ada\"!"]);
    let response = &turn.conversation().events()[2];
    assert_eq!(response.kind.as_str(), "form.response");
    assert_eq!(
        response.data.as_ref().unwrap()["values"],
        json!({"name": "Ada"})
    );

    let again = TestMessage::form_response(&form.id, json!({"name": "Bob"}));
    let refusal = ada.try_send(again).await.unwrap_err();
    assert_eq!(refusal.code, ErrorCode::Conflict);
    ada.catch_up().await;
    assert_eq!(
        ada.conversation(),
        turn.conversation(),
        "nothing was stored"
    );
}

#[tokio::test]
async fn canceled_form_needs_no_values() {
    let server = TestServer::of::<asking>().await;
    let mut ada = server.connect("ada").await;
    let first = ada.say("go").await.thread_id().to_owned();
    ada.cancel_form().await.assert_text("as you like");

    // A form of another thread cannot be answered here.
    let other = ada.new_thread().say("go").await;
    ada.enter(first);
    let elsewhere = TestMessage::form_cancelled(&other.events()[0].id);
    let refusal = ada.try_send(elsewhere).await.unwrap_err();
    assert_eq!(refusal.code, ErrorCode::NotFound);
}

/// Asks for a password, and replies with its length.
#[dooers::agent]
async fn secretive(request: WorkerRequest, response: WorkerResponse) -> Result<()> {
    if let Some(form) = request.form() {
        let pin = form.values["pin"].as_str().unwrap_or_default();
        response.text(format!("{} characters", pin.len())).await?;
        return Ok(());
    }
    let pin = FormElement::password("pin", "PIN").required();
    response
        .form(&Form::new("Who are you?").element(pin))
        .await?;
    Ok(())
}

#[tokio::test]
async fn password_form_works_with_a_secret_key() {
    let server = TestServer::of::<secretive>().secret_key().await;
    let mut ada = server.connect("ada").await;
    ada.say("go").await.assert_succeeded();
    let turn = ada.answer_form(json!({"pin": "correct-horse"})).await;
    turn.assert_text("13 characters");
    assert!(!ada.conversation().to_string().contains("horse"));

    let server = TestServer::of::<secretive>().await;
    let mut ada = server.connect("ada").await;
    let turn = ada.say("go").await;
    let error = turn.error().unwrap().to_string();
    assert!(error.contains("WORKER_SECRET_KEY"), "{error}");
}
