//! Forms: questions of an agent, and the answers of a user.

use crate::seen::{appended, text};
use dooers::prelude::*;
use dooers::protocol::{Form, FormElement};
use dooers_tests::{Client, Server};
use serde_json::{Value, json};

/// Asks a question by a form, and says what it was answered.
#[dooers::agent]
async fn asking(request: WorkerRequest, response: WorkerResponse) -> Result<()> {
    match request.form() {
        None if request.message == "ask" => {
            let question = FormElement::text("size", "Size").required();
            drop(response.form(&Form::new("Which one?").element(question)));
        }
        None => drop(response.text("a message")),
        Some(form) if form.cancelled => drop(response.text("cancelled")),
        Some(form) => drop(response.text(json!(form.values).to_string())),
    }
    Ok(())
}

/// A client, its thread, and the id of the form that is open in it.
async fn asked(server: &Server) -> (Client, String, String) {
    let mut ada = server.client("ada").await;
    let id = ada.message(None, "ask").await;
    ada.accepted(&id).await;
    let events = appended(&ada.turn().await);
    assert_eq!(events[1]["type"], "form");
    let id_of = |member: &str| events[1][member].as_str().unwrap().to_owned();
    (ada, id_of("thread_id"), id_of("id"))
}

fn event_of(thread_id: &str, kind: &str, data: &Value) -> Value {
    let content = match kind {
        "message" => json!([{"type": "text", "text": "hello"}]),
        _ => json!([]),
    };
    let event = json!({"type": kind, "actor": "user", "content": content, "data": data});
    json!({"thread_id": thread_id, "event": event})
}

/// Sends an event, and gives back the text that answers it.
async fn answer_to(client: &mut Client, event: Value) -> String {
    let id = client.send("event.create", event).await;
    client.accepted(&id).await;
    text(&appended(&client.turn().await)[1]).to_owned()
}

#[tokio::test]
async fn message_with_the_data_of_an_answer_is_a_message() {
    let server = Server::of::<asking>().await;
    let (mut ada, thread_id, form) = asked(&server).await;
    for data in [
        json!({"form_event_id": form}),
        json!({"form_event_id": form, "cancelled": true}),
        json!({"form_event_id": form, "cancelled": false, "values": {"size": "L"}}),
    ] {
        let looks_like_one = event_of(&thread_id, "message", &data);
        assert_eq!(answer_to(&mut ada, looks_like_one).await, "a message");
        let dispatch = server.worker().dispatch::<asking>().worker("w1");
        let turn = dispatch.message("hello").data(data).send().await.unwrap();
        assert_eq!(turn.text().await.unwrap(), "a message");
    }
    // The form is still open.
    let data = json!({"form_event_id": form, "values": {"size": "L"}});
    let answer = event_of(&thread_id, "form.response", &data);
    assert_eq!(answer_to(&mut ada, answer).await, r#"{"size":"L"}"#);
    server.close([ada]).await;
}
