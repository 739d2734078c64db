//! Data and answers to forms as types of the program, and the return types of a handler.

use crate::asserts::{appended, text, texts};
use dooers::prelude::*;
use dooers_tests::{Client, Server};
use serde_json::{Value, json};
use std::collections::BTreeMap;

const KEY: &str = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";

/// Adds the numbers in the data of the message.
#[dooers::agent]
async fn adder(numbers: Result<Data<BTreeMap<String, u32>>>) -> String {
    match numbers {
        Ok(Data(numbers)) => numbers.values().sum::<u32>().to_string(),
        Err(error) => error.to_string(),
    }
}

/// Asks for a password, and replies with all answers.
#[dooers::agent]
async fn typed_asking(answer: FormAnswer<BTreeMap<String, String>>) -> Reply {
    match answer {
        FormAnswer::Submitted(values) => Reply::text(format!("{values:?}")),
        FormAnswer::Cancelled => Reply::text("cancelled"),
        FormAnswer::NotAnswered => Reply::form(
            &Form::new("Who are you?")
                .element(FormElement::text("name", "Name"))
                .element(FormElement::password("pin", "PIN").required()),
        ),
    }
}

/// Replies with each line of the message, or with nothing.
#[dooers::agent]
async fn lines(request: WorkerRequest) -> Option<Vec<Reply>> {
    let lines = request.message.lines().map(Reply::text);
    (request.message != "nothing").then(|| lines.collect())
}

/// Sends its only answer itself, and ignores the id.
#[dooers::agent]
async fn sending(response: WorkerResponse) -> Result<()> {
    let id = response.text("hello").await?;
    drop(id);
    Ok(())
}

/// Sends an event and returns the events of its turn.
async fn events(client: &mut Client, payload: Value) -> Vec<Value> {
    let id = client.send("event.create", payload).await;
    client.expect_ack(&id).await;
    appended(&client.read_turn().await)
}

fn message(text: &str, data: &Value) -> Value {
    let content = json!([{"type": "text", "text": text}]);
    json!({"event": {"type": "message", "actor": "user", "content": content, "data": data}})
}

#[tokio::test]
async fn data_is_deserialized_or_names_the_member() {
    let server = Server::of::<adder>().await;
    let mut ada = server.client("ada").await;
    for (data, expected) in [
        (json!({"a": 1, "b": 2}), "3"),
        (
            json!({"a": 1, "b": "2"}),
            "`data.b` does not fit the type of the handler: invalid type: string \"2\", expected u32",
        ),
        (
            json!([1]),
            "`data` does not fit the type of the handler: invalid type: sequence, expected a map",
        ),
        (
            json!(null),
            "`data` does not fit the type of the handler: the message has no data",
        ),
    ] {
        let events = events(&mut ada, message("add", &data)).await;
        assert_eq!(text(&events[1]), expected);
    }
    server.close([ada]).await;
}

#[tokio::test]
async fn form_answer_contains_passwords_and_answers() {
    let server =
        Server::with::<typed_asking>(|config| config.secret_keys(KEY.parse().unwrap())).await;
    let mut ada = server.client("ada").await;
    let asked = events(&mut ada, message("hello", &json!(null))).await;
    let (thread, form) = (&asked[1]["thread_id"], &asked[1]["id"]);
    let values = json!({"name": "", "pin": "1234"});
    let data = json!({"form_event_id": form, "cancelled": false, "values": values});
    let event = json!({"type": "form.response", "actor": "user", "content": [], "data": data});
    let answered = events(&mut ada, json!({"thread_id": thread, "event": event})).await;
    assert_eq!(text(&answered[1]), r#"{"pin": "1234"}"#);
    server.close([ada]).await;
}

#[tokio::test]
async fn list_of_replies_is_sent_in_order() {
    let server = Server::of::<lines>().await;
    let mut ada = server.client("ada").await;
    let three = events(&mut ada, message("one\ntwo\nthree", &json!(null))).await;
    assert_eq!(texts(&three), ["one\ntwo\nthree", "one", "two", "three"]);
    let none = events(&mut ada, message("nothing", &json!(null))).await;
    assert_eq!(texts(&none), ["nothing"]);
    server.close([ada]).await;
}

#[tokio::test]
async fn sent_answer_is_the_only_answer() {
    let server = Server::of::<sending>().await;
    let mut ada = server.client("ada").await;
    let sent = events(&mut ada, message("hi", &json!(null))).await;
    assert_eq!(texts(&sent), ["hi", "hello"]);
    server.close([ada]).await;
}
