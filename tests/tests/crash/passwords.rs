//! A server that is killed while its handler reads a password.

use crate::place::Place;
use crate::program::Program;
use dooers_tests::Client;
use serde_json::{Value, json};

/// What is typed into the form, and how the agent spells it.
const PASSWORD: &str = "correct-horse";
const SPELLED: &str = "esroh-tcerroc";

/// Something else that is typed into the form.
const NAME: &str = "ada-of-the-forms";

#[tokio::test]
async fn password_survives_a_kill() {
    survives(Place::sqlite()).await;
}

mod on_postgres {
    use super::{Place, survives};

    #[tokio::test]
    async fn password_survives_a_kill() {
        if let Some(place) = Place::postgres() {
            survives(place).await;
        }
    }
}

fn says(text: &'static str) -> impl Fn(&Value) -> bool {
    move |frame| frame.to_string().contains(text)
}

async fn client(program: &Program) -> Client {
    let address = program.address.expect("the server starts");
    let mut client = Client::open(address, "/agents/asking/ws").await;
    client.connect("ada").await;
    client
}

async fn survives(database: Place) {
    let program = Program::start(&database, None).await;
    let mut ada = client(&program).await;
    let id = ada.message(None, "hello").await;
    ada.accepted(&id).await;
    let frames = ada.turn().await;
    let is_form = |event: &Value| event["type"] == "form";
    let events = frames
        .iter()
        .filter_map(|frame| frame["payload"]["events"].as_array());
    let form = events
        .flatten()
        .find(|event| is_form(event))
        .unwrap()
        .clone();
    let data = json!({
        "form_event_id": form["id"], "note": NAME, "values": {"pin": PASSWORD},
    });
    let event = json!({"type": "form.response", "actor": "user", "content": [], "data": data});
    let answer = json!({"thread_id": form["thread_id"], "client_event_id": "c", "event": event});
    let id = ada.send("event.create", answer.clone()).await;
    ada.accepted(&id).await;
    let mut seen = ada.until("the handler to read", says("reading")).await;
    drop(program);
    // The turn's row is there, and the event.
    assert!(database.has_text(NAME).await);
    assert!(!database.has_text(PASSWORD).await);

    let program = Program::start(&database, None).await;
    let mut ada = client(&program).await;
    let thread_id = form["thread_id"].as_str().unwrap();
    let snapshot = ada.subscribe(thread_id).await;
    let is_told = says(SPELLED)(&snapshot);
    seen.push(snapshot);
    if !is_told {
        seen.extend(ada.until("the answer", says(SPELLED)).await);
    }
    let seen = json!(seen).to_string();
    assert!(
        seen.contains("has_value") && !seen.contains(PASSWORD),
        "{seen}"
    );
    drop(program);
    assert!(database.has_text(SPELLED).await);
    assert!(!database.has_text(PASSWORD).await);
}
