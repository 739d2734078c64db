//! Forms that a handler asks and whose answer it waits for.

mod answers;
mod ends;
mod limits;
mod processes;
mod races;

use crate::asserts::{appended, string};
use dooers::prelude::*;
use dooers::protocol::ThreadEvent;
use dooers::{AgentDefinition, WorkerServer};
use dooers_tests::{Client, Server, gate, in_memory};
use serde_json::{Value, json};
use std::time::Duration;

/// Follows the lines of the message:
///
/// * `ask` asks for a size, `ask only ben` only that user, and `ask for 5` for 5 ms.
/// * `password` asks for a password.
/// * `leave KEY` asks for a size, and stops waiting when the gate opens.
/// * `use` reports 5 tokens, `say X` sends a text, `wait KEY` waits at a gate, and `memory` sends the texts of the history.
/// * `fail` fails in the first attempt.
///
/// Each form is followed by a text with its reply.
#[dooers::agent]
async fn inquirer(
    request: WorkerRequest,
    response: WorkerResponse,
    memory: WorkerMemory,
) -> Result<()> {
    for line in request.message.lines() {
        let (command, rest) = line.split_once(' ').unwrap_or((line, ""));
        match command {
            "ask" => {
                let mut asked = response.ask_form(&size());
                if let Some(user) = rest.strip_prefix("only ") {
                    asked = asked.only_user(user);
                }
                if let Some(milliseconds) = rest.strip_prefix("for ") {
                    asked = asked.timeout(Duration::from_millis(milliseconds.parse()?));
                }
                say_reply(&response, asked.await?);
            }
            "password" => {
                let form = Form::new("Who are you?")
                    .element(FormElement::text("name", "Name"))
                    .element(FormElement::password("pin", "PIN").required());
                say_reply(&response, response.ask_form(&form).await?);
            }
            "leave" => {
                let form = size();
                tokio::select! {
                    _ = response.ask_form(&form) => {}
                    () = gate::pass(rest) => drop(response.text("left")),
                }
            }
            "use" => response.usage(Usage::new("small").output_tokens(5)).await?,
            "say" => drop(response.text(rest)),
            "wait" => gate::pass(rest).await,
            "memory" => {
                let messages = memory.messages().await?;
                let texts: Vec<_> = messages.iter().map(dooers::ChatMessage::text).collect();
                response.text(json!(texts).to_string());
            }
            "fail" if request.attempt() == 1 => {
                return Err(AgentError::retryable("the first attempt fails"));
            }
            _ => {}
        }
    }
    Ok(())
}

fn size() -> Form {
    Form::new("Which size?").element(FormElement::text("size", "Size").required())
}

fn say_reply(response: &WorkerResponse, reply: FormReply) {
    drop(response.text(match reply {
        FormReply::Answered(answer) => format!("answered {}", json!(answer.values)),
        reply => format!("{reply:?}"),
    }));
}

/// A server of the agent with other options.
async fn serve(change: impl FnOnce(AgentDefinition) -> AgentDefinition) -> Server {
    Server::start(WorkerServer::new(in_memory()).agent_with::<inquirer>(change)).await
}

/// Sends a message and reads until its turn asks. Returns the ids of the thread and the form.
async fn ask(client: &mut Client, thread_id: Option<&str>, text: &str) -> (String, String) {
    let id = client.send_message(thread_id, text).await;
    client.expect_ack(&id).await;
    let form = next_form(client).await;
    (string(&form["thread_id"]), string(&form["id"]))
}

/// Reads until a new form.
async fn next_form(client: &mut Client) -> Value {
    let is_form = |frame: &Value| {
        let events = appended(std::slice::from_ref(frame));
        let is_new = |event: &Value| event["data"]["asked"]["closed"].is_null();
        events
            .iter()
            .any(|event| event["type"] == "form" && is_new(event))
    };
    let frames = client.read_until("a form", is_form).await;
    appended(&frames).pop().unwrap()
}

fn answer(thread_id: &str, form: &str, values: &Value) -> Value {
    response(thread_id, &json!({"form_event_id": form, "values": values}))
}

fn response(thread_id: &str, data: &Value) -> Value {
    let event = json!({"type": "form.response", "actor": "user", "content": [], "data": data});
    json!({"thread_id": thread_id, "event": event})
}

/// Sends an answer that the server accepts. Returns the events and the last run of the turn that asked.
async fn answered(
    client: &mut Client,
    thread_id: &str,
    form: &str,
    size: &str,
) -> (Vec<Value>, Value) {
    let answer = answer(thread_id, form, &json!({"size": size}));
    client.send_expecting_ack("event.create", answer).await;
    end(client).await
}

/// Reads until the end of a run. Returns the events and the run.
async fn end(client: &mut Client) -> (Vec<Value>, Value) {
    let frames = client.read_turn().await;
    let run = frames.last().unwrap()["payload"]["run"].clone();
    (appended(&frames), run)
}

/// The server refuses an answer to this form because nobody waits for it.
async fn expect_conflict(client: &mut Client, thread_id: &str, form: &str) -> String {
    let answer = answer(thread_id, form, &json!({"size": "L"}));
    let id = client.send("event.create", answer).await;
    let (code, text) = client.expect_error(&id).await;
    assert_eq!(code, "CONFLICT", "{text}");
    text
}

/// The closed form among these events.
fn closed<'a>(events: &'a [Value], form: &str) -> &'a Value {
    let mut edits = events.iter().filter(|event| event["id"] == form);
    let closed = edits.next_back().expect("the form was edited");
    assert_eq!(closed["data"]["asked"]["closed"], true, "{closed}");
    let event: ThreadEvent = serde_json::from_value(closed.clone()).unwrap();
    assert!(event.asked().unwrap().closed);
    closed
}
