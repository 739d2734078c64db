//! A server that is killed while its handler processes a password.

use crate::database::Database;
use crate::server::CrashServer;
use dooers_tests::Client;
use serde_json::{Value, json};

/// The password typed into the form, and the agent's answer to it.
const PASSWORD: &str = "correct-horse";
const SPELLED: &str = "esroh-tcerroc";

/// Another value typed into the form.
const NAME: &str = "ada-of-the-forms";

#[tokio::test]
async fn password_survives_a_kill() {
    check_password_survives(Database::sqlite()).await;
}

#[tokio::test]
async fn lost_answer_is_accepted_again_after_a_kill() {
    check_lost_answer(Database::sqlite()).await;
}

mod on_postgres {
    use super::{Database, check_lost_answer, check_password_survives};

    #[tokio::test]
    async fn password_survives_a_kill() {
        if let Some(database) = Database::postgres() {
            check_password_survives(database).await;
        }
    }

    #[tokio::test]
    async fn lost_answer_is_accepted_again_after_a_kill() {
        if let Some(database) = Database::postgres() {
            check_lost_answer(database).await;
        }
    }
}

fn says(text: &'static str) -> impl Fn(&Value) -> bool {
    move |frame| frame.to_string().contains(text)
}

async fn client(program: &CrashServer, agent: &str) -> Client {
    let address = program.address.expect("the server starts");
    let mut client = Client::open(address, &format!("/agents/{agent}/ws")).await;
    client.connect("ada").await;
    client
}

/// Sends a message and returns the form event that answers it.
async fn form(client: &mut Client) -> Value {
    let id = client.send_message(None, "hello").await;
    client.expect_ack(&id).await;
    let frames = client.read_turn().await;
    let is_form = |event: &Value| event["type"] == "form";
    let events = frames
        .iter()
        .filter_map(|frame| frame["payload"]["events"].as_array());
    let form = events.flatten().find(|event| is_form(event));
    form.expect("the agent sends a form").clone()
}

async fn check_password_survives(database: Database) {
    let program = CrashServer::start(&database, None).await;
    let mut ada = client(&program, "asking").await;
    let form = form(&mut ada).await;
    let data = json!({
        "form_event_id": form["id"], "note": NAME, "values": {"pin": PASSWORD},
    });
    let event = json!({"type": "form.response", "actor": "user", "content": [], "data": data});
    let answer = json!({"thread_id": form["thread_id"], "client_event_id": "c", "event": event});
    let id = ada.send("event.create", answer.clone()).await;
    ada.expect_ack(&id).await;
    let mut seen = ada.read_until("the handler to read", says("reading")).await;
    drop(program);
    // The row of the turn and the event are stored.
    assert!(database.has_text(NAME).await);
    assert!(!database.has_text(PASSWORD).await);

    let program = CrashServer::start(&database, None).await;
    let mut ada = client(&program, "asking").await;
    let thread_id = form["thread_id"].as_str().unwrap();
    let snapshot = ada.subscribe(thread_id).await;
    let is_told = says(SPELLED)(&snapshot);
    seen.push(snapshot);
    if !is_told {
        seen.extend(ada.read_until("the answer", says(SPELLED)).await);
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

/// Loses the answer with the process. The agent has no attempt left for it.
async fn check_lost_answer(database: Database) {
    let program = CrashServer::start(&database, None).await;
    let mut ada = client(&program, "asking_once").await;
    let form = form(&mut ada).await;
    let thread_id = form["thread_id"].as_str().unwrap();
    let answer = |client_event_id: &str, values: Value| {
        let data = json!({"form_event_id": form["id"], "values": values});
        let event = json!({"type": "form.response", "actor": "user", "content": [], "data": data});
        json!({"thread_id": thread_id, "client_event_id": client_event_id, "event": event})
    };
    let lost = answer("c1", json!({"pin": PASSWORD, "lasts": "yes"}));
    ada.send_expecting_ack("event.create", lost.clone()).await;
    ada.read_until("the handler to read", says("reading")).await;
    let late = answer("late", json!({"pin": PASSWORD}));
    assert_eq!(
        ada.send_expecting_error("event.create", late.clone()).await,
        "CONFLICT"
    );
    drop(program);
    assert!(!database.has_text(PASSWORD).await);

    let program = CrashServer::start(&database, None).await;
    let mut ada = client(&program, "asking_once").await;
    let snapshot = ada.subscribe(thread_id).await;
    if !says("send the message again")(&snapshot) {
        ada.read_until("the end of the turn", says("send the message again"))
            .await;
        ada.read_turn().await;
    }
    // The same frame is a repeat of an answer whose turn is over.
    ada.send_expecting_ack("event.create", lost).await;
    ada.expect("event.append").await;
    ada.expect_nothing().await;
    let again = answer("c2", json!({"pin": PASSWORD}));
    ada.send_expecting_ack("event.create", again).await;
    let frames = ada.read_turn().await;
    assert!(frames.iter().any(says(SPELLED)), "{frames:?}");
    assert_eq!(
        ada.send_expecting_error("event.create", late).await,
        "CONFLICT"
    );
    assert!(!database.has_text(PASSWORD).await);
}
